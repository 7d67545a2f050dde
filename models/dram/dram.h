// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "models/dma/memory_request.h"
#include "models/dram/dram_core.h"
#include "sim/counters/ledger.h"
#include "sim/kernel/channel.h"
#include "sim/kernel/clocked_module.h"

namespace nibble {

/// DRAM and its controller as a unit of the core clock. The memory has a clock of its own, of any period: in core
/// cycle c it has simulated every memory cycle that ends by the end of c; requests that arrive in c are seen by the
/// memory from then on, and what it completes up to then is told at the end of c.
class Dram final : public ClockedModule, public RunAhead {
public:
    /// Who asks: loads read, stores write.
    enum class Client : std::uint8_t { load, store };
    static constexpr std::size_t client_count = 2;

    std::array<std::unique_ptr<sc_core::sc_port<PopIf<MemoryRequest>>>, client_count> request_in;
    std::array<std::unique_ptr<sc_core::sc_port<PushIf<MemoryResponse>>>, client_count> response_out;

    Dram(const sc_core::sc_module_name& name, Clock& clock, const DramParameters& params, std::uint64_t core_period_ps,
         Ledger& ledger);

    [[nodiscard]] std::uint64_t quiet_until() const override;
    [[nodiscard]] std::string state() const override;
    std::uint64_t run_ahead(std::uint64_t horizon) override;
    [[nodiscard]] bool active() const override { return !core_.idle(); }

    /// Tells the probe, if there is one, what it has not been told of the cycles before `cycle`, the present one.
    void tell_rest(std::uint64_t cycle);

private:
    Activity tick() override;
    [[nodiscard]] Activity quiet_activity() const override;
    /// Memory cycles complete at the end of core cycle `core_cycle`.
    [[nodiscard]] std::uint64_t memory_cycles_by(std::uint64_t core_cycle) const;
    /// First core cycle by whose end `memory_cycles` memory cycles are complete.
    [[nodiscard]] std::uint64_t core_cycle_of(std::uint64_t memory_cycles) const;
    void advance_to(std::uint64_t memory_cycles);
    void collect_completions();
    /// Puts on the books what the memory has counted since the last time. Commands serve many operations and states
    /// pass without any: the oldest operation pays, which is the same one from retirement to retirement.
    void settle();
    [[nodiscard]] bool request_waiting() const;
    /// Memory cycles up to which to simulate at once, at most `memory_cycles`: less if the probe is to be told before.
    [[nodiscard]] std::uint64_t undivided(std::uint64_t memory_cycles) const;
    void tell_probe();
    void tell_up_to(std::uint64_t core_cycle);

    DramCore core_;
    std::uint64_t core_period_ps_;
    std::uint64_t memory_period_ps_;
    std::uint64_t burst_bytes_;
    Ledger& ledger_;
    std::uint64_t in_flight_ = 0;                                    // requests accepted and not yet told
    std::array<std::vector<MemoryRequest>, client_count> requests_;  // in flight, by their tags
    DramCounters settled_;                                           // what is on the books
    DramCounters told_;                                              // what the probe knows
    std::uint64_t told_up_to_ = 0;                                   // core cycle
    std::array<std::deque<MemoryResponse>, client_count> done_;      // complete, not yet told
};

}  // namespace nibble
