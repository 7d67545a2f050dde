// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/counters/probe.h"
#include "sim/kernel/channel.h"
#include "sim/wave/vcd_writer.h"

namespace nibble {

/// Which waveform is asked for.
struct WaveRequest {
    std::string path;  ///< file to write
    std::uint64_t from = 0;
    std::uint64_t to = 0;     ///< first cycle that is left out
    std::string units = "*";  ///< shell pattern of MachineUnit names
};

/// A channel, and the units at its ends.
struct WatchedChannel {
    std::string name;
    MachineUnit client = MachineUnit::load;  ///< among whose signals it is shown
    MachineUnit server = MachineUnit::load;
    ChannelState* state = nullptr;
};

/// Writes a window of a run as a value change dump: of each unit what it does, of each channel its handshakes. valid,
/// ready and used are as at the beginning of a cycle; push and pop say that a beat was pushed or popped in it, and id
/// whose beat was pushed last (an operation's number, or a request's tag where it knows no operation). A channel is
/// part of it if the pattern fits one of its ends. The same window makes the same file, however the clock skips.
class WaveRecorder {
public:
    /// Throws InputError if the file cannot be made.
    WaveRecorder(const WaveRequest& request, const std::string& machine, std::uint64_t clock_period_ps,
                 const std::vector<WatchedChannel>& channels);

    /// The cycle of an edge has passed, and channels have settled.
    void edge_passed(std::uint64_t cycle, const UnitActivities& activities, bool streaming);
    void cycles_skipped(std::uint64_t first, std::uint64_t cycles, const UnitActivities& activities, bool streaming);
    /// Completes the file of a run of so many cycles. Throws InputError if it could not be written.
    void finish(std::uint64_t cycles);

private:
    /// Signals of a channel, and what happened in it since the last edge.
    struct Channel final : ChannelTap {
        ChannelState* state = nullptr;
        std::size_t valid = 0, ready = 0, used = 0, push = 0, pop = 0, id = 0;
        bool has_pushed = false, has_popped = false;
        std::uint64_t pushed_id = 0;
        void pushed(std::uint64_t beat) override {
            has_pushed = true;
            pushed_id = beat;
        }
        void popped() override { has_popped = true; }
    };
    struct UnitSignals {
        MachineUnit unit = MachineUnit::load;
        std::size_t busy = 0, activity = 0;
        std::optional<std::size_t> streaming;
    };

    void declare(const WaveRequest& request, const std::vector<WatchedChannel>& channels);
    void start(std::uint64_t cycle);
    void end(std::uint64_t cycle);
    void show_units(const UnitActivities& activities, bool streaming);
    void show_state(const Channel& channel);

    std::string path_;
    std::uint64_t from_;
    std::uint64_t to_;
    std::ofstream out_;
    VcdWriter vcd_;
    std::vector<std::unique_ptr<Channel>> channels_;  // they are tapped, and must not move
    std::vector<UnitSignals> units_;
    bool started_ = false;
    bool ended_ = false;
};

/// Does a shell pattern fit the name of any unit?
[[nodiscard]] bool fits_some_unit(const std::string& pattern);

}  // namespace nibble
