// SPDX-License-Identifier: MIT
// Reads the input as a workload and expands it into a training step.

#include <cstddef>
#include <cstdint>
#include <sstream>

#include "sim/base/error.h"
#include "sim/input/trace_writer.h"
#include "sim/input/training_step.h"
#include "sim/input/workload_reader.h"
#include "tests/fuzz/valid_trace.h"
#include "tests/support/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nibble;
    constexpr std::uint64_t batch = 4;
    const test::MemoryFile file({reinterpret_cast<const char*>(data), size});
    std::ostringstream trace;
    try {
        const Workload workload = read_workload(file.path());
        TraceWriter writer(trace, {workload.name, batch});
        expand_training_step(workload, batch, [&](const TraceItem& item) { writer.write(item); });
        writer.finish();
    } catch (const InputError&) {
        return 0;
    }
    fuzz::require_valid_trace(trace.str());
    return 0;
}
