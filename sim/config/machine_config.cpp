// SPDX-License-Identifier: MIT
#include "sim/config/machine_config.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/dram/dram_standard.h"
#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/config/scratchpad_config.h"
#include "sim/config/yaml_reader.h"

namespace nibble {

namespace {

constexpr UnsignedRange pipeline_range{1, 64};
constexpr UnsignedRange whole_u32{0, std::numeric_limits<std::uint32_t>::max()};
constexpr double area_tolerance = 0.02;  // of a dedicated mode's array, for the rounding of its geometry

std::uint32_t required_u32(YamlMap& map, const YamlKey& key, UnsignedRange range) {
    return static_cast<std::uint32_t>(map.required_unsigned(key, range));
}

void optional_u32(YamlMap& map, const YamlKey& key, std::uint32_t& value, UnsignedRange range) {
    value = static_cast<std::uint32_t>(map.optional_unsigned(key, value, range));
}

std::string_view name_of(ArrayMode mode) {
    return array_mode_names[static_cast<std::size_t>(mode)];
}

std::string_view mode_meaning(ArrayMode mode) {
    switch (mode) {
        case ArrayMode::int4:
            return "INT4 x INT4: forward GEMMs";
        case ArrayMode::int4_fp4:
            return "INT4 x radix-4 FP4: backward GEMMs";
        case ArrayMode::fp8:
            return "FP8 x FP8, and INT4 x FP8";
        case ArrayMode::fp16:
            break;
    }
    return "FP16 x FP16, and narrower operands widened";
}

std::string dram_standards_in_words() {
    return fmt::format("`{}`", fmt::join(dram_standard_names(), "`, `"));
}

constexpr ArrayMode all_modes[] = {ArrayMode::int4, ArrayMode::int4_fp4, ArrayMode::fp8, ArrayMode::fp16};

/// Area of the array as built, in FP16 FPUs.
double relative_area(const MacArrayParameters& array) {
    const PeDatapaths& pe = array.pe;
    return static_cast<double>(array.rows) * array.cols *
           (pe.int4_fp4_4way * int4_fp4_4way_relative_area + pe.fp8 * fp8_relative_area + pe.fp16);
}

/// Area of an array dedicated to one mode, in FP16 FPUs.
double relative_area(ArrayMode mode, const ArrayGeometry& geometry) {
    const double macs = peak_macs_per_cycle(geometry);
    switch (mode) {
        case ArrayMode::int4:
        case ArrayMode::int4_fp4:
            return macs * int4_fp4_4way_relative_area / int4_fp4_4way_macs;
        case ArrayMode::fp8:
            return macs * fp8_relative_area;
        case ArrayMode::fp16:
            break;
    }
    return macs;
}

/// MACs a cycle that the datapaths of one PE can do.
double pe_rate(ArrayMode mode, const PeDatapaths& pe) {
    switch (mode) {
        case ArrayMode::int4:
        case ArrayMode::int4_fp4:
            return pe.int4_fp4_4way * int4_fp4_4way_macs;
        case ArrayMode::fp8:
            return pe.fp8 + pe.fp16 * fp8_macs_per_fp16_fpu;
        case ArrayMode::fp16:
            break;
    }
    return pe.fp16;
}

/// Reads section by section, then checks what spans keys. A check runs only if the sections that it looks at had no
/// problem: none is reported that would go away with another.
class MachineReader {
public:
    explicit MachineReader(YamlDocument& document) : document_(document), root_(document.root_map()) {}

    MachineParameters read() {
        read_head();
        // That a required section is missing is reported by the end of the map alone: such a section is not sound
        // either.
        const bool array_sound = sound([&] { read_mac_array(); }) && root_.has("mac_array");
        const bool scratchpad_sound = sound([&] { read_scratchpad(); }) && root_.has("scratchpad");
        const bool dma_sound = sound([&] { read_dma(); });
        const bool gradient_sound = sound([&] { read_log_gradient(); });
        const bool dram_sound = sound([&] { read_dram(); });
        read_vector_unit();
        YamlMap sequencer =
            root_.optional_map({"sequencer", "fetches commands, one a cycle, and hands them to the units"});
        optional_u32(sequencer,
                     {"queue_entries", "commands that wait for each unit: how far loads run ahead", "commands"},
                     machine_.sequencer.queue_entries, {1, 4096});
        sequencer.finish();
        root_.finish();

        if (array_sound) {
            check_accumulators();
            machine_.mac_array.sharing == ArraySharing::shared ? check_datapaths() : check_dedicated_areas();
            check_chunk();
        }
        if (scratchpad_sound) {
            check_scratchpad();
        }
        if (scratchpad_sound && dma_sound) {
            check_dma_width();
        }
        if (array_sound && gradient_sound && has(ArrayMode::int4_fp4) && machine_.log_gradient.lanes == 0) {
            root_.problem("log_gradient",
                          "the array multiplies by FP4 gradients (mode int4_fp4), which takes a "
                          "log-gradient unit of at least 1 lane");
        }
        if (dram_sound) {
            check_dram();
        }
        document_.throw_if_any();
        return std::move(machine_);
    }

private:
    template <class Read>
    bool sound(const Read& read_section) {
        const std::size_t before = document_.problems().count();
        read_section();
        return document_.problems().count() == before;
    }

