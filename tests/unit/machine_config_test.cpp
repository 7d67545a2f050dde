// SPDX-License-Identifier: MIT
#include "sim/config/machine_config.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/config/data_directory.h"

namespace nibble {
namespace {

using testing::ElementsAre;

/// A small machine without any default left to the reader, one key a line.
const std::string small_machine = R"(name: small
clock_period_ps: 500
technology: 7nm
mac_array:
  sharing: shared
  rows: 8
  cols: 4
  pe: {int4_fp4_4way: 1, fp16: 0.5}
  modes:
    int4: {macs_per_pe: 4}
    int4_fp4: {macs_per_pe: 4}
    fp16: {macs_per_pe: 1, cycles_per_step: 2}
  dataflows: [output, weight]
  accumulator_bytes: 128
  accumulation: {chunk: 8}
log_gradient: {lanes: 2}
vector_unit: {lanes: 4}
scratchpad:
  capacity_bytes: 4096
  resident_bytes: 1024
  banks: 2
  line_bytes: 16
dma: {lines_per_cycle: 2}
dram: {channels: 1}
)";

/// small_machine with one piece of its text replaced.
std::string with(const std::string& text, const std::string& replacement) {
    std::string machine = small_machine;
    const std::size_t at = machine.find(text);
    EXPECT_NE(at, std::string::npos) << text;
    return machine.replace(at, text.size(), replacement);
}

std::vector<std::string> problems_of(const std::string& text) {
    std::vector<std::string> lines;
    try {
        static_cast<void>(parse_machine(text, "m.yaml"));
    } catch (const InputError& error) {
        for (const Problem& problem : error.problems()) {
            lines.push_back(to_string(problem));
        }
    }
    return lines;
}

const ArrayGeometry& geometry(const MachineParameters& machine, ArrayMode mode) {
    return machine.mac_array.modes[static_cast<std::size_t>(mode)].value();
}

double peak(const MachineParameters& machine, ArrayMode mode) {
    return peak_macs_per_cycle(geometry(machine, mode));
}

TEST(MachineConfigTest, ReadsEveryKeyAndKeepsDefaults) {
    const MachineParameters machine = parse_machine(small_machine, "m.yaml");
    EXPECT_EQ(machine.name, "small");
    EXPECT_EQ(machine.clock_period_ps, 500U);
    EXPECT_EQ(machine.technology, "7nm");
    EXPECT_FALSE(machine.ideal_memory);
    EXPECT_EQ(machine.gradient_storage, GradientStorage::two_codes);
    EXPECT_EQ(machine.mac_array.sharing, ArraySharing::shared);
    EXPECT_EQ(machine.mac_array.rows, 8U);
    EXPECT_EQ(machine.mac_array.cols, 4U);
    EXPECT_EQ(machine.mac_array.pe.int4_fp4_4way, 1.0);
    EXPECT_EQ(machine.mac_array.pe.fp8, 0.0);
    EXPECT_EQ(machine.mac_array.pe.fp16, 0.5);
    EXPECT_FALSE(machine.mac_array.modes[static_cast<std::size_t>(ArrayMode::fp8)].has_value());
    EXPECT_EQ(geometry(machine, ArrayMode::fp16).rows, 8U);
    EXPECT_EQ(geometry(machine, ArrayMode::fp16).cycles_per_step, 2U);
    EXPECT_EQ(peak(machine, ArrayMode::int4), 8 * 4 * 4);
    EXPECT_EQ(peak(machine, ArrayMode::fp16), 8 * 4 / 2);
    EXPECT_THAT(machine.mac_array.dataflows, ElementsAre(Dataflow::output_stationary, Dataflow::weight_stationary));
    EXPECT_TRUE(machine.mac_array.overlap);
    EXPECT_EQ(machine.mac_array.accumulator_bytes, 128U);
    EXPECT_EQ(machine.mac_array.accumulation.chunk, 8U);
    EXPECT_EQ(machine.mac_array.accumulation.format, AccumulatorFormat::fp16);
    EXPECT_EQ(machine.log_gradient.lanes, 2U);
    EXPECT_EQ(machine.log_gradient.pipeline_depth, 4U);
    EXPECT_EQ(machine.vector_unit.lanes, 4U);
    EXPECT_EQ(machine.scratchpad.capacity_bytes, 4096U);
    EXPECT_EQ(machine.scratchpad.resident_bytes, 1024U);
    EXPECT_EQ(machine.dma.lines_per_cycle, 2U);
    EXPECT_EQ(machine.dma.max_outstanding, DmaParameters{}.max_outstanding);
    EXPECT_EQ(machine.dram.channels, 1U);
    EXPECT_EQ(machine.dram.standard, "LPDDR5-6400");
    EXPECT_EQ(machine.sequencer.queue_entries, SequencerParameters{}.queue_entries);
}

TEST(MachineConfigTest, EffectiveYamlReadsBackTheSame) {
    for (const std::string& name : data_names(DataKind::preset)) {
        const MachineParameters machine = load_machine(name);
        const std::string text = effective_yaml(machine);
        EXPECT_EQ(effective_yaml(parse_machine(text, name)), text);
    }
    // Values that differ from every default, and text that needs quoting.
    MachineParameters machine = parse_machine(small_machine, "m.yaml");
    machine.description = "a \"quoted\" \\ name:\n\ttwo lines";
    machine.gradient_storage = GradientStorage::packed_pair;
    machine.sequencer.queue_entries = 3;
    machine.dma = {.max_request_bytes = 512, .max_outstanding = 5, .lines_per_cycle = 1};
    machine.dram.read_queue_entries = 71;
    machine.dram.write_queue_entries = 70;
    machine.dram.write_high_watermark = 60;
    machine.dram.write_low_watermark = 7;
    machine.dram.age_cap_bursts = 99;
    machine.dram.channel_interleave_bytes = 1024;
    machine.dram.capacity_bytes_per_channel = std::uint64_t{1} << 30;
    machine.dram.ranks = 2;
    machine.dram.address_mapping = "ro-ra-bg-ba-ch-co";
    machine.dram.page_policy = PagePolicy::timeout;
    machine.dram.page_timeout_cycles = 250;
    machine.dram.refresh = RefreshMode::per_bank;
    machine.dram.power_down = true;
    machine.mac_array.accumulator_banks = 4;
    machine.mac_array.accumulator_line_bytes = 32;
    machine.mac_array.accumulator_ports = BankPorts::two_read_or_write;
    machine.mac_array.overlap = false;
    machine.mac_array.pe = {.int4_fp4_4way = 1.1, .fp8 = 0.3, .fp16 = 2.0 / 3};
    machine.mac_array.accumulation = {.chunk = 4, .format = AccumulatorFormat::fp32};
    machine.log_gradient.pipeline_depth = 9;
    machine.vector_unit.pipeline_depth = 8;
    for (const GradientStorage storage : {GradientStorage::two_codes, GradientStorage::rerounded}) {
        MachineParameters other = machine;
        other.gradient_storage = storage;
        EXPECT_EQ(parse_machine(effective_yaml(other), "other.yaml").gradient_storage, storage);
    }
    const MachineParameters again = parse_machine(effective_yaml(machine), "again.yaml");
    EXPECT_EQ(effective_yaml(again), effective_yaml(machine));
    EXPECT_EQ(again.description, machine.description);
    EXPECT_EQ(again.gradient_storage, GradientStorage::packed_pair);
    EXPECT_EQ(again.sequencer.queue_entries, 3U);
    EXPECT_EQ(again.dma.max_request_bytes, 512U);
    EXPECT_EQ(again.dma.max_outstanding, 5U);
    EXPECT_EQ(again.dram.read_queue_entries, 71U);
    EXPECT_EQ(again.dram.write_queue_entries, 70U);
    EXPECT_EQ(again.dram.write_high_watermark, 60U);
    EXPECT_EQ(again.dram.write_low_watermark, 7U);
    EXPECT_EQ(again.dram.age_cap_bursts, 99U);
    EXPECT_EQ(again.dram.channel_interleave_bytes, 1024U);
    EXPECT_EQ(again.dram.capacity_bytes_per_channel, std::uint64_t{1} << 30);
    EXPECT_EQ(again.dram.ranks, 2U);
    EXPECT_EQ(again.dram.address_mapping, "ro-ra-bg-ba-ch-co");
    EXPECT_EQ(again.dram.page_policy, PagePolicy::timeout);
    EXPECT_EQ(again.dram.page_timeout_cycles, 250U);
    EXPECT_EQ(again.dram.refresh, RefreshMode::per_bank);
    EXPECT_TRUE(again.dram.power_down);
    EXPECT_EQ(again.mac_array.accumulator_banks, 4U);
    EXPECT_EQ(again.mac_array.accumulator_line_bytes, 32U);
    EXPECT_EQ(again.mac_array.accumulator_ports, BankPorts::two_read_or_write);
    EXPECT_FALSE(again.mac_array.overlap);
    EXPECT_EQ(again.mac_array.pe.fp16, 2.0 / 3);
    EXPECT_EQ(again.mac_array.accumulation.format, AccumulatorFormat::fp32);
    EXPECT_EQ(again.log_gradient.pipeline_depth, 9U);
    EXPECT_EQ(again.vector_unit.pipeline_depth, 8U);
}

TEST(MachineConfigTest, NamesMisspeltMissingDuplicateAndMistypedKeysWithTheirPlaces) {
    std::string text = with("accumulator_bytes: 128", "acumulator_bytes: 128");
    text.replace(text.find("clock_period_ps: 500"), 20, "clock_period_ps: fast");
    text.replace(text.find("  banks: 2\n"), 11, "");
    text += "name: again\n";
    EXPECT_THAT(problems_of(text),
                testing::UnorderedElementsAre(
                    "m.yaml:2:18: clock_period_ps: expected a whole number from 1 to 1000000, found 'fast'",
                    "m.yaml:14:3: mac_array: unknown key 'acumulator_bytes' (did you mean 'accumulator_bytes'?)",
                    "m.yaml:19:3: scratchpad: missing key 'banks'",
                    "m.yaml:24:1: duplicate key 'name', first given on line 1"));
}

TEST(MachineConfigTest, RefusesValuesOutOfRange) {
    EXPECT_THAT(problems_of(with("rows: 8", "rows: 0")),
                ElementsAre("m.yaml:6:9: mac_array.rows: expected a whole number from 1 to 4096, found '0'"));
    EXPECT_THAT(problems_of(with("capacity_bytes: 4096", "capacity_bytes: 99999999999999999999")),
                ElementsAre("m.yaml:19:19: scratchpad.capacity_bytes: expected a whole number from 1 to 4294967296, "
                            "found '99999999999999999999'"));
    EXPECT_THAT(problems_of(with("vector_unit: {lanes: 4}", "vector_unit: {lanes: 0}")),
                ElementsAre("m.yaml:17:22: vector_unit.lanes: expected a whole number from 1 to 65536, found '0'"));
    EXPECT_THAT(problems_of(with("fp16: 0.5}", "fp16: -1}")),
                ElementsAre("m.yaml:8:32: mac_array.pe.fp16: expected a number from 0 to 1024, found '-1'"));
    EXPECT_THAT(problems_of(with("name: small", "name: ''")), ElementsAre("m.yaml:1:7: name: a machine needs a name"));
}

TEST(MachineConfigTest, RefusesAnArrayThatDoesNothing) {
    EXPECT_THAT(problems_of(with("[output, weight]", "[]")),
                ElementsAre("m.yaml:13:14: mac_array.dataflows: expected at least one of output, weight, input"));
    EXPECT_THAT(
        problems_of(with("[output, weight]", "[output, wieght]")),
        ElementsAre("m.yaml:13:23: mac_array.dataflows[1]: expected one of output, weight, input, found 'wieght' "
                    "(did you mean 'weight'?)"));
    EXPECT_THAT(problems_of(with("[output, weight]", "[weight, weight]")),
                ElementsAre("m.yaml:13:23: mac_array.dataflows[1]: listed twice"));
    const std::size_t first = small_machine.find("  modes:");
    std::string text = small_machine;
    text.replace(first, text.find("  dataflows") - first, "  modes: {}\n");
    EXPECT_THAT(problems_of(text),
                ElementsAre("m.yaml:9:10: mac_array.modes: expected at least one of int4, int4_fp4, fp8, fp16"));
}

TEST(MachineConfigTest, RefusesAScratchpadWithoutRoomForTiles) {
    EXPECT_THAT(problems_of(with("resident_bytes: 1024", "resident_bytes: 4096")),
                ElementsAre("m.yaml:20:19: scratchpad.resident_bytes: 4096 bytes of 4096 leave no room for tiles"));
    EXPECT_THAT(problems_of(with("capacity_bytes: 4096", "capacity_bytes: 4100")),
                ElementsAre("m.yaml:19:19: scratchpad.capacity_bytes: expected a multiple of 32 (banks x line_bytes), "
                            "found 4100"));
    EXPECT_THAT(problems_of(with("lines_per_cycle: 2", "lines_per_cycle: 3")),
                ElementsAre("m.yaml:23:24: dma.lines_per_cycle: the scratchpad has only 2 banks"));
}

const std::string buffers = R"(  buffers:
    left: {capacity_bytes: 1024, banks: 4}
    right: {capacity_bytes: 1024}
    output: {capacity_bytes: 512}
    gradient: {capacity_bytes: 512}
)";

