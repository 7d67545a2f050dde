// SPDX-License-Identifier: MIT
#include "sim/lowering/tensor_memory.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

constexpr std::uint64_t block_alignment_bytes = 4096;

std::uint64_t block_bytes(std::uint64_t bytes) {
    // A row that does not end on a byte is padded to one: leave room for it.
    return round_up(bytes + bytes / 8, block_alignment_bytes);
}

/// Of these completions, those of the units that move data to and from DRAM.
Dependencies transfers_of(const Dependencies& all) {
    Dependencies transfers{};
    for (const Unit unit : {Unit::load, Unit::store}) {
        transfers[static_cast<std::size_t>(unit)] = all[static_cast<std::size_t>(unit)];
    }
    return transfers;
}

}  // namespace

DramAllocator::DramAllocator(std::uint64_t capacity_bytes)
    : capacity_(capacity_bytes), gaps_{{0, Gap{capacity_bytes, {}}}} {}

DramAllocator::Block DramAllocator::allocate(std::uint64_t bytes) {
    const std::uint64_t need = block_bytes(bytes);
    for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
        if (gap->second.bytes >= need) {
            const Block block{gap->first, gap->second.release};
            const Gap left{gap->second.bytes - need, gap->second.release};
            gaps_.erase(gap);
            if (left.bytes > 0) {
                gaps_.emplace(block.address + need, left);
            }
            return block;
        }
    }
    throw InputError(
        fmt::format("the step does not fit the machine's memory: no {} bytes left of {}", bytes, capacity_));
}

void DramAllocator::free(std::uint64_t address, std::uint64_t bytes, const Dependencies& release) {
    const auto join = [&](auto gap, auto next) {
        gap->second.bytes += next->second.bytes;
        gap->second.release = later(gap->second.release, next->second.release);
        gaps_.erase(next);
    };
    const auto gap = gaps_.emplace(address, Gap{block_bytes(bytes), release}).first;
    if (const auto next = std::next(gap); next != gaps_.end() && gap->first + gap->second.bytes == next->first) {
        join(gap, next);
    }
    if (gap != gaps_.begin()) {
        const auto previous = std::prev(gap);
        if (previous->first + previous->second.bytes == gap->first) {
            join(previous, gap);
        }
    }
}

ResidentSpace::ResidentSpace(std::uint64_t capacity_bytes) : free_{{capacity_bytes, {}}} {}

Dependencies ResidentSpace::take(std::uint64_t bytes) {
    Dependencies wait{};
    while (bytes > 0) {
        if (free_.empty()) {
            throw ModelError(fmt::format("{} bytes too many are kept on chip", bytes));
        }
        Piece& oldest = free_.front();
        const std::uint64_t part = std::min(bytes, oldest.bytes);
        wait = part > 0 ? later(wait, oldest.release) : wait;
        oldest.bytes -= part;
        bytes -= part;
        if (oldest.bytes == 0) {
            free_.pop_front();
        }
    }
    return wait;
}

TensorMemory::TensorMemory(const MachineParameters& machine, const TensorPlan& plan)
    : plan_(plan),
      memory_free_(machine.ideal_memory),
      dram_(machine.dram.capacity_bytes_per_channel * machine.dram.channels),
      resident_(machine.scratchpad.resident_bytes) {}

void TensorMemory::declare(const Tensor& tensor) {
    if (!plan_.accessed(tensor.id)) {
        return;  // nobody that is simulated looks at it
    }
    Live live;
    live.tensor = tensor;
    for (std::size_t f = 0; f < copy_format_count; ++f) {
        live.copies[f].bytes = bytes_for(Bits(tensor.elements * bits_of(static_cast<CopyFormat>(f), tensor))).count();
    }
    live_.emplace(tensor.id, std::move(live));
}

TensorMemory::Live& TensorMemory::at(TensorId id) {
    const auto found = live_.find(id);
    if (found == live_.end()) {
        throw ModelError(fmt::format("tensor {} is used after its last use", id));
    }
    return found->second;
}

const TensorMemory::Live& TensorMemory::at(TensorId id) const {
    return const_cast<TensorMemory*>(this)->at(id);
}

const TensorMemory::Copy& TensorMemory::copy(TensorId id, CopyFormat format) const {
    return at(id).copies[static_cast<std::size_t>(format)];
}

