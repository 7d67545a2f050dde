// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/step_graph.h"

namespace nibble {

/// The layers of a network whose Timeloop problems (YAML) are these files, one each, in the natural order of their
/// names
/// ("layer2" before "layer10"). Convolutions of images (strided, dilated, grouped) and matrix products are recognised
/// by their projections; there is no padding: an input is what the windows cover. `options.batch` multiplies the batch
/// of a convolution and the rows of a product. Jinja templates are refused. Throws InputError naming file, line and
/// column.
[[nodiscard]] StepGraph read_timeloop(std::vector<std::filesystem::path> files, const ImportOptions& options,
                                      ImportSummary& summary);

/// The order in which people sort names: numbers in them by their value.
[[nodiscard]] bool comes_before_naturally(std::string_view left, std::string_view right);

}  // namespace nibble