TEST(MachineConfigTest, ReadsTheScratchpadsBuffersPortsAndArbitration) {
    const MachineParameters plain = parse_machine(small_machine, "m.yaml");
    EXPECT_EQ(plain.scratchpad.buffering, 2U);
    EXPECT_FALSE(plain.scratchpad.buffers);
    EXPECT_EQ(plain.scratchpad.ports, BankPorts::one_read_or_write);
    EXPECT_EQ(plain.scratchpad.arbitration, Arbitration::fixed_priority);
    EXPECT_EQ(memory_of(plain.scratchpad, ScratchpadPart::output).capacity_bytes, 4096U);

    const MachineParameters machine =
        parse_machine(with("  line_bytes: 16\n",
                           "  line_bytes: 16\n  buffering: 3\n  ports: 1r1w\n  arbitration: round_robin\n" + buffers),
                      "m.yaml");
    EXPECT_EQ(machine.scratchpad.buffering, 3U);
    EXPECT_EQ(machine.scratchpad.ports, BankPorts::one_read_one_write);
    EXPECT_EQ(machine.scratchpad.arbitration, Arbitration::round_robin);
    EXPECT_EQ(*machine.scratchpad.buffers, (TileBytes{1024, 1024, 512, 512}));
    EXPECT_EQ(memory_of(machine.scratchpad, ScratchpadPart::left).banks, 4U);
    EXPECT_EQ(memory_of(machine.scratchpad, ScratchpadPart::right).banks, 2U) << "as many as the scratchpad says";
    EXPECT_EQ(memory_of(machine.scratchpad, ScratchpadPart::resident).capacity_bytes, 1024U);
    const std::string text = effective_yaml(machine);
    EXPECT_THAT(text, testing::HasSubstr("    left: {capacity_bytes: 1024, banks: 4}\n"
                                         "    right: {capacity_bytes: 1024, banks: 2}\n"));
    EXPECT_EQ(effective_yaml(parse_machine(text, "again.yaml")), text);
}

