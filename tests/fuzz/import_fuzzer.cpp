// SPDX-License-Identifier: MIT
// Reads the input as a file of the format NIBBLE_SOURCE_FORMAT, one of SourceFormat.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string_view>

#include "sim/base/error.h"
#include "sim/import/import_trace.h"
#include "sim/import/source_format.h"
#include "tests/fuzz/valid_trace.h"
#include "tests/support/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nibble;
    // What the user may ask for follows from the size, so that seeds are files as they are.
    constexpr std::array training{Training::derive, Training::as_recorded, Training::forward_only};
    constexpr std::array optimizers{Optimizer::sgd_momentum, Optimizer::adam};
    ImportOptions options;
    options.batch = size % 2 == 0 ? std::nullopt : std::optional<std::uint64_t>(4);
    options.training = training.at(size / 2 % training.size());
    options.optimizer = optimizers.at(size / 6 % optimizers.size());

    const test::MemoryFile file({reinterpret_cast<const char*>(data), size});
    std::ostringstream trace;
    try {
        static_cast<void>(recognise_source(file.path()));
        static_cast<void>(import_trace(file.path(), SourceFormat::NIBBLE_SOURCE_FORMAT, options, trace));
    } catch (const InputError&) {
        return 0;
    }
    fuzz::require_valid_trace(trace.str());
    return 0;
}
