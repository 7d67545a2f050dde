// SPDX-License-Identifier: MIT
#include "sim/mapping/command_counters.h"

#include <array>
#include <variant>

#include "models/mac_array/tile_timing.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

constexpr std::array<Counter, array_mode_count> mac_counters{Counter::mac_int4, Counter::mac_int4_fp4, Counter::mac_fp8,
                                                             Counter::mac_fp16};

/// Counts of one command.
class Counting {
public:
    Counting(const Command& command, const MachineParameters& machine, const Emitter& emitter, CounterValues& counters)
        : command_(command), machine_(machine), emitter_(emitter), counters_(counters) {}

    void operator()(const TransferCommand& transfer) {
        const bool write = command_.unit == Unit::store;
        add(write ? Counter::dram_bytes_written : Counter::dram_bytes_read, emitter_.bus_bytes(transfer.slice));
        add(Counter::dma_requests,
            transfer.slice.runs() * ceil_div(transfer.slice.run_bytes, machine_.dma.max_request_bytes));
        add_lines(transfer.part, write ? reads : writes, transfer.slice.bytes());
    }

    void operator()(const MatmulCommand& tile) {
        const auto mode = static_cast<std::size_t>(tile.mode);
        const TileTraffic traffic = tile_traffic(*machine_.mac_array.modes[mode], tile);
        for (const MatmulPass& pass : tile.passes) {
            add(mac_counters[mode], pass.m * pass.n * pass.k);
        }
        add(Counter::accumulator_read_bytes, traffic.accumulator_read_bytes);
        add(Counter::accumulator_write_bytes, traffic.accumulator_write_bytes);
        add(Counter::transposed_bytes, traffic.transposed_bytes);
        add_lines(tile.left_part, reads, traffic.left_bytes);
        add_lines(tile.right_part, reads, traffic.right_bytes);
        add_lines(tile.result_part, writes, traffic.result_bytes);
    }

    void operator()(const ConvertCommand& convert) {
        constexpr std::uint64_t gradient_bytes = 2;
        add(Counter::gradients_converted, convert.elements);
        add_lines(convert.gradient_part, reads, convert.elements * gradient_bytes);
        add_lines(convert.code_part, writes, bytes_for(Bits(convert.elements * convert.code_bits)).count());
    }

    void operator()(const VectorCommand& vector) {
        add(Counter::vector_lane_ops, vector.lane_ops);
        add(Counter::vector_macs, vector.macs);
        for (std::size_t part = 0; part < scratchpad_part_count; ++part) {
            add_lines(static_cast<ScratchpadPart>(part), reads, vector.read_bytes[part]);
            add_lines(static_cast<ScratchpadPart>(part), writes, vector.write_bytes[part]);
        }
    }

    void add(Counter counter, std::uint64_t count) { counters_[index_of(counter)] += count; }

private:
    static constexpr std::size_t reads = 0;  // of a part's two line counters
    static constexpr std::size_t writes = 1;

    void add_lines(ScratchpadPart part, std::size_t access, std::uint64_t bytes) {
        add(line_counters[static_cast<std::size_t>(part)][access], ceil_div(bytes, machine_.scratchpad.line_bytes));
    }

    const Command& command_;
    const MachineParameters& machine_;
    const Emitter& emitter_;
    CounterValues& counters_;
};

}  // namespace

void count_command(const Command& command, const MachineParameters& machine, const Emitter& emitter,
                   CounterValues& counters) {
    Counting counting(command, machine, emitter, counters);
    counting.add(Counter::commands, 1);
    std::visit(counting, command.work);
}

}  // namespace nibble