TEST(MachineConfigTest, ReadsWhichUnitsAreIdeal) {
    const MachineParameters plain = parse_machine(small_machine, "m.yaml");
    EXPECT_FALSE(plain.dma.ideal || plain.scratchpad.ideal || plain.mac_array.ideal || plain.log_gradient.ideal ||
                 plain.vector_unit.ideal);
    std::string text = effective_yaml(plain);
    for (std::size_t at = 0; (at = text.find("  ideal: false", at)) != std::string::npos; ++at) {
        text.replace(at, 14, "  ideal: true");
    }
    const MachineParameters machine = parse_machine(text, "m.yaml");
    EXPECT_TRUE(machine.dma.ideal && machine.scratchpad.ideal && machine.mac_array.ideal &&
                machine.log_gradient.ideal && machine.vector_unit.ideal);
    EXPECT_FALSE(machine.ideal_memory);
    EXPECT_EQ(effective_yaml(machine), text);
}

TEST(MachineConfigTest, RefusesBuffersThatDoNotAddUp) {
    const auto with_buffers = [](const std::string& text, const std::string& replacement) {
        std::string changed = buffers;
        changed.replace(changed.find(text), text.size(), replacement);
        return problems_of(with("  line_bytes: 16\n", "  line_bytes: 16\n" + changed));
    };
    EXPECT_THAT(with_buffers("left", "left"), ElementsAre());
    EXPECT_THAT(with_buffers("output: {capacity_bytes: 512}", "output: {capacity_bytes: 256}"),
                ElementsAre("m.yaml:24:5: scratchpad.buffers: 2816 bytes and 1024 resident ones add up to 3840, but "
                            "capacity_bytes is 4096"));
    EXPECT_THAT(with_buffers("gradient: {capacity_bytes: 512}", "gradiant: {capacity_bytes: 512}"),
                ElementsAre("m.yaml:27:5: scratchpad.buffers: unknown key 'gradiant' (did you mean 'gradient'?)"));
    EXPECT_THAT(with_buffers("banks: 4", "banks: 5"),
                ElementsAre("m.yaml:24:28: scratchpad.buffers.left.capacity_bytes: expected a multiple of 80 (banks x "
                            "line_bytes), found 1024"));
    EXPECT_THAT(with_buffers("right: {capacity_bytes: 1024}", "right: {capacity_bytes: 1024, banks: 1}"),
                ElementsAre("m.yaml:28:24: dma.lines_per_cycle: the scratchpad has only 1 banks"));
    EXPECT_THAT(with_buffers("right: {capacity_bytes: 1024}", "right: {capacity_bytes: 0}"),
                ElementsAre(testing::HasSubstr("right.capacity_bytes: expected a whole number from 1")));
}

