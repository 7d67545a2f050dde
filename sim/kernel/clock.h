// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <limits>
#include <string>
#include <vector>

#include <systemc>

#include "sim/counters/counter.h"

namespace nibble {

inline constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

/// What the clock needs to know of a unit.
class Clocked {
public:
    virtual ~Clocked() = default;
    /// First cycle, later than the last edge, at which tick() would do anything other than repeat quiet_activity(),
    /// provided that no channel changes before. Asked after all channels have settled.
    [[nodiscard]] virtual std::uint64_t quiet_until() const = 0;
    /// Account for `cycles` cycles in which no edge was made.
    virtual void skip(std::uint64_t cycles) = 0;
    /// One line for the state dump.
    [[nodiscard]] virtual std::string state() const = 0;
    [[nodiscard]] virtual std::string unit_name() const = 0;
};

/// A unit with so much going on inside that the cycle of its next outward event is only known by simulating up to it.
/// It is asked last, when the cycle of everybody else's next event is known: nothing can reach it before that, so it
/// may run ahead to it safely.
class RunAhead {
public:
    virtual ~RunAhead() = default;
    /// Simulates inside, at most to cycle `horizon`; returns the first cycle, at most `horizon`, at which tick() has
    /// something to tell.
    virtual std::uint64_t run_ahead(std::uint64_t horizon) = 0;
    /// Is there anything going on that will, in time, need an edge?
    [[nodiscard]] virtual bool active() const = 0;
};

/// Is told of every cycle exactly once, after its channels have settled.
class CycleObserver {
public:
    virtual ~CycleObserver() = default;
    /// A cycle with an edge is over.
    virtual void edge_passed() = 0;
    /// `cycles` cycles have passed in which no unit ticked and every unit did what its activity() says.
    virtual void cycles_skipped(std::uint64_t cycles) = 0;
};

/// A clock that makes only the edges at which some unit acts.
///
/// Between two edges nothing changes, so no unit can tell the difference from a free-running clock: all units
/// still tick on the same edges, in the same order of cycles. With skipping off it makes every edge. Kernel time is
/// simulated time in both.
///
/// The watchdog: if no unit reports progress for `patience_edges` edges while some unit keeps acting, or nobody will
/// ever act again before stop() was called, the run fails with every unit's state. Waiting for a cycle that is known,
/// however far away, is no standstill.
class Clock final : public sc_core::sc_module {
public:
    static constexpr std::uint64_t default_patience_edges = 100'000'000;

    Clock(const sc_core::sc_module_name& name, std::uint64_t period_ps, bool skipping,
          std::uint64_t patience_edges = default_patience_edges);

    void attach(Clocked& unit) { units_.push_back(&unit); }
    void set_run_ahead(RunAhead& unit) { run_ahead_ = &unit; }
    void set_observer(CycleObserver& observer) { observer_ = &observer; }

    [[nodiscard]] const sc_core::sc_event& edge() const { return edge_; }
    [[nodiscard]] std::uint64_t now() const { return now_; }      ///< cycle of the last edge, counted from 0
    [[nodiscard]] std::uint64_t edges() const { return edges_; }  ///< edges made; cycles passed are now() + 1

    /// Something got done: the watchdog waits anew.
    void progress() {
        progress_edge_ = edges_;
        reprieves_ = 0;
    }
    /// The machine is done: no edge follows the present one.
    void stop() { stopping_ = true; }
    /// Ends the run; the first failure is kept with its type and rethrown by run().
    void fail(std::exception_ptr failure);
    [[nodiscard]] bool failed() const { return failure_ != nullptr; }

    /// Runs the elaborated model to its end. Throws what a unit threw, or ModelError from the watchdog.
    void run();

private:
    SC_HAS_PROCESS(Clock);
    void make_edge();
    [[nodiscard]] std::uint64_t next_edge();
    [[nodiscard]] std::string dump(const std::string& reason) const;

    std::uint64_t period_ps_;
    bool skipping_;
    std::uint64_t patience_;
    sc_core::sc_event edge_;
    std::vector<Clocked*> units_;
    RunAhead* run_ahead_ = nullptr;
    CycleObserver* observer_ = nullptr;
    std::uint64_t now_ = 0;
    std::uint64_t edges_ = 0;
    std::uint64_t reprieves_ = 0;      // times since then that the watchdog waited for a known end
    std::uint64_t progress_edge_ = 0;  // number of the edge at which something last got done
    bool started_ = false;             // the first edge has been made
    bool waiting_ = false;             // kernel time is moving over skipped cycles; the edge itself comes next
    bool stopping_ = false;
    std::exception_ptr failure_;
};

}  // namespace nibble
