// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/log_gradient/gradient_values.h"

namespace nibble {

/// Gradients that a GEMM with a reduction of length `k` has made, for the log-gradient unit to convert in values mode.
/// When it has, every code is compared with a plain reference: |x| 2^scale against the midpoints between neighbouring
/// levels of each phase, in double. Throws ModelError at the first difference; `checked` counts the gradients compared.
///
/// The scale is one under which sums of k random products spread over the levels: 8 sqrt(k) becomes 1.
[[nodiscard]] std::shared_ptr<GradientValues> gradients_to_convert(std::shared_ptr<const std::vector<float>> gradients,
                                                                   std::uint64_t k, const std::string& layer,
                                                                   std::shared_ptr<std::uint64_t> checked);

}  // namespace nibble