TEST(MachineConfigTest, RefusesPortsAndArbitersThatDoNotExist) {
    EXPECT_THAT(problems_of(with("  line_bytes: 16\n", "  line_bytes: 16\n  ports: 2r\n")),
                ElementsAre("m.yaml:23:10: scratchpad.ports: expected one of 1rw, 1r1w, 2rw, found '2r' (did you mean "
                            "'2rw'?)"));
    EXPECT_THAT(problems_of(with("  line_bytes: 16\n", "  line_bytes: 16\n  arbitration: random\n")),
                ElementsAre("m.yaml:23:16: scratchpad.arbitration: expected one of fixed_priority, round_robin, found "
                            "'random'"));
    EXPECT_THAT(problems_of(with("  line_bytes: 16\n", "  line_bytes: 16\n  buffering: 5\n")),
                ElementsAre("m.yaml:23:14: scratchpad.buffering: expected a whole number from 1 to 4, found '5'"));
}

// 4 columns make 16 bytes of partial sums in a step. FP16 takes two cycles a step, INT4 one.
TEST(MachineConfigTest, RefusesAccumulatorsThatCannotKeepUp) {
    const auto with_accumulators = [](const std::string& keys) {
        return with("  accumulator_bytes: 128\n", "  accumulator_bytes: 128\n" + keys);
    };
    const SramMacro plain = accumulators_of(parse_machine(small_machine, "m.yaml").mac_array);
    EXPECT_EQ(plain.line_bytes, 16U);
    EXPECT_EQ(plain.banks, 2U);
    EXPECT_EQ(plain.ports, BankPorts::one_read_or_write);
    EXPECT_THAT(problems_of(with_accumulators("  accumulator_line_bytes: 8\n  accumulator_banks: 4\n")), ElementsAre());
    EXPECT_THAT(
        problems_of(with_accumulators("  accumulator_line_bytes: 8\n")),
        ElementsAre("m.yaml:15:27: mac_array.accumulator_line_bytes: 2 banks of 8 bytes and ports 1rw are too "
                    "narrow: in mode int4, dataflow weight, the array moves 16 bytes of partial sums in and out "
                    "in 1 cycles"));
    EXPECT_THAT(problems_of(with_accumulators("  accumulator_line_bytes: 4\n  accumulator_ports: 1r1w\n")),
                ElementsAre("m.yaml:15:27: mac_array.accumulator_line_bytes: 2 banks of 4 bytes and ports 1r1w are too "
                            "narrow: in mode int4, dataflow output, the array moves 16 bytes of partial sums in or out "
                            "in 1 cycles"));
    // One bank with one port is enough for output-stationary folds, which move sums one way at a time, and not for
    // weight-stationary ones; with a port for each way, or two for any, it is.
    const std::string one_bank = "  accumulator_banks: 1\n";
    EXPECT_THAT(
        problems_of(with_accumulators(one_bank)),
        ElementsAre("m.yaml:5:3: mac_array: accumulator_ports: 1 banks of 16 bytes and ports 1rw are too "
                    "narrow: in mode int4, dataflow weight, the array moves 16 bytes of partial sums in and out "
                    "in 1 cycles"));
    EXPECT_THAT(problems_of(with_accumulators(one_bank + "  accumulator_ports: 1r1w\n")), ElementsAre());
    EXPECT_THAT(problems_of(with_accumulators(one_bank + "  accumulator_ports: 2rw\n")), ElementsAre());
    std::string output_only = with_accumulators(one_bank);
    output_only.replace(output_only.find("[output, weight]"), 16, "[output]");
    EXPECT_THAT(problems_of(output_only), ElementsAre());
    EXPECT_THAT(problems_of(with_accumulators("  accumulator_banks: 3\n")),
                ElementsAre("m.yaml:14:22: mac_array.accumulator_bytes: expected a multiple of 48 (accumulator_banks x "
                            "accumulator_line_bytes), found 128"));
}