    [[nodiscard]] bool has(ArrayMode mode) const {
        return machine_.mac_array.modes[static_cast<std::size_t>(mode)].has_value();
    }

    void read_head() {
        machine_.name = root_.required_string({"name", "in reports; not empty"});
        if (root_.has("name") && machine_.name.empty()) {
            root_.problem("name", "a machine needs a name");
        }
        machine_.description = root_.optional_string({"description", "one line for `nibblesim list`", "", "none"}, "");
        machine_.clock_period_ps = root_.required_unsigned(
            {"clock_period_ps", "period of the core's clock; the memory has its own", "ps"}, {1, 1'000'000});
        machine_.technology =
            root_.required_string({"technology", "table of energies and areas: `7nm`, `45nm`, or a file of one's own"});
        if (!machine_.technology.empty()) {
            try {
                static_cast<void>(find_data_file(DataKind::energy, machine_.technology));
            } catch (const InputError& error) {
                root_.problem("technology", error.problems().front().what);
            }
        }
        machine_.ideal_memory = root_.optional_bool(
            {"ideal_memory", "memory answers at once and costs nothing; `dram` may then be left out"},
            machine_.ideal_memory);
        machine_.gradient_storage = root_.optional_choice<GradientStorage>(
            {"gradient_storage",
             "how the two FP4 codes of a gradient lie in memory: two 4-bit tensors, one 5-bit tensor, or the 16-bit "
             "gradient alone, rounded on the way to each GEMM"},
            machine_.gradient_storage,
            {{"two_codes", GradientStorage::two_codes},
             {"packed_pair", GradientStorage::packed_pair},
             {"rerounded", GradientStorage::rerounded}});
    }

