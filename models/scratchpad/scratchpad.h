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

/// All streams of a request have been served.
struct ScratchpadDone {
    std::uint64_t tag = 0;
};

/// The scratchpad as a unit: takes requests from its clients, serves their streams, tells when each request is done.
/// A request that arrives while the client's previous one is being served waits in the channel.
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

    void start(std::size_t client, const ScratchpadRequest& request);
    void finish(std::size_t client);

    /// A client's request that was started last.
    struct Served {
        bool under_way = false;  // its end has not been told
        std::uint64_t operation = 0;
        std::uint64_t tag = 0;
        LineNote lines{};  // where somebody watches
    };

    ScratchpadCore core_;  // without streams in an ideal one
    bool ideal_;
    Ledger& ledger_;
    std::array<Served, scratchpad_client_count> serving_{};
};

}  // namespace nibble