TEST(MachineConfigTest, RefusesRequestsThatCutBursts) {
    const std::string text = with("lines_per_cycle: 2", "lines_per_cycle: 2, max_request_bytes: 96");
    EXPECT_THAT(problems_of(text),
                ElementsAre(testing::HasSubstr("dma.max_request_bytes: expected a multiple of 64, found 96")));
}

TEST(MachineConfigTest, RefusesAccumulatorsSmallerThanAFold) {
    // 8 x 4 PEs hold 32 partial sums of 4 bytes.
    EXPECT_THAT(
        problems_of(with("accumulator_bytes: 128", "accumulator_bytes: 127")),
        ElementsAre("m.yaml:14:22: mac_array.accumulator_bytes: 127 bytes do not hold the 32-bit partial sums of "
                    "one 8 x 4 fold in mode int4: expected at least 128"));
}

TEST(MachineConfigTest, RefusesRatesThatTheDatapathsDoNotHave) {
    EXPECT_THAT(
        problems_of(with("int4: {macs_per_pe: 4}", "int4: {macs_per_pe: 8}")),
        ElementsAre("m.yaml:10:11: mac_array.modes.int4: claims 8 MACs a cycle and PE, but the datapaths of a PE "
                    "(mac_array.pe) do 4"));
    EXPECT_THAT(
        problems_of(with("cycles_per_step: 2", "cycles_per_step: 1")),
        ElementsAre("m.yaml:12:11: mac_array.modes.fp16: claims 1 MACs a cycle and PE, but the datapaths of a PE "
                    "(mac_array.pe) do 0.5"));
    // Half an FP16 FPU does one FP8 multiply-add a cycle (RaPiD: two in a whole one).
    EXPECT_THAT(problems_of(with("    fp16: {", "    fp8: {macs_per_pe: 1}\n    fp16: {")), ElementsAre());
    EXPECT_THAT(
        problems_of(with("    fp16: {", "    fp8: {macs_per_pe: 2}\n    fp16: {")),
        ElementsAre("m.yaml:12:10: mac_array.modes.fp8: claims 2 MACs a cycle and PE, but the datapaths of a PE "
                    "(mac_array.pe) do 1"));
}