    void read_mac_array() {
        MacArrayParameters& array = machine_.mac_array;
        YamlMap map = root_.required_map({"mac_array", "the array of processing elements (PEs)"});
        array.sharing = map.required_choice<ArraySharing>(
            {"sharing",
             "`shared`: one array runs all modes at the stated rates; `dedicated`: each mode has an array of its own "
             "that fills the same area"},
            {{"shared", ArraySharing::shared}, {"dedicated", ArraySharing::dedicated}});
        array.rows = required_u32(
            map, {"rows", "rows as built; of weight- and input-stationary folds they hold the reduction", "PEs"},
            array_side);
        array.cols = required_u32(map, {"cols", "columns as built", "PEs"}, array_side);

        YamlMap pe =
            map.required_map({"pe", "datapaths in each PE; they decide the area, and cap the rates of `modes`"});
        array.pe.int4_fp4_4way = pe.optional_number(
            {"int4_fp4_4way", "4-way inner products of INT4 x INT4 or FP4: 4 MACs a cycle, 0.55 of an FP16 FPU's area",
             "units"},
            0, datapaths);
        array.pe.fp8 = pe.optional_number({"fp8", "FP8 multiply-adds", "units"}, 0, datapaths);
        array.pe.fp16 = pe.optional_number({"fp16", "FP16 FPUs; below 1 where PEs share one", "units"}, 0, datapaths);
        pe.finish();

        YamlMap modes = map.required_map({"modes", "what the array can compute; at least one"});
        bool any_mode = false;
        for (const ArrayMode mode : all_modes) {
            if (const std::optional<YamlNode> node =
                    modes.find({name_of(mode), mode_meaning(mode), "", "not supported"})) {
                any_mode = true;
                array.modes[static_cast<std::size_t>(mode)] = read_mode(*node);
            }
        }
        modes.finish();
        if (modes.present() && !any_mode) {
            map.problem("modes", fmt::format("expected at least one of {}", fmt::join(array_mode_names, ", ")));
        }

        const std::optional<YamlNode> dataflows =
            map.required({"dataflows", "which operand may stay in the PEs; the mapping search chooses for each GEMM"});
        read_dataflows(dataflows);
        array.overlap = map.optional_bool(
            {"overlap", "shadow registers: preload and drain go on behind the stream of a neighbouring fold"},
            array.overlap);
        array.ideal = map.optional_bool({"ideal", "a tile takes as long as its lines"}, array.ideal);
        array.accumulator_bytes = map.required_unsigned(
            {"accumulator_bytes", "SRAM for the 32-bit partial sums of an output tile; at least one fold's", "bytes"},
            {1, most_bytes_on_chip});
        optional_u32(map, {"accumulator_banks", "its banks, interleaved by line", "banks"}, array.accumulator_banks,
                     banks_of_a_memory);
        array.accumulator_line_bytes = static_cast<std::uint32_t>(
            map.optional_unsigned({"accumulator_line_bytes", "width of a bank", "bytes", "partial sums of all columns"},
                                  0, accumulator_line));
        array.accumulator_ports = optional_ports(map, {"accumulator_ports", "accesses that a bank serves in a cycle"},
                                                 array.accumulator_ports);

        YamlMap accumulation =
            map.optional_map({"accumulation", "order and format of sums, for `--values`; no effect on time"});
        optional_u32(accumulation,
                     {"chunk",
                      "products added up before their sum is rounded; where a dataflow splits the reduction it divides "
                      "rows x macs_per_pe",
                      "products"},
                     array.accumulation.chunk, {1, 1U << 20});
        array.accumulation.format =
            accumulation.optional_choice<AccumulatorFormat>({"format", "of sums of chunks"}, array.accumulation.format,
                                                            {{"fp16", AccumulatorFormat::fp16},
                                                             {"dlfloat16", AccumulatorFormat::dlfloat16},
                                                             {"fp32", AccumulatorFormat::fp32}});
        accumulation.finish();
        map.finish();
    }

    ArrayGeometry read_mode(const YamlNode& node) const {
        const MacArrayParameters& array = machine_.mac_array;
        YamlMap map = node.as_map();
        ArrayGeometry geometry{.rows = array.rows, .cols = array.cols};
        constexpr std::string_view only_dedicated = "required if `sharing` is `dedicated`, else not allowed";
        if (array.sharing == ArraySharing::dedicated) {
            geometry.rows = required_u32(map, {"rows", "of this mode's own array", "PEs", only_dedicated}, array_side);
            geometry.cols = required_u32(map, {"cols", "of this mode's own array", "PEs", only_dedicated}, array_side);
        } else {
            for (const std::string_view key : {"rows", "cols"}) {
                if (map.has(key)) {
                    map.problem(key, "all modes of a shared array have the array's own size; remove it");
                }
            }
        }
        geometry.macs_per_pe =
            required_u32(map, {"macs_per_pe", "depth of the inner product of a PE in one step", "MACs"}, {1, 1024});
        optional_u32(map, {"cycles_per_step", "above 1 where a datapath is shared or narrow", "cycles"},
                     geometry.cycles_per_step, {1, 1024});
        map.finish();
        return geometry;
    }

    void read_dataflows(const std::optional<YamlNode>& node) {
        std::vector<Dataflow>& dataflows = machine_.mac_array.dataflows;
        if (!node) {
            return;
        }
        for (const YamlNode& item : node->as_list()) {
            Dataflow dataflow{};
            const bool known = sound([&] {
                dataflow = item.as_choice<Dataflow>({{"output", Dataflow::output_stationary},
                                                     {"weight", Dataflow::weight_stationary},
                                                     {"input", Dataflow::input_stationary}});
            });
            if (known && std::ranges::find(dataflows, dataflow) != dataflows.end()) {
                item.problem("listed twice");
            }
            dataflows.push_back(dataflow);
        }
        if (node->is_list() && dataflows.empty()) {
            node->problem(fmt::format("expected at least one of {}", fmt::join(dataflow_names, ", ")));
        }
    }

    void read_scratchpad() {
        YamlMap map = root_.required_map({"scratchpad", "on-chip SRAM of all units"});
        machine_.scratchpad = nibble::read_scratchpad(map);
    }

