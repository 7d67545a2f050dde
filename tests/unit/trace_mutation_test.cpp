// SPDX-License-Identifier: MIT
// Damaged files: whatever is wrong, the answer is an InputError or sound data, never anything else.
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "sim/input/trace_reader.h"
#include "tests/support/training_step.h"

namespace nibble {
namespace {

std::string content_of(const std::string& path) {
    std::ifstream file(std::string(NIBBLE_SOURCE_DIR) + "/" + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// One of: a byte replaced, a piece cut out, a piece copied to another place.
std::string damaged(std::string text, std::mt19937_64& random) {
    const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
    static const std::string interesting = "{}[]\",:0123456789-eE.\n\\ ~&*!$#x\x80\xff";
    const std::size_t at = below(text.size());
    switch (below(3)) {
        case 0:
            text[at] = interesting[below(interesting.size())];
            break;
        case 1:
            text.erase(at, 1 + below(40));
            break;
        default:
            text.insert(below(text.size()), text.substr(at, 1 + below(40)));
            break;
    }
    return text;
}

TEST(DamagedFile, OfATraceIsReadOrRefused) {
    const std::string sound = content_of("traces/tiny.jsonl");
    std::mt19937_64 random(1);
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
        std::istringstream stream(damaged(sound, random));
        try {
            TraceReader reader(stream, "damaged");
            while (const std::optional<TraceItem> item = reader.next()) {
                if (const auto* operation = std::get_if<Operation>(&*item)) {
                    EXPECT_FALSE(operation->outputs.empty());
                }
            }
        } catch (const InputError& error) {
            EXPECT_FALSE(error.problems().empty());
            ++refused;
        }
    }
    EXPECT_GT(refused, 2500);  // most damage shows; a changed name or size may not
}

TEST(DamagedFile, OfAWorkloadIsReadOrRefused) {
    const std::string sound = content_of("workloads/mobilenet_v2.yaml");
    std::mt19937_64 random(2);
    int refused = 0;
    for (int i = 0; i < 1000; ++i) {
        try {
            const std::string text = damaged(sound, random);
            (void)training_step(read_workload(YamlDocument::from_text(text, "damaged")), 1);
        } catch (const InputError& error) {
            EXPECT_FALSE(error.problems().empty());
            ++refused;
        }
    }
    EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace nibble
