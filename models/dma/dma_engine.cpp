// SPDX-License-Identifier: MIT
#include "models/dma/dma_engine.h"

#include <variant>

#include <fmt/format.h>

#include "sim/base/units.h"

namespace nibble {

DmaEngine::DmaEngine(const sc_core::sc_module_name& name, Clock& clock, TransferDirection direction,
                     const DmaParameters& params, std::uint32_t line_bytes, std::uint32_t burst_bytes, Ledger& ledger)
    : ClockedModule(name, clock),
      direction_(direction),
      params_(params),
      memory_first_(direction == TransferDirection::load && !params.ideal),
      line_bytes_(line_bytes),
      burst_bytes_(burst_bytes),
      ledger_(ledger),
      slots_(params.max_outstanding) {
    for (std::uint64_t slot = params.max_outstanding; slot-- > 0;) {
        free_slots_.push_back(slot);
    }
}

const DmaEngine::Transfer* DmaEngine::issuing() const {
    return issuing_ < transfers_.size() ? &transfers_[issuing_] : nullptr;
}

// A further command is taken as soon as the present one has issued its last request.
bool DmaEngine::can_take_command() const {
    return issuing() == nullptr && transfers_.size() < params_.max_outstanding && command_in->valid();
}

Activity DmaEngine::tick() {
    bool acted = false;
    if (memory_response_in->valid()) {
        const std::uint64_t slot = memory_response_in->pop().tag;
        memory_first_ ? second_stage_.push_back(slot) : finish_request(slot);
        acted = true;
    }
    if (scratchpad_done_in->valid()) {
        const std::uint64_t slot = scratchpad_done_in->pop().tag;
        memory_first_ || params_.ideal ? finish_request(slot) : second_stage_.push_back(slot);
        acted = true;
    }
    if (!transfers_.empty() && transfers_.front().through() && completion_out->ready()) {
        completion_out->push({transfers_.front().operation});
        if (probe() != nullptr) {
            tell_done(transfers_.front());
        }
        transfers_.pop_front();
        --issuing_;
        progress();
        acted = true;
    }
    if (can_take_command()) {
        const CommandPtr command = command_in->pop();
        const auto& transfer = std::get<TransferCommand>(command->work);
        transfers_.push_back({command->operation, next_sequence_++, now(), transfer.slice.bytes(),
                              SliceWalker(transfer.slice, params_.max_request_bytes), transfer.part, 0, 0});
        while (issuing() != nullptr && issuing()->walker.done()) {
            ++issuing_;  // an empty slice
        }
        acted = true;
    }
    if (memory_first_ ? memory_request_out->ready() && can_start_request()
                      : memory_request_out->ready() && !second_stage_.empty()) {
        std::uint64_t slot = 0;
        if (memory_first_) {
            slot = start_request();
        } else {
            slot = second_stage_.front();
            second_stage_.pop_front();
        }
        push_memory_request(slot);
        acted = true;
    }
    if (memory_first_ ? scratchpad_request_out->ready() && !second_stage_.empty()
                      : scratchpad_request_out->ready() && can_start_request()) {
        std::uint64_t slot = 0;
        if (memory_first_) {
            slot = second_stage_.front();
            second_stage_.pop_front();
        } else {
            slot = start_request();
        }
        push_scratchpad_request(slot);
        acted = true;
    }
    return acted ? Activity::busy : quiet_activity();
}

void DmaEngine::tell_done(const Transfer& transfer) const {
    CommandNote note{.unit = unit(), .operation = transfer.operation, .begin = transfer.begin, .end = now() + 1};
    note.what = scratchpad_part_names[static_cast<std::size_t>(transfer.part)];
    note.amount = transfer.bytes;
    probe()->command_done(note);
}

std::uint64_t DmaEngine::start_request() {
    Transfer& transfer = transfers_[issuing_];
    const std::uint64_t slot = free_slots_.back();
    free_slots_.pop_back();
    Extent extent;
    LineStream lines{.part = transfer.part,
                     .access = direction_ == TransferDirection::load ? LineAccess::write : LineAccess::read,
                     .lines_per_cycle = params_.lines_per_cycle,
                     .first_line = transfer.next_line,
                     .lines = 0};
    do {
        extent = transfer.walker.next();
        lines.lines += ceil_div(extent.bytes, line_bytes_);
        ledger_.add(transfer.operation, Counter::dma_requests, 1);
        if (params_.ideal) {
            count_memory(transfer, extent);
        }
    } while (params_.ideal && !transfer.walker.done());
    if (params_.ideal) {
        lines.lines_per_cycle = pace(lines.lines, 1);
    }
    transfer.next_line += lines.lines;
    slots_[slot] = {transfer.sequence, transfer.operation, extent, lines};
    ++transfer.under_way;
    if (transfer.walker.done()) {
        ++issuing_;
    }
    trace("requests {} lines, the last {} bytes at {:#x}", lines.lines, extent.bytes, extent.address);
    return slot;
}

void DmaEngine::count_memory(const Transfer& transfer, const Extent& extent) {
    const std::uint64_t bytes = bytes_in_bursts(extent.address, extent.bytes, burst_bytes_);
    const Counter counter =
        direction_ == TransferDirection::load ? Counter::dram_bytes_read : Counter::dram_bytes_written;
    ledger_.add(transfer.operation, counter, bytes);
    if (probe() != nullptr) {
        probe()->memory_moved(counter, now(), bytes);
    }
}

void DmaEngine::finish_request(std::uint64_t slot) {
    Transfer& transfer = transfers_[slots_[slot].sequence - transfers_.front().sequence];
    --transfer.under_way;
    free_slots_.push_back(slot);
}

void DmaEngine::push_memory_request(std::uint64_t slot) {
    const Request& request = slots_[slot];
    memory_request_out->push({request.operation, slot, request.extent.address, request.extent.bytes});
}

void DmaEngine::push_scratchpad_request(std::uint64_t slot) {
    const Request& request = slots_[slot];
    ScratchpadRequest lines{.operation = request.operation, .tag = slot};
    lines.add(request.lines);
    scratchpad_request_out->push(lines);
}

std::uint64_t DmaEngine::quiet_until() const {
    const bool first_ready = memory_first_ ? memory_request_out->ready() : scratchpad_request_out->ready();
    const bool second_ready = memory_first_ ? scratchpad_request_out->ready() : memory_request_out->ready();
    const bool acts = memory_response_in->valid() || scratchpad_done_in->valid() ||
                      (!transfers_.empty() && transfers_.front().through() && completion_out->ready()) ||
                      can_take_command() || (first_ready && can_start_request()) ||
                      (second_ready && !second_stage_.empty());
    return acts ? now() + 1 : never;
}

// With requests under way and nothing to pass on, a load waits for memory and a store for memory to take its data.
Activity DmaEngine::quiet_activity() const {
    if (transfers_.empty()) {
        return Activity::idle;
    }
    if (transfers_.front().through()) {
        return Activity::waiting_for_output;
    }
    return direction_ == TransferDirection::load ? Activity::waiting_for_input : Activity::waiting_for_output;
}

std::string DmaEngine::state() const {
    return fmt::format("{} commands, {} requests under way, {} between stages", transfers_.size(),
                       slots_.size() - free_slots_.size(), second_stage_.size());
}

}  // namespace nibble