    void read_dma() {
        YamlMap map = root_.optional_map({"dma", "one load and one store engine, each with these parameters"});
        optional_u32(map, {"max_request_bytes", "longest contiguous request to memory; a multiple of 64", "bytes"},
                     machine_.dma.max_request_bytes, {64, max_dram_request_bytes});
        // Requests are cut at multiples of their length: a burst that lay across a cut would be moved twice.
        constexpr std::uint32_t longest_burst_bytes = 64;
        if (machine_.dma.max_request_bytes % longest_burst_bytes != 0) {
            map.problem("max_request_bytes", fmt::format("expected a multiple of {}, found {}", longest_burst_bytes,
                                                         machine_.dma.max_request_bytes));
        }
        optional_u32(map, {"max_outstanding", "requests of an engine in flight", "requests"},
                     machine_.dma.max_outstanding, {1, 4096});
        optional_u32(map, {"lines_per_cycle", "scratchpad lines that an engine moves in a cycle", "lines"},
                     machine_.dma.lines_per_cycle, {1, 4096});
        machine_.dma.ideal = map.optional_bool(
            {"ideal", "a transfer takes as long as its lines: neither engine nor memory is waited for"},
            machine_.dma.ideal);
        map.finish();
    }

    void read_log_gradient() {
        YamlMap map =
            root_.optional_map({"log_gradient", "converts 16-bit gradients to both FP4 codes", "", "no such unit"});
        optional_u32(map,
                     {"lanes", "gradients converted in a cycle; at least 1 if the array has mode `int4_fp4`", "lanes"},
                     machine_.log_gradient.lanes, {0, 65536});
        optional_u32(map, {"pipeline_depth", "cycles from a gradient to its codes", "cycles"},
                     machine_.log_gradient.pipeline_depth, pipeline_range);
        machine_.log_gradient.ideal =
            map.optional_bool({"ideal", "a command takes as long as its lines"}, machine_.log_gradient.ideal);
        map.finish();
    }

    void read_vector_unit() {
        YamlMap map = root_.required_map(
            {"vector_unit",
             "element-wise work: normalisation, activation functions, optimiser, depthwise convolutions"});
        machine_.vector_unit.lanes =
            required_u32(map, {"lanes", "one lane-operation each a cycle", "lanes"}, {1, 65536});
        optional_u32(map, {"pipeline_depth", "cycles from the last operand to its result", "cycles"},
                     machine_.vector_unit.pipeline_depth, pipeline_range);
        machine_.vector_unit.ideal =
            map.optional_bool({"ideal", "a command takes as long as its lines"}, machine_.vector_unit.ideal);
        map.finish();
    }

    void read_dram() {
        DramParameters& dram = machine_.dram;
        const YamlKey key("dram", "external memory; defaults are a typical system of the standard", "",
                          "required unless `ideal_memory`");
        YamlMap map = machine_.ideal_memory ? root_.optional_map(key) : root_.required_map(key);
        // What is not given is that of a typical system with such memory.
        dram.standard = map.optional_string({"standard", dram_standards_in_words()}, dram.standard);
        dram = find_dram_standard(dram.standard) != nullptr ? typical_dram(dram.standard) : dram;
        optional_u32(
            map,
            {"channels", "channels, pseudo-channels of HBM; 1 to 1024", "channels", "as is typical of the standard"},
            dram.channels, whole_u32);
        optional_u32(
            map,
            {"ranks", "of a channel: 1, 2 or 4, at most 64 banks in all", "ranks", "as is typical of the standard"},
            dram.ranks, whole_u32);
        dram.capacity_bytes_per_channel =
            map.optional_unsigned({"capacity_bytes_per_channel",
                                   "whole rows of every bank of every rank, up to the largest density; decides tRFC",
                                   "bytes", "as is typical of the standard"},
                                  dram.capacity_bytes_per_channel);
        dram.channel_interleave_bytes = map.optional_unsigned(
            {"channel_interleave_bytes",
             "consecutive bytes on one channel, a power of two of at least 64; of the permuted mapping", "bytes"},
            dram.channel_interleave_bytes);
        dram.address_mapping = map.optional_string(
            {"address_mapping",
             "`permuted`, or the fields ro ch ra ba bg co from the most significant down, such as `ro-ch-ra-ba-bg-co`"},
            dram.address_mapping);
        const std::string page_problem = set_page_policy(
            dram,
            map.optional_string(
                {"page_policy",
                 "when rows are closed that nobody wants: `open`, `closed` or `timeout:N` (cycles of the memory)"},
                page_policy_text(dram)));
        if (!page_problem.empty()) {
            map.problem("page_policy", page_problem);
        }
        dram.refresh = map.optional_choice<RefreshMode>(
            {"refresh", "of all banks of a rank at a time, or in turn, where the standard has it"}, dram.refresh,
            {{"all_bank", RefreshMode::all_bank}, {"per_bank", RefreshMode::per_bank}});
        dram.power_down = map.optional_bool({"power_down", "ranks without work go to power-down"}, dram.power_down);
        optional_u32(
            map,
            {"read_queue_entries",
             "runs of reads that a channel's scheduler holds; a run is the bursts of a request in one row", "runs"},
            dram.read_queue_entries, whole_u32);
        optional_u32(map, {"write_queue_entries", "the same for writes", "runs"}, dram.write_queue_entries, whole_u32);
        optional_u32(map, {"write_high_watermark", "queued writes at which a channel turns to writing", "runs"},
                     dram.write_high_watermark, whole_u32);
        optional_u32(map, {"write_low_watermark", "queued writes at which it turns back if reads wait", "runs"},
                     dram.write_low_watermark, whole_u32);
        optional_u32(map, {"age_cap_bursts", "younger bursts that may overtake a channel's oldest run", "bursts"},
                     dram.age_cap_bursts, whole_u32);
        map.finish();
    }