TEST(MachineConfigTest, RefusesAChunkThatAFoldOfTheReductionCuts) {
    // A weight-stationary FP16 fold reduces 8 rows x 1 MAC.
    EXPECT_THAT(problems_of(with("chunk: 8", "chunk: 16")),
                ElementsAre("m.yaml:15:25: mac_array.accumulation.chunk: 16 does not divide the 8 products (rows x "
                            "macs_per_pe) that a weight- or input-stationary fold reduces in mode fp16"));
    EXPECT_THAT(problems_of(with("  accumulation: {chunk: 8}\n", "")),
                ElementsAre("m.yaml:5:3: mac_array: accumulation.chunk: 64 does not divide the 32 products (rows x "
                            "macs_per_pe) that a weight- or input-stationary fold reduces in mode int4"));
    std::string text = with("chunk: 8", "chunk: 16");
    text.replace(text.find("[output, weight]"), 16, "[output]");
    EXPECT_THAT(problems_of(text), ElementsAre());
}

TEST(MachineConfigTest, RefusesFp4ProductsWithoutALogGradientUnit) {
    const std::string what =
        "log_gradient: the array multiplies by FP4 gradients (mode int4_fp4), which takes a log-gradient unit of at "
        "least 1 lane";
    EXPECT_THAT(problems_of(with("log_gradient: {lanes: 2}", "log_gradient: {lanes: 0}")),
                ElementsAre("m.yaml:16:15: " + what));
    EXPECT_THAT(problems_of(with("log_gradient: {lanes: 2}\n", "")), ElementsAre("m.yaml:1:1: " + what));
}

TEST(MachineConfigTest, RefusesUnknownTechnologyAndMemory) {
    EXPECT_THAT(
        problems_of(with("technology: 7nm", "technology: 7mm")),
        ElementsAre("m.yaml:3:13: technology: unknown technology '7mm' (did you mean '7nm'?); technologies are: "
                    "45nm, 7nm; a file's name ends in .yaml"));
    EXPECT_THAT(problems_of(with("dram: {channels: 1}", "dram: {standard: LPDDR5-640}")),
                ElementsAre("m.yaml:24:18: dram.standard: 'LPDDR5-640' is not a known DRAM standard (did you mean "
                            "'LPDDR5-6400'?)"));
    EXPECT_THAT(problems_of(with("dram: {channels: 1}", "dram: {channels: 0}")),
                ElementsAre("m.yaml:24:18: dram.channels: expected 1 to 1024, got 0"));
    EXPECT_THAT(problems_of(with("dram: {channels: 1}", "dram: {address_mapping: ro-ch-ra-ba-bg-cl}")),
                ElementsAre("m.yaml:24:25: dram.address_mapping: expected permuted or each of ro, ch, ra, ba, bg, co "
                            "once, the most significant first, joined by '-', got 'ro-ch-ra-ba-bg-cl' (did you mean "
                            "'ro-ch-ra-ba-bg-co'?)"));
    EXPECT_THAT(problems_of(with("dram: {channels: 1}", "dram: {page_policy: timeout}")),
                ElementsAre("m.yaml:24:21: dram.page_policy: expected open, closed or timeout:N, found 'timeout' (did "
                            "you mean 'timeout:N'?)"));
    EXPECT_THAT(problems_of(with("dram: {channels: 1}", "dram: {standard: DDR5-4800, refresh: per_bank}")),
                ElementsAre("m.yaml:24:38: dram.refresh: DDR5-4800 has no per-bank refresh"));
    EXPECT_THAT(problems_of(with("dram: {channels: 1}", "dram: {refresh: perbank}")),
                ElementsAre("m.yaml:24:17: dram.refresh: expected one of all_bank, per_bank, found 'perbank' (did you "
                            "mean 'per_bank'?)"));
    EXPECT_THAT(problems_of(with("dram: {channels: 1}\n", "")), ElementsAre("m.yaml:1:1: missing key 'dram'"));
    EXPECT_THAT(problems_of(with("dram: {channels: 1}", "ideal_memory: true")), ElementsAre());
}

