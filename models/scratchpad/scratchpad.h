// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <memory>

#include <systemc>

#include "models/scratchpad/scratchpad_core.h"
#include "sim/counters/ledger.h"
#include "sim/kernel/channel.h"
#include "sim/kernel/clocked_module.h"

namespace nibble {

/// A stream of line accesses has been served in full.
struct ScratchpadDone {
    std::uint64_t tag = 0;
};

/// The scratchpad as a unit: takes streams from its clients, serves them, tells when each is done.
/// A stream that arrives while the client's previous one is being served waits in the channel.
class Scratchpad final : public ClockedModule {
public:
    template <class T>
    using Port = sc_core::sc_port<T>;
    std::array<std::unique_ptr<Port<PopIf<ScratchpadRequest>>>, scratchpad_client_count> request_in;
    std::array<std::unique_ptr<Port<PushIf<ScratchpadDone>>>, scratchpad_client_count> done_out;

    Scratchpad(const sc_core::sc_module_name& name, Clock& clock, const ScratchpadParameters& params, Ledger& ledger);

    [[nodiscard]] std::uint64_t quiet_until() const override;
    [[nodiscard]] std::string state() const override;

private:
    Activity tick() override;
    [[nodiscard]] Activity quiet_activity() const override;
    void pass(std::uint64_t cycles) override { core_.advance(cycles); }

    ScratchpadCore core_;
    Ledger& ledger_;
    std::array<bool, scratchpad_client_count> serving_{};  // a stream was started and its end not yet told
};

}  // namespace nibble
