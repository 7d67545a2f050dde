// SPDX-License-Identifier: MIT
#include "sim/lowering/tensor_memory.h"

#include <algorithm>

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

bool is_near(const TensorPlan::NextUse& next) {
    return next.distance > 0 && next.distance <= TensorMemory::window;
}

}  // namespace

DramAllocator::DramAllocator(std::uint64_t capacity_bytes) : capacity_(capacity_bytes), gaps_{{0, capacity_bytes}} {}

std::uint64_t DramAllocator::allocate(std::uint64_t bytes) {
    const std::uint64_t need = block_bytes(bytes);
    for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
        if (gap->second >= need) {
            const std::uint64_t address = gap->first;
            const std::uint64_t left = gap->second - need;
            gaps_.erase(gap);
            if (left > 0) {
                gaps_.emplace(address + need, left);
            }
            return address;
        }
    }
    throw InputError(
        fmt::format("the step does not fit the machine's memory: no {} bytes left of {}", bytes, capacity_));
}

void DramAllocator::free(std::uint64_t address, std::uint64_t bytes) {
    auto gap = gaps_.emplace(address, block_bytes(bytes)).first;
    if (const auto next = std::next(gap); next != gaps_.end() && gap->first + gap->second == next->first) {
        gap->second += next->second;
        gaps_.erase(next);
    }
    if (gap != gaps_.begin()) {
        const auto previous = std::prev(gap);
        if (previous->first + previous->second == gap->first) {
            previous->second += gap->second;
            gaps_.erase(gap);
        }
    }
}

TensorMemory::TensorMemory(const MachineParameters& machine, const TensorPlan& plan)
    : plan_(plan),
      dram_(machine.dram.capacity_bytes_per_channel * machine.dram.channels),
      resident_capacity_(machine.scratchpad.resident_bytes) {}

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

CopyFormats TensorMemory::formats(TensorId id) const {
    const CopyFormats read = plan_.formats(id);
    return read != 0 ? read : bit_of(vector_copy(at(id).tensor.role));
}

TensorMemory::Copy& TensorMemory::copy(TensorId id, CopyFormat format) {
    return at(id).copies[static_cast<std::size_t>(format)];
}

std::uint64_t TensorMemory::address(TensorId id, CopyFormat format) {
    Copy& copy = this->copy(id, format);
    if (!copy.placed) {
        copy.address = dram_.allocate(copy.bytes);
        copy.placed = true;
    }
    return copy.address;
}

bool TensorMemory::keep_input(TensorId id, CopyFormat format, std::uint64_t access) {
    Copy& copy = this->copy(id, format);
    const TensorPlan::NextUse next = plan_.next_use(access);
    if (!is_near(next) || !next.same_copy || !fits(copy.bytes)) {
        return false;
    }
    copy.resident = true;
    resident_used_ += copy.bytes;
    return true;
}

void TensorMemory::place_output(TensorId id, std::uint64_t access) {
    Live& live = at(id);
    live.stored = true;
    std::uint64_t bytes = 0;
    for (std::size_t f = 0; f < copy_format_count; ++f) {
        const bool wanted = (formats(id) & bit_of(static_cast<CopyFormat>(f))) != 0;
        bytes += wanted && !live.copies[f].resident ? live.copies[f].bytes : 0;
    }
    if (!is_near(plan_.next_use(access)) || !fits(bytes)) {
        return;
    }
    for (std::size_t f = 0; f < copy_format_count; ++f) {
        if ((formats(id) & bit_of(static_cast<CopyFormat>(f))) != 0) {
            live.copies[f].resident = true;
        }
    }
    resident_used_ += bytes;
    live.stored = plan_.longest_gap(id) > window;
}

void TensorMemory::accessed(TensorId id, std::uint64_t access, const Dependencies& issued) {
    Live& live = at(id);
    const TensorPlan::NextUse next = plan_.next_use(access);
    if (!is_near(next)) {
        leave_chip(live, issued);
    }
    if (next.distance == 0) {
        for (Copy& copy : live.copies) {
            if (copy.placed) {
                dram_.free(copy.address, copy.bytes);
            }
        }
        live_.erase(id);
    }
}

void TensorMemory::leave_chip(Live& live, const Dependencies& issued) {
    for (Copy& copy : live.copies) {
        if (copy.resident) {
            copy.resident = false;
            resident_used_ -= copy.bytes;
            resident_release_ = issued;
        }
    }
}

}  // namespace nibble