TEST(MachineConfigTest, NothingIsCheckedInASectionThatIsMissing) {
    EXPECT_THAT(problems_of("name: m\nclock_period_ps: 1000\ntechnology: 45nm\nvector_unit: {lanes: 1}\n"),
                ElementsAre("m.yaml:1:1: missing key 'mac_array'", "m.yaml:1:1: missing key 'scratchpad'",
                            "m.yaml:1:1: missing key 'dram'"));
}

TEST(MachineConfigTest, AMemoryIsATypicalOneOfItsStandard) {
    const MachineParameters machine =
        parse_machine(with("dram: {channels: 1}", "dram: {standard: DDR4-3200}"), "m.yaml");
    EXPECT_EQ(machine.dram.channels, 2U);
    EXPECT_EQ(machine.dram.ranks, 2U);
    EXPECT_EQ(machine.dram.capacity_bytes_per_channel, std::uint64_t{16} << 30);
    const MachineParameters other =
        parse_machine(with("dram: {channels: 1}", "dram: {standard: HBM2-2000, page_policy: closed}"), "m.yaml");
    EXPECT_EQ(other.dram.channels, 16U);
    EXPECT_EQ(other.dram.page_policy, PagePolicy::closed);
}

TEST(MachineConfigTest, ReportsImpossibilitiesOfDifferentSectionsTogether) {
    std::string text = with("resident_bytes: 1024", "resident_bytes: 5000");
    text.replace(text.find("accumulator_bytes: 128"), 22, "accumulator_bytes: 100");
    EXPECT_EQ(problems_of(text).size(), 2U);
}

TEST(MachineConfigTest, DedicatedArraysHaveTheirOwnSizesOnTheSameArea) {
    const std::string dedicated = R"(name: d
clock_period_ps: 1000
technology: 7nm
ideal_memory: true
mac_array:
  sharing: dedicated
  rows: 40
  cols: 40
  pe: {fp16: 1}
  modes:
    int4: {rows: 72, cols: 40, macs_per_pe: 4}
    fp16: {rows: 40, cols: 40, macs_per_pe: 1}
  dataflows: [output]
  accumulator_bytes: 1000000
vector_unit: {lanes: 1}
scratchpad: {capacity_bytes: 1024, banks: 1, line_bytes: 64}
)";
    // 72 x 40 x 4 MACs at 0.55 / 4 FPUs are 1584 FPUs on 1600: 1% less. 70 rows are 1540, 3.75% less.
    EXPECT_THAT(problems_of(dedicated), ElementsAre());
    std::string text = dedicated;
    text.replace(text.find("rows: 72"), 8, "rows: 70");
    EXPECT_THAT(
        problems_of(text),
        ElementsAre("m.yaml:11:11: mac_array.modes.int4: its array takes the area of 1540.0 FP16 FPUs, the array "
                    "as built 1600.0: expected at most 2% difference"));
    text = dedicated;
    text.replace(text.find("{rows: 72, cols: 40, "), 21, "{");
    EXPECT_THAT(problems_of(text), ElementsAre("m.yaml:11:11: mac_array.modes.int4: missing key 'rows'",
                                               "m.yaml:11:11: mac_array.modes.int4: missing key 'cols'"));
    EXPECT_THAT(problems_of(with("fp16: {macs_per_pe: 1", "fp16: {rows: 4, macs_per_pe: 1")),
                ElementsAre("m.yaml:12:18: mac_array.modes.fp16.rows: all modes of a shared array have the array's own "
                            "size; remove it"));
}

