// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <systemc>

#include "sim/counters/counter.h"
#include "sim/counters/probe.h"
#include "sim/kernel/clock.h"

namespace nibble {

/// A hardware unit: one SC_METHOD, run on every edge that the clock makes.
class ClockedModule : public sc_core::sc_module, public Clocked {
public:
    /// What the unit did in the last cycle accounted for.
    [[nodiscard]] Activity activity() const { return activity_; }
    [[nodiscard]] const ActivityCycles& activity_cycles() const { return by_activity_; }

    void skip(std::uint64_t cycles) override {
        activity_ = quiet_activity();
        by_activity_[static_cast<std::size_t>(activity_)] += cycles;
        pass(cycles);
    }
    [[nodiscard]] std::string unit_name() const override { return name(); }

    /// Who is told what the unit does, and as which unit; without it, nobody.
    void set_probe(Probe* probe, MachineUnit unit) {
        probe_ = probe;
        unit_ = unit;
    }

protected:
    SC_HAS_PROCESS(ClockedModule);
    ClockedModule(const sc_core::sc_module_name& name, Clock& clock) : sc_module(name), clock_(clock) {
        SC_METHOD(on_edge);
        sensitive << clock.edge();
        dont_initialize();
        clock.attach(*this);
    }

    [[nodiscard]] std::uint64_t now() const { return clock_.now(); }
    /// Null if nobody watches.
    [[nodiscard]] Probe* probe() const { return probe_; }
    /// Which unit it is to the probe.
    [[nodiscard]] MachineUnit unit() const { return unit_; }
    /// Logs what the unit does, with cycle and unit in front. Compiled into debug builds only.
    template <class... Arguments>
    void trace([[maybe_unused]] fmt::format_string<Arguments...> text,
               [[maybe_unused]] Arguments&&... arguments) const {
#ifndef NDEBUG
        if (spdlog::should_log(spdlog::level::trace)) {
            spdlog::trace("{:>12} {}: {}", now(), name(), fmt::format(text, std::forward<Arguments>(arguments)...));
        }
#endif
    }
    void progress() {
        clock_.progress();
    }
    void stop() {
        clock_.stop();
    }

    /// Reads committed channel state, does one cycle of work, says what kind of cycle it was.
    virtual Activity tick() = 0;
    /// What tick() would return in each of the cycles before quiet_until(). Also asked by skip(), when now() is already
    /// the edge that follows the quiet cycles: it must not depend on now().
    [[nodiscard]] virtual Activity quiet_activity() const = 0;
    /// Moves inner state over `cycles` quiet cycles, for units whose state is not expressed in absolute cycles.
    virtual void pass(std::uint64_t cycles) {
        static_cast<void>(cycles);
    }

private:
    // SystemC turns an exception that leaves a process into an sc_report and loses its type.
    void on_edge() {
        if (clock_.failed()) {
            return;
        }
        try {
            activity_ = tick();
            ++by_activity_[static_cast<std::size_t>(activity_)];
        } catch (...) {
            clock_.fail(std::current_exception());
        }
    }

    Clock& clock_;
    Probe* probe_ = nullptr;
    MachineUnit unit_ = MachineUnit::sequencer;
    Activity activity_ = Activity::idle;
    ActivityCycles by_activity_{};
};

}  // namespace nibble
