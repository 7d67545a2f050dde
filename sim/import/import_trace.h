// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <ostream>

#include "sim/import/import_options.h"
#include "sim/import/import_summary.h"
#include "sim/import/source_format.h"

namespace nibble {

/// Translates a file of another program to a trace (traces/FORMAT.md), written to `out`, and says what it found.
/// Throws InputError, naming the place in the file.
[[nodiscard]] ImportSummary import_trace(const std::filesystem::path& path, SourceFormat format,
                                         const ImportOptions& options, std::ostream& out);

}  // namespace nibble