std::uint64_t TensorMemory::address(TensorId id, CopyFormat format) {
    Copy& copy = at(id).copies[static_cast<std::size_t>(format)];
    if (!copy.placed) {
        const DramAllocator::Block block = dram_.allocate(copy.bytes);
        copy.address = block.address;
        copy.released = block.release;
        copy.placed = true;
    }
    return copy.address;
}

TensorMemory::Room TensorMemory::keep(Live& live, Copy& copy, std::uint64_t access) {
    kept_tensors_[static_cast<std::size_t>(live.tensor.role)] += live.kept ? 0U : 1U;
    live.kept = true;
    copy.kept_by = access;
    if (copy.resident) {
        return {};
    }
    copy.resident = true;
    return {copy.bytes, resident_.take(copy.bytes)};
}

TensorMemory::Source TensorMemory::begin_read(TensorId id, CopyFormat format, std::uint64_t access) {
    Live& live = at(id);
    Copy& copy = live.copies[static_cast<std::size_t>(format)];
    const Placement& placement = plan_.residency().at(access);
    if (placement.spares(format) && !copy.resident) {
        throw ModelError(fmt::format("a copy of tensor {} is not on chip, where it should be", id));
    }
    Source source;
    source.on_chip = placement.spares(format) || memory_free_;
    source.stays = placement.keeps(format) && !source.on_chip;
    source.ready = source.on_chip ? copy.written : copy.stored;
    if (placement.keeps(format)) {
        const Room room = keep(live, copy, access);
        source.room = room.release;
        if (source.stays) {
            source.room_bytes = room.bytes;
            copy.room += room.bytes;
        }
    }
    return source;
}

void TensorMemory::loaded(TensorId id, CopyFormat format, const Dependencies& written) {
    at(id).copies[static_cast<std::size_t>(format)].written = written;
}

TensorMemory::Target TensorMemory::begin_write(TensorId id, std::uint64_t access) {
    Live& live = at(id);
    const Placement& placement = plan_.residency().at(access);
    Target target;
    for (std::size_t f = 0; f < copy_format_count; ++f) {
        const auto format = static_cast<CopyFormat>(f);
        if ((plan_.formats(id) & bit_of(format)) == 0) {
            continue;
        }
        Copy& copy = live.copies[f];
        if (placement.keeps(format)) {
            // In the place of what it is made from: others may still be reading that.
            target.on_chip = later(target.on_chip, copy.resident ? live.used : Dependencies{});
            const Room room = keep(live, copy, access);
            target.on_chip = later(target.on_chip, room.release);
            target.room_bytes += room.bytes;
            copy.room += room.bytes;
        }
        if (!placement.spares(format) && !memory_free_) {
            static_cast<void>(address(id, format));
            target.in_dram = later(target.in_dram, transfers_of(later(live.used, copy.released)));
        }
    }
    return target;
}

void TensorMemory::written(TensorId id, const Dependencies& on_chip, const Dependencies& in_dram) {
    for (Copy& copy : at(id).copies) {
        copy.written = on_chip;
        copy.stored = in_dram;
    }
}

void TensorMemory::never_written(TensorId id) {
    for (Copy& copy : at(id).copies) {
        copy.room = 0;
    }
}

std::uint64_t TensorMemory::end_read(TensorId id, CopyFormat format, std::uint64_t access, const Dependencies& issued) {
    Live& live = at(id);
    Copy& copy = live.copies[static_cast<std::size_t>(format)];
    std::uint64_t freed = 0;
    // A later access of the same operation may have kept it: another read, or a write in its place.
    if (copy.resident && copy.kept_by < access && !plan_.residency().at(access).keeps(format)) {
        copy.resident = false;
        resident_.free(copy.bytes, issued);
        freed = std::exchange(copy.room, 0);
    }
    end_access(id, live, access, issued);
    return freed;
}

void TensorMemory::end_write(TensorId id, std::uint64_t access, const Dependencies& issued) {
    end_access(id, at(id), access, issued);
}

void TensorMemory::end_access(TensorId id, Live& live, std::uint64_t access, const Dependencies& issued) {
    live.used = issued;
    if (plan_.last_access(id, access)) {
        for (const Copy& copy : live.copies) {
            if (copy.placed) {
                dram_.free(copy.address, copy.bytes, issued);
            }
        }
        live_.erase(id);
    }
}

}  // namespace nibble
