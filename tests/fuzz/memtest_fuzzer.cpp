// SPDX-License-Identifier: MIT
// Reads the input as a request file and runs what it asks for through a memory. Whatever the file, it is refused or
// every request is answered, and no sooner than the data bus allows.

#include <cstddef>
#include <cstdint>
#include <string>

#include "models/dram/dram_core.h"
#include "models/dram/dram_params.h"
#include "sim/base/error.h"
#include "sim/memtest/memory_test.h"
#include "sim/memtest/request_reader.h"
#include "tests/support/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nibble;
    const test::MemoryFile file({reinterpret_cast<const char*>(data), size});
    const DramParameters memory = typical_dram("LPDDR5-6400");
    DramCore core(memory);
    try {
        RequestReader requests(file.path(), {memory.capacity_bytes_per_channel * memory.channels,
                                             [](std::uint64_t) { return std::string("does not fit"); }});
        const MemoryTest test = run_memory_test(requests, core);
        if (test.read_latency.count() != test.reads || test.write_latency.count() != test.writes ||
            test.completion_cycles * memory.channels < test.counters.data_bus_cycles) {
            throw ModelError("requests were lost, or answered sooner than the data bus allows");
        }
    } catch (const InputError&) {
        return 0;
    }
    return 0;
}