    /// The DRAM model knows what it can be built from: "key: what is wrong" goes to the place of the key.
    void check_dram() {
        YamlMap map = root_.optional_map("dram");
        for (const std::string& problem : dram_parameter_problems(machine_.dram)) {
            const std::size_t colon = problem.find(": ");
            map.problem(problem.substr(0, colon), problem.substr(colon + 2));
        }
    }

    void check_scratchpad() {
        YamlMap map = root_.required_map("scratchpad");
        nibble::check_scratchpad(map, machine_.scratchpad);
    }

    void check_dma_width() {
        std::uint32_t fewest = machine_.scratchpad.banks;
        for (const ScratchpadPart part : {ScratchpadPart::left, ScratchpadPart::right, ScratchpadPart::output}) {
            fewest = std::min(fewest, memory_of(machine_.scratchpad, part).banks);
        }
        if (machine_.dma.lines_per_cycle > fewest) {
            YamlMap dma = root_.optional_map("dma");
            dma.problem("lines_per_cycle", fmt::format("the scratchpad has only {} banks", fewest));
        }
    }

    void check_accumulators() {
        const MacArrayParameters& array = machine_.mac_array;
        for (const ArrayMode mode : all_modes) {
            const std::optional<ArrayGeometry>& geometry = array.modes[static_cast<std::size_t>(mode)];
            const std::uint64_t fold =
                geometry ? std::uint64_t{geometry->rows} * geometry->cols * partial_sum_bytes : 0;
            if (fold > array.accumulator_bytes) {
                YamlMap map = root_.required_map("mac_array");
                map.problem("accumulator_bytes",
                            fmt::format("{} bytes do not hold the 32-bit partial sums of one {} x {} fold in mode {}: "
                                        "expected at least {}",
                                        array.accumulator_bytes, geometry->rows, geometry->cols, name_of(mode), fold));
                return;
            }
        }
        const SramMacro memory = accumulators_of(array);
        if (const std::uint64_t row = std::uint64_t{memory.banks} * memory.line_bytes;
            memory.capacity_bytes % row != 0) {
            YamlMap map = root_.required_map("mac_array");
            map.problem("accumulator_bytes",
                        fmt::format("expected a multiple of {} (accumulator_banks x accumulator_line_bytes), found {}",
                                    row, memory.capacity_bytes));
        }
        check_accumulator_width();
    }

