// SPDX-License-Identifier: MIT
// Reads the input as result.json, as pages and comparisons do. Whatever the file, it is refused, or makes a page, and
// differs in nothing from itself.

#include <cstddef>
#include <cstdint>
#include <sstream>

#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/explore/result_difference.h"
#include "sim/page/page_writer.h"
#include "sim/page/run_data.h"
#include "tests/support/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nibble;
    const test::MemoryFile file({reinterpret_cast<const char*>(data), size});
    try {
        const RunResult run = read_run_result(file.path());
        if (difference_of(run, run).whole.cycles() != 0) {
            throw ModelError("a result differs from itself");
        }
        const RunPage page = page_of_run({.result = file.path(), .name = "run", .machine = {}, .baseline = {}});
        std::ostringstream out;
        write_page(out, page.summary, {page.summary}, page.data, PageBundle{});
    } catch (const InputError&) {
        return 0;
    }
    return 0;
}
