// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "models/dma/dma_engine.h"
#include "models/dram/dram.h"
#include "models/log_gradient/log_gradient.h"
#include "models/mac_array/mac_array.h"
#include "models/sequencer/sequencer.h"
#include "models/vector_unit/vector_unit.h"
#include "sim/counters/ledger.h"
#include "sim/kernel/clock.h"

namespace nibble {

/// Gives every cycle its cause (see Cause) and its operation: the oldest one that is not complete.
class CycleAccount final : public CycleObserver {
public:
    CycleAccount(const Sequencer& sequencer, const MacArray& mac_array, const LogGradient& log_gradient,
                 const VectorUnit& vector_unit, const DmaEngine& load, const DmaEngine& store, Ledger& ledger)
        : sequencer_(sequencer),
          mac_array_(mac_array),
          log_gradient_(log_gradient),
          vector_unit_(vector_unit),
          load_(load),
          store_(store),
          ledger_(ledger) {}

    void edge_passed() override {
        cycles_skipped(1);
        if (sequencer_.retiring()) {
            ledger_.retire_oldest();
        }
    }
    void cycles_skipped(std::uint64_t cycles) override { ledger_.pass(cause(), cycles); }

    /// Of the cycles that have passed last.
    [[nodiscard]] Cause cause() const {
        if (mac_array_.activity() == Activity::busy) {
            return mac_array_.streaming() ? Cause::compute : Cause::fill_drain;
        }
        if (log_gradient_.activity() == Activity::busy) {
            return Cause::gradient_conversion;
        }
        if (vector_unit_.activity() == Activity::busy) {
            return Cause::vector;
        }
        const bool moving = load_.activity() != Activity::idle || store_.activity() != Activity::idle;
        return moving ? Cause::memory : Cause::control;
    }

private:
    const Sequencer& sequencer_;
    const MacArray& mac_array_;
    const LogGradient& log_gradient_;
    const VectorUnit& vector_unit_;
    const DmaEngine& load_;
    const DmaEngine& store_;
    Ledger& ledger_;
};

}  // namespace nibble
