// SPDX-License-Identifier: MIT
#include "models/numerics/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nibble {

void run_tasks(std::size_t tasks, unsigned threads, const std::function<void(std::size_t task)>& run) {
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::exception_ptr failure;
    const auto work = [&] {
        for (std::size_t task = next++; task < tasks; task = next++) {
            try {
                run(task);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (failure == nullptr) {
                    failure = std::current_exception();
                }
                next = tasks;
            }
        }
    };
    // Started for each call: some 20 us, against products of milliseconds.
    std::vector<std::jthread> helpers;
    for (std::size_t helper = 1; helper < std::min<std::size_t>(threads, tasks); ++helper) {
        helpers.emplace_back(work);
    }
    work();
    helpers.clear();
    if (failure != nullptr) {
        std::rethrow_exception(failure);
    }
}

}  // namespace nibble
