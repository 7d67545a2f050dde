// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "sim/input/workload.h"

namespace nibble {

/// Is told how far the reading of a source is: bytes of `all`, counted each time that it is read.
using ImportWatch = std::function<void(std::uint64_t done, std::uint64_t all)>;

/// What is done about the parts of a training step that a source does not have.
enum class Training : std::uint8_t {
    derive,        ///< backward pass and optimiser are derived where there is none
    as_recorded,   ///< nothing is added
    forward_only,  ///< nothing is added, and a recorded backward pass is left out
};
inline constexpr std::array<std::string_view, 3> training_names{"derive", "as-recorded", "forward-only"};

struct ImportOptions {
    std::optional<std::uint64_t> batch{};      ///< for sources that leave the batch open
    std::optional<std::uint64_t> iteration{};  ///< take only this training step, counted from 1
    Training training = Training::derive;
    Optimizer optimizer = Optimizer::sgd_momentum;  ///< that is derived
    /// Of the trace that is written: files of values are named relative to it. Empty: by their full path.
    std::filesystem::path directory{};
    ImportWatch watch{};
};

}  // namespace nibble
