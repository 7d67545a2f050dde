// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/config/yaml_reader.h"
#include "sim/import/tables/einsum.h"

namespace nibble {

/// Reads the problem of a Timeloop file: `problem` with `shape` (dimensions, coefficients, data spaces with their
/// projections) and `instance` (sizes, values of coefficients), the older form with the sizes beside `shape`, and the
/// names of shapes that come with Timeloop (cnn-layer, gemm-ABZ). Of two inputs, the one called Inputs is the left
/// operand, else the first that is not called Weights. What is not read is noted. Problems go to the document; nothing
/// is returned if there are any.
[[nodiscard]] std::optional<Einsum> read_timeloop_problem(const YamlDocument& document,
                                                          std::vector<std::string>& notes);

/// Throws InputError, with line and column, if the text holds a jinja template; comments do not count.
void refuse_jinja(const std::string& text, const std::string& name);

}  // namespace nibble
