// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "models/machine/cycle_account.h"
#include "models/machine/wave_recorder.h"
#include "sim/counters/probe.h"
#include "sim/kernel/clock.h"
#include "sim/kernel/clocked_module.h"

namespace nibble {

/// Stands between the clock and the account of cycles in a machine that is watched, and tells the probe and the
/// waveform, if there are any, of the cycles that pass.
class MachineWatch final : public CycleObserver {
public:
    using Units = std::array<const ClockedModule*, machine_unit_count>;  ///< in the order of MachineUnit

    MachineWatch(const Clock& clock, const Units& units, Sequencer& sequencer, const MacArray& mac_array,
                 CycleAccount& account, Probe* probe, std::unique_ptr<WaveRecorder> wave)
        : clock_(clock),
          units_(units),
          sequencer_(sequencer),
          mac_array_(mac_array),
          account_(account),
          probe_(probe),
          wave_(std::move(wave)) {}

    void edge_passed() override {
        const UnitActivities activities = present();
        if (probe_ != nullptr) {
            sequencer_.note_waits();
            probe_->cycles_passed(clock_.now(), 1, activities, account_.cause());
        }
        if (wave_ != nullptr) {
            wave_->edge_passed(clock_.now(), activities, mac_array_.streaming());
        }
        account_.edge_passed();
    }

    void cycles_skipped(std::uint64_t cycles) override {
        const UnitActivities activities = present();
        const std::uint64_t first = clock_.now() - cycles;
        if (probe_ != nullptr) {
            probe_->cycles_passed(first, cycles, activities, account_.cause());
        }
        if (wave_ != nullptr) {
            wave_->cycles_skipped(first, cycles, activities, mac_array_.streaming());
        }
        account_.cycles_skipped(cycles);
    }

    /// The run has ended after so many cycles.
    void finish(std::uint64_t cycles) {
        if (wave_ != nullptr) {
            wave_->finish(cycles);
        }
    }

private:
    [[nodiscard]] UnitActivities present() const {
        UnitActivities activities{};
        for (std::size_t unit = 0; unit < machine_unit_count; ++unit) {
            activities[unit] = units_[unit]->activity();
        }
        return activities;
    }

    const Clock& clock_;
    Units units_;
    Sequencer& sequencer_;
    const MacArray& mac_array_;
    CycleAccount& account_;
    Probe* probe_;
    std::unique_ptr<WaveRecorder> wave_;
};

}  // namespace nibble
