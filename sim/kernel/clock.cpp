// SPDX-License-Identifier: MIT
#include "sim/kernel/clock.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

sc_core::sc_time picoseconds(std::uint64_t count) {
    return sc_core::sc_time::from_value(count);  // the kernel's resolution is 1 ps
}

}  // namespace

Clock::Clock(const sc_core::sc_module_name& name, std::uint64_t period_ps, bool skipping, std::uint64_t patience_edges)
    : sc_module(name), period_ps_(period_ps), skipping_(skipping), patience_(patience_edges) {
    SC_METHOD(make_edge);
}

// Runs one period after an edge, when every channel has settled and every unit can say when it acts next; and, where
// cycles are skipped, once more at the time of the next edge.
void Clock::make_edge() {
    if (failure_) {
        return;
    }
    try {
        if (started_ && !waiting_) {
            if (observer_ != nullptr) {
                observer_->edge_passed();
            }
            if (stopping_) {
                sc_core::sc_stop();
                return;
            }
            const std::uint64_t next = next_edge();
            const std::uint64_t skipped = next - now_ - 1;
            now_ = next;
            if (skipped > 0) {
                for (Clocked* unit : units_) {
                    unit->skip(skipped);
                }
                if (observer_ != nullptr) {
                    observer_->cycles_skipped(skipped);
                }
                waiting_ = true;
                next_trigger(picoseconds(skipped * period_ps_));
                return;
            }
        }
        started_ = true;
        waiting_ = false;
        ++edges_;
        edge_.notify(sc_core::SC_ZERO_TIME);
        next_trigger(picoseconds(period_ps_));
    } catch (...) {
        fail(std::current_exception());
    }
}

std::uint64_t Clock::next_edge() {
    const bool watched = edges_ - progress_edge_ > patience_;
    if (!skipping_ && !watched) {
        return now_ + 1;
    }
    std::uint64_t soonest = never;
    for (const Clocked* unit : units_) {
        soonest = std::min(soonest, unit->quiet_until());
        if (soonest <= now_ + 1) {
            break;
        }
    }
    const bool running_ahead = run_ahead_ != nullptr && run_ahead_->active();
    if (watched) {
        // Long work with a known end makes edges only where every cycle is one; it is no standstill.
        constexpr std::uint64_t most_reprieves = 1000;
        if (skipping_ || soonest <= now_ + 1 || ++reprieves_ > most_reprieves) {
            throw ModelError(dump(fmt::format("no progress for {} edges", patience_)));
        }
        progress_edge_ = edges_;
    }
    if (soonest == never && !running_ahead) {
        throw ModelError(dump("deadlock: no unit will ever act again"));
    }
    if (!skipping_ || soonest <= now_ + 1) {
        return now_ + 1;
    }
    return running_ahead ? run_ahead_->run_ahead(soonest) : soonest;
}

void Clock::fail(std::exception_ptr failure) {
    if (!failure_) {
        failure_ = std::move(failure);
        sc_core::sc_stop();
    }
}

void Clock::run() {
    sc_core::sc_start();
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

std::string Clock::dump(const std::string& reason) const {
    std::string text = fmt::format("cycle {}: {}", now_, reason);
    for (const Clocked* unit : units_) {
        text += fmt::format("\n  {}: {}", unit->unit_name(), unit->state());
    }
    return text;
}

}  // namespace nibble