    void check_accumulator_width() {
        const MacArrayParameters& array = machine_.mac_array;
        for (const ArrayMode mode : all_modes) {
            for (const Dataflow dataflow : array.dataflows) {
                const std::optional<ArrayGeometry>& geometry = array.modes[static_cast<std::size_t>(mode)];
                if (!geometry || accumulators_keep_up(array, *geometry, dataflow)) {
                    continue;
                }
                const SramMacro memory = accumulators_of(array);
                YamlMap map = root_.required_map("mac_array");
                map.problem(
                    map.has("accumulator_line_bytes") ? "accumulator_line_bytes" : "accumulator_ports",
                    fmt::format(
                        "{} banks of {} bytes and ports {} are too narrow: in mode {}, dataflow {}, the array moves {} "
                        "bytes of partial sums {} in {} cycles",
                        memory.banks, memory.line_bytes, bank_ports_names[static_cast<std::size_t>(memory.ports)],
                        name_of(mode), dataflow_names[static_cast<std::size_t>(dataflow)],
                        partial_sum_row_bytes(*geometry),
                        dataflow == Dataflow::output_stationary ? "in or out" : "in and out",
                        dataflow == Dataflow::output_stationary ? 1 : geometry->cycles_per_step));
                return;
            }
        }
    }

    void check_datapaths() {
        constexpr double rounding = 1e-9;  // 0.3333333333 FPUs a PE are a third
        const MacArrayParameters& array = machine_.mac_array;
        for (const ArrayMode mode : all_modes) {
            const std::optional<ArrayGeometry>& geometry = array.modes[static_cast<std::size_t>(mode)];
            if (!geometry) {
                continue;
            }
            const double claimed = static_cast<double>(geometry->macs_per_pe) / geometry->cycles_per_step;
            const double available = pe_rate(mode, array.pe);
            if (claimed > available * (1 + rounding)) {
                mode_problem(mode,
                             fmt::format("claims {:.4g} MACs a cycle and PE, but the datapaths of a PE (mac_array.pe) "
                                         "do {:.4g}",
                                         claimed, available));
            }
        }
    }

    void check_dedicated_areas() {
        const MacArrayParameters& array = machine_.mac_array;
        const double built = relative_area(array);
        for (const ArrayMode mode : all_modes) {
            const std::optional<ArrayGeometry>& geometry = array.modes[static_cast<std::size_t>(mode)];
            if (!geometry) {
                continue;
            }
            const double area = relative_area(mode, *geometry);
            if (std::abs(area - built) > area_tolerance * built) {
                mode_problem(mode,
                             fmt::format("its array takes the area of {:.1f} FP16 FPUs, the array as built {:.1f}: "
                                         "expected at most {:.0f}% difference",
                                         area, built, area_tolerance * 100));
            }
        }
    }

    void check_chunk() {
        const MacArrayParameters& array = machine_.mac_array;
        const bool splits_reduction = std::ranges::any_of(
            array.dataflows, [](Dataflow dataflow) { return dataflow != Dataflow::output_stationary; });
        if (array.sharing == ArraySharing::dedicated || !splits_reduction) {
            return;
        }
        for (const ArrayMode mode : all_modes) {
            const std::optional<ArrayGeometry>& geometry = array.modes[static_cast<std::size_t>(mode)];
            const std::uint64_t reduced = geometry ? std::uint64_t{geometry->rows} * geometry->macs_per_pe : 0;
            if (reduced % array.accumulation.chunk == 0) {
                continue;
            }
            YamlMap map = root_.required_map("mac_array");
            YamlMap accumulation = map.optional_map("accumulation");
            const std::string what = fmt::format(
                "{} does not divide the {} products (rows x macs_per_pe) that a weight- or input-stationary fold "
                "reduces in mode {}",
                array.accumulation.chunk, reduced, name_of(mode));
            if (accumulation.present()) {
                accumulation.problem("chunk", what);
            } else {
                map.problem("accumulation.chunk", what);
            }
            return;
        }
    }

    void mode_problem(ArrayMode mode, const std::string& what) {
        YamlMap modes = root_.required_map("mac_array").required_map("modes");
        modes.problem(name_of(mode), what);
    }

    static constexpr UnsignedRange array_side{1, 4096};
    static constexpr NumberRange datapaths{0, 1024};
    static constexpr UnsignedRange accumulator_line{1, array_side.max* partial_sum_bytes};

    YamlDocument& document_;
    YamlMap root_;
    MachineParameters machine_;
};

}  // namespace

MachineParameters read_machine(YamlDocument& document) {
    return MachineReader(document).read();
}

MachineParameters load_machine(const std::string& name_or_path) {
    YamlDocument document = YamlDocument::from_file(find_data_file(DataKind::preset, name_or_path));
    return read_machine(document);
}

MachineParameters parse_machine(const std::string& text, const std::string& file) {
    YamlDocument document = YamlDocument::from_text(text, file);
    return read_machine(document);
}

}  // namespace nibble