TEST(MachineConfigTest, FindsPresetsByName) {
    EXPECT_THAT(data_names(DataKind::preset), testing::IsSupersetOf({"edge-int4", "ideal-memory", "server-int4"}));
    for (const std::string& name : data_names(DataKind::preset)) {
        EXPECT_EQ(load_machine(name).name, name);
    }
    try {
        static_cast<void>(load_machine("edge-int8"));
        FAIL() << "expected an InputError";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), testing::StartsWith("unknown preset 'edge-int8' (did you mean 'edge-int4'?); presets "
                                                      "are: edge-int4, "));
    }
    EXPECT_THROW(static_cast<void>(load_machine("no/such/file.yaml")), InputError);
}

/// Bytes that both operands of an output-stationary fold need in one cycle.
double operand_bytes_per_cycle(const ArrayGeometry& g, double bits) {
    return (g.rows + g.cols) * g.macs_per_pe * bits / 8 / g.cycles_per_step;
}

TEST(MachineConfigTest, PresetsHaveTheRatesTheyStateAndFeedTheirArrays) {
    const MachineParameters edge = load_machine("edge-int4");
    EXPECT_EQ(peak(edge, ArrayMode::int4), 4096);
    EXPECT_EQ(peak(edge, ArrayMode::int4_fp4), 4096);
    EXPECT_EQ(peak(edge, ArrayMode::fp8), 512);
    EXPECT_EQ(peak(edge, ArrayMode::fp16), 256);
    const MachineParameters server = load_machine("server-int4");
    // RaPiD, ISSCC 2021: 102.4 TOPS INT4 and 25.6 TFLOPS HFP8 on 4 cores; 1 MAC = 2 operations.
    const auto tera_ops = [&](ArrayMode mode) {
        return 4 * 2 * peak(server, mode) / static_cast<double>(server.clock_period_ps);
    };
    EXPECT_DOUBLE_EQ(tera_ops(ArrayMode::int4), 102.4);
    EXPECT_DOUBLE_EQ(tera_ops(ArrayMode::fp8), 25.6);
    EXPECT_DOUBLE_EQ(tera_ops(ArrayMode::fp16), 12.8);
    for (const MachineParameters& machine : {edge, server, load_machine("ideal-memory")}) {
        const double bytes_per_cycle = 1.0 * machine.scratchpad.banks * machine.scratchpad.line_bytes;
        EXPECT_LE(operand_bytes_per_cycle(geometry(machine, ArrayMode::int4), 4), bytes_per_cycle / 4) << machine.name;
        EXPECT_LE(operand_bytes_per_cycle(geometry(machine, ArrayMode::fp8), 8), bytes_per_cycle / 4) << machine.name;
        EXPECT_LE(operand_bytes_per_cycle(geometry(machine, ArrayMode::fp16), 16), bytes_per_cycle / 4) << machine.name;
    }
}

TEST(MachineConfigTest, IdealMemoryReproducesThePaperEstimates) {
    // Sun et al. 2020, figure 6c: performance over FP16 = 3 / (sum over the three GEMMs of 1 / speed of the mode). In
    // the rows for 1x1 convolutions, share is the 1x1 part of ResNet-50's MACs, run in FP8 in both backward GEMMs:
    // 0.489 for all of them, and the 0.235 that the printed 5.2 implies for "bottom" ones (facts 1.7).
    const MachineParameters machine = load_machine("ideal-memory");
    const double fp16 = peak(machine, ArrayMode::fp16);
    const double int4 = peak(machine, ArrayMode::int4) / fp16;
    const double fp4 = peak(machine, ArrayMode::int4_fp4) / fp16;
    const double fp8 = peak(machine, ArrayMode::fp8) / fp16;
    const auto performance = [](double forward, double dx, double dw) { return 3 / (1 / forward + 1 / dx + 1 / dw); };
    const auto mixed = [&](double share) { return 1 / (share / fp8 + (1 - share) / fp4); };
    const auto expect_close = [](double estimate, double printed) {
        EXPECT_NEAR(estimate / printed, 1, 0.02) << estimate << " for " << printed;
    };
    expect_close(performance(fp8, fp8, fp8), 2.0);
    expect_close(performance(int4, 1, 1), 1.4);
    expect_close(performance(int4, fp8, fp8), 2.7);
    expect_close(performance(int4, fp4, fp4), 7.3);
    expect_close(performance(int4, fp4, fp8), 3.9);
    expect_close(performance(int4, mixed(0.489), mixed(0.489)), 4.0);
    expect_close(performance(int4, mixed(0.235), mixed(0.235)), 5.2);
}

}  // namespace
}  // namespace nibble
