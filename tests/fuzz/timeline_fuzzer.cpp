// SPDX-License-Identifier: MIT
// Shows the input as a timeline. Whatever the file, it is refused, or shown in lines as wide as they should be.

#include <cstddef>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/report/safe_text.h"
#include "sim/timeline/timeline_reader.h"
#include "sim/timeline/timeline_text.h"
#include "tests/support/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nibble;
    constexpr TextStyle style{};
    const test::MemoryFile file({reinterpret_cast<const char*>(data), size});
    try {
        const auto machines = read_timeline(file.path(), {.columns = style.width - timeline_margin});
        const std::string text = fitted(timeline_text(machines, style), style);
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = text.find('\n', begin);
            if (end == std::string::npos || display_width(text.substr(begin, end - begin)) > style.width) {
                throw ModelError("a line of a timeline is too wide");
            }
            begin = end + 1;
        }
        static_cast<void>(nlohmann::json::parse(timeline_json(machines)));
    } catch (const InputError&) {
        return 0;
    }
    return 0;
}
