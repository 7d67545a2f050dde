// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace nibble::test {

/// Failures of the present test so far.
inline int failures() {
    const ::testing::TestResult& result = *::testing::UnitTest::GetInstance()->current_test_info()->result();
    int count = 0;
    for (int part = 0; part < result.total_part_count(); ++part) {
        count += result.GetTestPartResult(part).failed() ? 1 : 0;
    }
    return count;
}

/// Runs one elaboration and simulation in a child process and returns the text it produced.
/// Failures and crashes in the child fail this test. SystemC allows one elaboration per process,
/// so a test that simulates must go through here.
inline std::string simulate(const std::function<std::string()>& body) {
    std::fflush(nullptr);
    std::array<int, 2> pipe_ends{};
    EXPECT_EQ(pipe(pipe_ends.data()), 0);
    const int failures_before = failures();  // which the child inherits
    const pid_t child = fork();
    EXPECT_GE(child, 0) << "fork failed";
    if (child == 0) {
        try {
            const std::string text = body();
            for (std::size_t sent = 0; sent < text.size();) {
                const ssize_t n = write(pipe_ends[1], text.data() + sent, text.size() - sent);
                if (n < 0) {
                    ADD_FAILURE() << "write failed";
                    break;
                }
                sent += static_cast<std::size_t>(n);
            }
        } catch (const std::exception& e) {
            ADD_FAILURE() << "uncaught: " << e.what();
        }
        std::fflush(nullptr);
        _exit(failures() > failures_before ? 1 : 0);
    }
    close(pipe_ends[1]);
    std::string text;
    std::array<char, 4096> chunk{};
    for (ssize_t n = 0; (n = read(pipe_ends[0], chunk.data(), chunk.size())) > 0;) {
        text.append(chunk.data(), static_cast<std::size_t>(n));
    }
    close(pipe_ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "simulation died on signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0) << "the simulation failed, see above";
    return text;
}

}  // namespace nibble::test
