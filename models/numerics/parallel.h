// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>

namespace nibble {

/// Calls `run(0)` to `run(tasks - 1)` on up to `threads` threads, the caller's among them, in any order; returns when
/// all have ended. What a task throws is thrown here, the first of several; tasks that have not begun by then do not.
void run_tasks(std::size_t tasks, unsigned threads, const std::function<void(std::size_t task)>& run);

}  // namespace nibble
