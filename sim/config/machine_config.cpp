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

std::uint32_t required_u32(YamlMap& map, std::string_view key, UnsignedRange range) {
    return static_cast<std::uint32_t>(map.required_unsigned(key, range));
}

void optional_u32(YamlMap& map, std::string_view key, std::uint32_t& value, UnsignedRange range) {
    value = static_cast<std::uint32_t>(map.optional_unsigned(key, value, range));
}

std::string_view name_of(ArrayMode mode) {
    return array_mode_names[static_cast<std::size_t>(mode)];
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
        YamlMap sequencer = root_.optional_map("sequencer");
        optional_u32(sequencer, "queue_entries", machine_.sequencer.queue_entries, {1, 4096});
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
        machine_.name = root_.required_string("name");
        if (root_.has("name") && machine_.name.empty()) {
            root_.problem("name", "a machine needs a name");
        }
        machine_.description = root_.optional_string("description", "");
        machine_.clock_period_ps = root_.required_unsigned("clock_period_ps", {1, 1'000'000});
        machine_.technology = root_.required_string("technology");
        if (!machine_.technology.empty()) {
            try {
                static_cast<void>(find_data_file(DataKind::energy, machine_.technology));
            } catch (const InputError& error) {
                root_.problem("technology", error.problems().front().what);
            }
        }
        machine_.ideal_memory = root_.optional_bool("ideal_memory", machine_.ideal_memory);
        machine_.gradient_storage =
            root_.optional_choice<GradientStorage>("gradient_storage", machine_.gradient_storage,
                                                   {{"two_codes", GradientStorage::two_codes},
                                                    {"packed_pair", GradientStorage::packed_pair},
                                                    {"rerounded", GradientStorage::rerounded}});
    }

    void read_mac_array() {
        MacArrayParameters& array = machine_.mac_array;
        YamlMap map = root_.required_map("mac_array");
        array.sharing = map.required_choice<ArraySharing>(
            "sharing", {{"shared", ArraySharing::shared}, {"dedicated", ArraySharing::dedicated}});
        array.rows = required_u32(map, "rows", array_side);
        array.cols = required_u32(map, "cols", array_side);

        YamlMap pe = map.required_map("pe");
        array.pe.int4_fp4_4way = pe.optional_number("int4_fp4_4way", 0, datapaths);
        array.pe.fp8 = pe.optional_number("fp8", 0, datapaths);
        array.pe.fp16 = pe.optional_number("fp16", 0, datapaths);
        pe.finish();

        YamlMap modes = map.required_map("modes");
        bool any_mode = false;
        for (const ArrayMode mode : all_modes) {
            if (const std::optional<YamlNode> node = modes.find(name_of(mode))) {
                any_mode = true;
                array.modes[static_cast<std::size_t>(mode)] = read_mode(*node);
            }
        }
        modes.finish();
        if (modes.present() && !any_mode) {
            map.problem("modes", fmt::format("expected at least one of {}", fmt::join(array_mode_names, ", ")));
        }

        const std::optional<YamlNode> dataflows = map.required("dataflows");
        read_dataflows(dataflows);
        array.overlap = map.optional_bool("overlap", array.overlap);
        array.ideal = map.optional_bool("ideal", array.ideal);
        array.accumulator_bytes = map.required_unsigned("accumulator_bytes", {1, most_bytes_on_chip});
        optional_u32(map, "accumulator_banks", array.accumulator_banks, banks_of_a_memory);
        array.accumulator_line_bytes =
            static_cast<std::uint32_t>(map.optional_unsigned("accumulator_line_bytes", 0, accumulator_line));
        array.accumulator_ports = optional_ports(map, "accumulator_ports", array.accumulator_ports);

        YamlMap accumulation = map.optional_map("accumulation");
        optional_u32(accumulation, "chunk", array.accumulation.chunk, {1, 1U << 20});
        array.accumulation.format =
            accumulation.optional_choice<AccumulatorFormat>("format", array.accumulation.format,
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
        if (array.sharing == ArraySharing::dedicated) {
            geometry.rows = required_u32(map, "rows", array_side);
            geometry.cols = required_u32(map, "cols", array_side);
        } else {
            for (const std::string_view key : {"rows", "cols"}) {
                if (map.has(key)) {
                    map.problem(key, "all modes of a shared array have the array's own size; remove it");
                }
            }
        }
        geometry.macs_per_pe = required_u32(map, "macs_per_pe", {1, 1024});
        optional_u32(map, "cycles_per_step", geometry.cycles_per_step, {1, 1024});
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
        YamlMap map = root_.required_map("scratchpad");
        machine_.scratchpad = nibble::read_scratchpad(map);
    }

    void read_dma() {
        YamlMap map = root_.optional_map("dma");
        optional_u32(map, "max_request_bytes", machine_.dma.max_request_bytes, {64, max_dram_request_bytes});
        // Requests are cut at multiples of their length: a burst that lay across a cut would be moved twice.
        constexpr std::uint32_t longest_burst_bytes = 64;
        if (machine_.dma.max_request_bytes % longest_burst_bytes != 0) {
            map.problem("max_request_bytes", fmt::format("expected a multiple of {}, found {}", longest_burst_bytes,
                                                         machine_.dma.max_request_bytes));
        }
        optional_u32(map, "max_outstanding", machine_.dma.max_outstanding, {1, 4096});
        optional_u32(map, "lines_per_cycle", machine_.dma.lines_per_cycle, {1, 4096});
        machine_.dma.ideal = map.optional_bool("ideal", machine_.dma.ideal);
        map.finish();
    }

    void read_log_gradient() {
        YamlMap map = root_.optional_map("log_gradient");
        optional_u32(map, "lanes", machine_.log_gradient.lanes, {0, 65536});
        optional_u32(map, "pipeline_depth", machine_.log_gradient.pipeline_depth, pipeline_range);
        machine_.log_gradient.ideal = map.optional_bool("ideal", machine_.log_gradient.ideal);
        map.finish();
    }

    void read_vector_unit() {
        YamlMap map = root_.required_map("vector_unit");
        machine_.vector_unit.lanes = required_u32(map, "lanes", {1, 65536});
        optional_u32(map, "pipeline_depth", machine_.vector_unit.pipeline_depth, pipeline_range);
        machine_.vector_unit.ideal = map.optional_bool("ideal", machine_.vector_unit.ideal);
        map.finish();
    }

    void read_dram() {
        DramParameters& dram = machine_.dram;
        YamlMap map = machine_.ideal_memory ? root_.optional_map("dram") : root_.required_map("dram");
        // What is not given is that of a typical system with such memory.
        dram.standard = map.optional_string("standard", dram.standard);
        dram = find_dram_standard(dram.standard) != nullptr ? typical_dram(dram.standard) : dram;
        optional_u32(map, "channels", dram.channels, whole_u32);
        optional_u32(map, "ranks", dram.ranks, whole_u32);
        dram.capacity_bytes_per_channel =
            map.optional_unsigned("capacity_bytes_per_channel", dram.capacity_bytes_per_channel);
        dram.channel_interleave_bytes =
            map.optional_unsigned("channel_interleave_bytes", dram.channel_interleave_bytes);
        dram.address_mapping = map.optional_string("address_mapping", dram.address_mapping);
        const std::string page_problem =
            set_page_policy(dram, map.optional_string("page_policy", page_policy_text(dram)));
        if (!page_problem.empty()) {
            map.problem("page_policy", page_problem);
        }
        dram.refresh = map.optional_choice<RefreshMode>(
            "refresh", dram.refresh, {{"all_bank", RefreshMode::all_bank}, {"per_bank", RefreshMode::per_bank}});
        dram.power_down = map.optional_bool("power_down", dram.power_down);
        optional_u32(map, "read_queue_entries", dram.read_queue_entries, whole_u32);
        optional_u32(map, "write_queue_entries", dram.write_queue_entries, whole_u32);
        optional_u32(map, "write_high_watermark", dram.write_high_watermark, whole_u32);
        optional_u32(map, "write_low_watermark", dram.write_low_watermark, whole_u32);
        optional_u32(map, "age_cap_bursts", dram.age_cap_bursts, whole_u32);
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

std::string mode_yaml(const MacArrayParameters& array, const ArrayGeometry& geometry) {
    const std::string size = array.sharing == ArraySharing::dedicated
                                 ? fmt::format("rows: {}, cols: {}, ", geometry.rows, geometry.cols)
                                 : std::string{};
    return fmt::format("{{{}macs_per_pe: {}, cycles_per_step: {}}}", size, geometry.macs_per_pe,
                       geometry.cycles_per_step);
}

std::string_view name_of(GradientStorage storage) {
    switch (storage) {
        case GradientStorage::two_codes:
            return "two_codes";
        case GradientStorage::packed_pair:
            return "packed_pair";
        case GradientStorage::rerounded:
            break;
    }
    return "rerounded";
}

std::string_view accumulator_name(AccumulatorFormat format) {
    switch (format) {
        case AccumulatorFormat::fp16:
            return "fp16";
        case AccumulatorFormat::dlfloat16:
            return "dlfloat16";
        case AccumulatorFormat::fp32:
            break;
    }
    return "fp32";
}

}  // namespace

MachineParameters load_machine(const std::string& name_or_path) {
    YamlDocument document = YamlDocument::from_file(find_data_file(DataKind::preset, name_or_path));
    return MachineReader(document).read();
}

MachineParameters parse_machine(const std::string& text, const std::string& file) {
    YamlDocument document = YamlDocument::from_text(text, file);
    return MachineReader(document).read();
}

std::string effective_yaml(const MachineParameters& machine) {
    std::string out;
    const auto line = [&out](int depth, std::string_view key, const auto& value) {
        out += fmt::format("{:{}}{}: {}\n", "", 2 * depth, key, value);
    };
    const auto section = [&out](int depth, std::string_view key) {
        out += fmt::format("{:{}}{}:\n", "", 2 * depth, key);
    };

    line(0, "name", yaml_text(machine.name));
    line(0, "description", yaml_text(machine.description));
    line(0, "clock_period_ps", machine.clock_period_ps);
    line(0, "technology", yaml_text(machine.technology));
    line(0, "ideal_memory", machine.ideal_memory);
    line(0, "gradient_storage", name_of(machine.gradient_storage));

    section(0, "sequencer");
    line(1, "queue_entries", machine.sequencer.queue_entries);

    section(0, "dma");
    line(1, "max_request_bytes", machine.dma.max_request_bytes);
    line(1, "max_outstanding", machine.dma.max_outstanding);
    line(1, "lines_per_cycle", machine.dma.lines_per_cycle);
    line(1, "ideal", machine.dma.ideal);

    section(0, "dram");
    line(1, "standard", yaml_text(machine.dram.standard));
    line(1, "channels", machine.dram.channels);
    line(1, "ranks", machine.dram.ranks);
    line(1, "capacity_bytes_per_channel", machine.dram.capacity_bytes_per_channel);
    line(1, "channel_interleave_bytes", machine.dram.channel_interleave_bytes);
    line(1, "address_mapping", yaml_text(machine.dram.address_mapping));
    line(1, "page_policy", yaml_text(page_policy_text(machine.dram)));
    line(1, "refresh", machine.dram.refresh == RefreshMode::all_bank ? "all_bank" : "per_bank");
    line(1, "power_down", machine.dram.power_down);
    line(1, "read_queue_entries", machine.dram.read_queue_entries);
    line(1, "write_queue_entries", machine.dram.write_queue_entries);
    line(1, "write_high_watermark", machine.dram.write_high_watermark);
    line(1, "write_low_watermark", machine.dram.write_low_watermark);
    line(1, "age_cap_bursts", machine.dram.age_cap_bursts);

    out += scratchpad_yaml(machine.scratchpad);

    const MacArrayParameters& array = machine.mac_array;
    section(0, "mac_array");
    line(1, "sharing", array.sharing == ArraySharing::shared ? "shared" : "dedicated");
    line(1, "rows", array.rows);
    line(1, "cols", array.cols);
    section(1, "pe");
    line(2, "int4_fp4_4way", array.pe.int4_fp4_4way);
    line(2, "fp8", array.pe.fp8);
    line(2, "fp16", array.pe.fp16);
    section(1, "modes");
    for (const ArrayMode mode : all_modes) {
        if (const std::optional<ArrayGeometry>& geometry = array.modes[static_cast<std::size_t>(mode)]) {
            line(2, name_of(mode), mode_yaml(array, *geometry));
        }
    }
    std::vector<std::string_view> dataflows;
    for (const Dataflow dataflow : array.dataflows) {
        dataflows.push_back(dataflow_names[static_cast<std::size_t>(dataflow)]);
    }
    line(1, "dataflows", fmt::format("[{}]", fmt::join(dataflows, ", ")));
    line(1, "overlap", array.overlap);
    line(1, "ideal", array.ideal);
    const SramMacro accumulators = accumulators_of(array);
    line(1, "accumulator_bytes", accumulators.capacity_bytes);
    line(1, "accumulator_banks", accumulators.banks);
    line(1, "accumulator_line_bytes", accumulators.line_bytes);
    line(1, "accumulator_ports", bank_ports_names[static_cast<std::size_t>(accumulators.ports)]);
    section(1, "accumulation");
    line(2, "chunk", array.accumulation.chunk);
    line(2, "format", accumulator_name(array.accumulation.format));

    section(0, "log_gradient");
    line(1, "lanes", machine.log_gradient.lanes);
    line(1, "pipeline_depth", machine.log_gradient.pipeline_depth);
    line(1, "ideal", machine.log_gradient.ideal);

    section(0, "vector_unit");
    line(1, "lanes", machine.vector_unit.lanes);
    line(1, "pipeline_depth", machine.vector_unit.pipeline_depth);
    line(1, "ideal", machine.vector_unit.ideal);
    return out;
}

}  // namespace nibble
