// SPDX-License-Identifier: MIT
// Reads the input as a trace; what is one must still be one when it was fused.

#include <cstddef>
#include <cstdint>
#include <sstream>

#include "sim/base/error.h"
#include "sim/input/trace_reader.h"
#include "sim/input/trace_writer.h"
#include "tests/fuzz/valid_trace.h"
#include "tests/support/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nibble;
    const test::MemoryFile file({reinterpret_cast<const char*>(data), size});
    try {
        fuzz::plan_trace(file.path());
    } catch (const InputError&) {
        return 0;
    }
    TraceReader reader(file.path());
    std::ostringstream copy;
    TraceWriter writer(copy, reader.header());
    while (const auto item = reader.next()) {
        writer.write(*item);
    }
    writer.finish();
    fuzz::require_valid_trace(copy.str());
    return 0;
}
