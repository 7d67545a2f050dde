// SPDX-License-Identifier: MIT
#include "sim/lowering/emitter.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "models/dram/dram_standard.h"
#include "sim/base/units.h"

namespace nibble {

Dependencies later(const Dependencies& a, const Dependencies& b) {
    Dependencies both{};
    for (std::size_t u = 0; u < unit_count; ++u) {
        both[u] = std::max(a[u], b[u]);
    }
    return both;
}

Emitter::Emitter(const MachineParameters& machine)
    : burst_bytes_(find_dram_standard(machine.dram.standard)->burst_bytes()), memory_free_(machine.ideal_memory) {}

void Emitter::begin(OpRecord record) {
    operation_ = record.index;
    statement_ = {};
    items_.emplace_back(OperationBegin{std::move(record)});
}

void Emitter::end(std::uint64_t frees_of_stay_bytes) {
    items_.emplace_back(OperationEnd{statement_, frees_of_stay_bytes});
}

template <class Work>
void Emitter::emit(Unit unit, Work work, const Dependencies& needs, const ScratchpadRoom& room) {
    Command command;
    command.operation = operation_;
    command.unit = unit;
    command.needs = needs;
    command.room = room;
    command.work = std::move(work);
    items_.emplace_back(std::move(command));
    ++issued_[static_cast<std::size_t>(unit)];
}

void Emitter::load(Slice slice, ScratchpadPart part, const Dependencies& needs, const ScratchpadRoom& room) {
    if (!memory_free_ && slice.bytes() > 0) {
        statement_.dram_bytes_read += bus_bytes(slice);
        emit(Unit::load, TransferCommand{slice, part}, needs, room);
    }
}

void Emitter::store(Slice slice, ScratchpadPart part, const Dependencies& needs, const ScratchpadRoom& room) {
    if (!memory_free_ && slice.bytes() > 0) {
        statement_.dram_bytes_written += bus_bytes(slice);
        emit(Unit::store, TransferCommand{slice, part}, needs, room);
    }
}

void Emitter::matmul(MatmulCommand tile, const Dependencies& needs, const ScratchpadRoom& room) {
    for (const MatmulPass& pass : tile.passes) {
        statement_.macs += pass.m * pass.n * pass.k;
    }
    emit(Unit::mac_array, std::move(tile), needs, room);
}

void Emitter::convert(const ConvertCommand& convert, const Dependencies& needs, const ScratchpadRoom& room) {
    emit(Unit::log_gradient, convert, needs, room);
}

void Emitter::vector(const VectorCommand& vector, const Dependencies& needs, const ScratchpadRoom& room) {
    statement_.macs += vector.macs;
    emit(Unit::vector_unit, vector, needs, room);
}

Dependencies Emitter::issued(Unit unit) const {
    Dependencies one{};
    one[static_cast<std::size_t>(unit)] = issued_[static_cast<std::size_t>(unit)];
    return one;
}

ProgramItem Emitter::pop() {
    ProgramItem item = std::move(items_.front());
    items_.pop_front();
    return item;
}

std::uint64_t Emitter::bus_bytes(const Slice& slice) const {
    if (slice.bytes() == 0) {
        return 0;
    }
    const auto bursts = [&](std::uint64_t address) {
        return (address + slice.run_bytes - 1) / burst_bytes_ - address / burst_bytes_ + 1;
    };
    const bool aligned = std::all_of(slice.outer.begin(), slice.outer.end(), [&](const Slice::Dimension& d) {
        return d.count <= 1 || d.stride_bytes % burst_bytes_ == 0;
    });
    if (aligned) {
        return slice.runs() * bursts(slice.address) * burst_bytes_;
    }
    std::uint64_t total = 0;
    for (std::uint64_t a = 0; a < slice.outer[0].count; ++a) {
        for (std::uint64_t b = 0; b < slice.outer[1].count; ++b) {
            for (std::uint64_t c = 0; c < slice.outer[2].count; ++c) {
                total += bursts(slice.address + a * slice.outer[0].stride_bytes + b * slice.outer[1].stride_bytes +
                                c * slice.outer[2].stride_bytes);
            }
        }
    }
    return total * burst_bytes_;
}

}  // namespace nibble
