// SPDX-License-Identifier: MIT
#include "sim/mapping/mapping_file.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include "sim/config/yaml_reader.h"
#include "sim/lowering/greedy_tiling.h"
#include "sim/lowering/tile_space.h"

namespace nibble {

namespace {

constexpr UnsignedRange buffer_range{1, 4};

MappingFile::Entry read_entry(const YamlNode& node) {
    YamlMap map = node.as_map();
    MappingFile::Entry entry{.gemm = map.required_string("gemm"), .where = node.where()};
    Tiling& tiling = entry.mapped.tiling;
    YamlMap tile = map.required_map("tile");
    tiling.batch = tile.optional_unsigned("batch", 1, {.min = 1});
    tiling.i = tile.required_unsigned("i", {.min = 1});
    tiling.j = tile.required_unsigned("j", {.min = 1});
    tiling.l = tile.required_unsigned("l", {.min = 1});
    tile.finish();
    tiling.order = map.required_choice<LoopOrder>("order", {{"ijl", LoopOrder::ijl},
                                                            {"jil", LoopOrder::jil},
                                                            {"ilj", LoopOrder::ilj},
                                                            {"jli", LoopOrder::jli},
                                                            {"lij", LoopOrder::lij},
                                                            {"lji", LoopOrder::lji}});
    tiling.dataflow = map.required_choice<Dataflow>("dataflow", {{"output", Dataflow::output_stationary},
                                                                 {"weight", Dataflow::weight_stationary},
                                                                 {"input", Dataflow::input_stationary}});
    YamlMap buffers = map.required_map("buffers");
    tiling.left_buffers = static_cast<std::uint32_t>(buffers.required_unsigned("left", buffer_range));
    tiling.right_buffers = static_cast<std::uint32_t>(buffers.required_unsigned("right", buffer_range));
    tiling.out_buffers = static_cast<std::uint32_t>(buffers.required_unsigned("output", buffer_range));
    buffers.finish();
    YamlMap expected = map.optional_map("expected");
    entry.mapped.cycles = expected.optional_number("cycles", 0, non_negative_number);
    entry.mapped.energy_pj = expected.optional_number("energy_pj", 0, non_negative_number);
    expected.finish();
    map.finish();
    return entry;
}

/// What is wrong with the size of a tile in one dimension, or "".
std::string size_problem(char name, const TiledDimension& dimension, std::uint64_t size, std::uint64_t step) {
    if (size > dimension.extent) {
        return fmt::format("tile.{}: the GEMM has only {}, found {}", name, dimension.extent, size);
    }
    if (size == dimension.extent) {
        return {};
    }
    if (size > dimension.period && size % dimension.period != 0) {
        return fmt::format("tile.{}: expected part of an image of {} or a multiple of it, found {}", name,
                           dimension.period, size);
    }
    if (size < dimension.period && size % step != 0) {
        return fmt::format("tile.{}: expected a multiple of {}, the block that lies together in memory, found {}", name,
                           step, size);
    }
    return {};
}

}  // namespace

MappingFile MappingFile::load(const std::string& path) {
    YamlDocument document = YamlDocument::from_file(path);
    MappingFile file;
    for (const auto& [machine, list] : document.root_map().entries()) {
        Section section{machine, {}};
        for (const YamlNode& node : list.as_list()) {
            section.entries.push_back(read_entry(node));
        }
        file.sections_.push_back(std::move(section));
    }
    document.throw_if_any();
    return file;
}

const MappingFile::Section* MappingFile::section(const std::string& machine) const {
    const auto found = std::ranges::find(sections_, machine, &Section::machine);
    return found == sections_.end() ? nullptr : &*found;
}

std::vector<Problem> problems_of(const MappingFile::Entry& entry, const GemmTask& task,
                                 const MachineParameters& machine) {
    const Tiling& tiling = entry.mapped.tiling;
    const GemmProblem& problem = task.problem;
    std::vector<Problem> problems;
    const auto check = [&](const std::string& what) {
        if (!what.empty()) {
            problems.push_back({entry.where, what});
        }
    };
    check(size_problem('i', problem.i(), tiling.i, 1));
    check(size_problem('j', problem.j(), tiling.j, problem.j_step()));
    check(size_problem('l', problem.l(), tiling.l, problem.l_step()));
    const bool whole =
        tiling.i == problem.i().extent && tiling.j == problem.j().extent && tiling.l == problem.l().extent;
    if (tiling.batch > problem.batch()) {
        check(fmt::format("tile.batch: the GEMM has only {} products, found {}", problem.batch(), tiling.batch));
    } else if (tiling.batch > 1 && !(problem.is_matmul() && whole)) {
        check("tile.batch: several products share a tile only if they are matrix products and whole");
    }
    if (std::ranges::find(machine.mac_array.dataflows, tiling.dataflow) == machine.mac_array.dataflows.end()) {
        check(fmt::format("dataflow: the array of '{}' has no {}-stationary one", machine.name,
                          dataflow_names[static_cast<std::size_t>(tiling.dataflow)]));
    }
    const std::uint32_t most = std::max({tiling.left_buffers, tiling.right_buffers, tiling.out_buffers});
    if (most > machine.scratchpad.buffering) {
        check(fmt::format("buffers: the machine has {} of each (scratchpad.buffering), found {}",
                          machine.scratchpad.buffering, most));
    }
    if (problems.empty() && !fits(task, tiling, machine)) {
        check(fmt::format("tile: takes {} bytes of scratchpad and {} of accumulators; there are {} and {} bytes",
                          total(tile_space(task, tiling)), accumulator_bytes(task, tiling),
                          TileCapacity(machine.scratchpad).text(), machine.mac_array.accumulator_bytes));
    }
    return problems;
}

void write_mapping(std::ostream& out, const std::string& gemm, const MappedTask& mapped) {
    const Tiling& t = mapped.tiling;
    fmt::print(out, "  - gemm: {}\n", yaml_text(gemm));
    fmt::print(out, "    tile: {{batch: {}, i: {}, j: {}, l: {}}}\n", t.batch, t.i, t.j, t.l);
    fmt::print(out, "    order: {}\n", loop_order_names[static_cast<std::size_t>(t.order)]);
    fmt::print(out, "    dataflow: {}\n", dataflow_names[static_cast<std::size_t>(t.dataflow)]);
    fmt::print(out, "    buffers: {{left: {}, right: {}, output: {}}}\n", t.left_buffers, t.right_buffers,
               t.out_buffers);
    fmt::print(out, "    expected: {{cycles: {}, energy_pj: {}}}\n", std::llround(mapped.cycles),
               std::llround(mapped.energy_pj));
}

namespace {

/// As much of a name as a comment needs, in whole characters.
std::string_view beginning(std::string_view name) {
    std::size_t most = 100;
    if (name.size() <= most) {
        return name;
    }
    while ((static_cast<unsigned char>(name[most]) & 0xc0U) == 0x80U) {
        --most;
    }
    return name.substr(0, most);
}

}  // namespace

void write_mappings(std::ostream& out, const std::string& machine, const std::vector<PlannedGemm>& planned) {
    fmt::print(out, "{}:{}\n", yaml_text(machine), planned.empty() ? " []" : "");
    std::unordered_set<std::string> written;
    for (const PlannedGemm& one : planned) {
        if (!written.insert(one.gemm.task.key()).second) {
            continue;
        }
        fmt::print(out, "  # {} x, first {} {}; {}\n", one.gemm.count, yaml_text(beginning(one.gemm.layer)),
                   one.gemm.phase, mapping_origin_names[static_cast<std::size_t>(one.origin)]);
        write_mapping(out, one.gemm.task.key(), one.mapped);
    }
}

}  // namespace nibble
