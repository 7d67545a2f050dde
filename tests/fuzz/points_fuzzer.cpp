// SPDX-License-Identifier: MIT
// Reads the input as points.json and looks for the fronts of what it holds. Whatever the file, it is refused, or what
// is written of it is read back the same.

#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>

#include "sim/base/error.h"
#include "sim/explore/front_plot.h"
#include "sim/explore/pareto_front.h"
#include "sim/explore/point_table.h"
#include "tests/support/memory_file.h"

namespace {

std::string json_of(const nibble::PointTable& table) {
    std::ostringstream out;
    nibble::write_points_json(out, table);
    return out.str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nibble;
    const test::MemoryFile file({reinterpret_cast<const char*>(data), size});
    try {
        const PointTable table = read_points_json(file.path());
        const std::string text = json_of(table);
        if (json_of(read_points_json(test::MemoryFile(text).path())) != text) {
            throw ModelError("points are not read back as they were written");
        }
        const auto fronts = pareto_fronts(table, table.objectives, true);
        if (table.objectives.size() >= 2) {
            std::ostringstream out;
            write_front_svg(out, table, pareto_fronts(table, std::span(table.objectives).first(2), true),
                            table.objectives[0], table.objectives[1]);
        }
    } catch (const InputError&) {
        return 0;
    }
    return 0;
}
