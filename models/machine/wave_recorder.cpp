// SPDX-License-Identifier: MIT
#include "models/machine/wave_recorder.h"

#include <algorithm>
#include <bit>
#include <fnmatch.h>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

bool fits(const std::string& pattern, MachineUnit unit) {
    return fnmatch(pattern.c_str(), std::string(machine_unit_names[index_of(unit)]).c_str(), 0) == 0;
}

std::string comment_of(const WaveRequest& request, std::uint64_t period_ps) {
    return fmt::format("cycles {} to {} of {} ps; activity: 0 busy, 1 waiting for input, 2 waiting for output, 3 idle",
                       request.from, request.to, period_ps);
}

}  // namespace

bool fits_some_unit(const std::string& pattern) {
    for (std::size_t unit = 0; unit < machine_unit_count; ++unit) {
        if (fits(pattern, static_cast<MachineUnit>(unit))) {
            return true;
        }
    }
    return false;
}

WaveRecorder::WaveRecorder(const WaveRequest& request, const std::string& machine, std::uint64_t clock_period_ps,
                           const std::vector<WatchedChannel>& channels)
    : path_(request.path),
      from_(request.from),
      to_(request.to),
      out_(request.path, std::ios::binary),
      vcd_(out_, vcd_name(machine), clock_period_ps, comment_of(request, clock_period_ps)) {
    if (!out_) {
        throw InputError({path_, 0, 0}, "the waveform cannot be written");
    }
    declare(request, channels);
    if (from_ == 0) {
        start(0);
    }
}

void WaveRecorder::declare(const WaveRequest& request, const std::vector<WatchedChannel>& channels) {
    for (std::size_t u = 0; u < machine_unit_count; ++u) {
        const auto unit = static_cast<MachineUnit>(u);
        const std::string module(machine_unit_names[u]);
        if (fits(request.units, unit)) {
            UnitSignals signals{.unit = unit, .busy = vcd_.add(module, "busy", 1), .streaming = {}};
            signals.activity = vcd_.add(module, "activity", 2);
            if (unit == MachineUnit::mac_array) {
                signals.streaming = vcd_.add(module, "streaming", 1);
            }
            units_.push_back(signals);
        }
        for (const WatchedChannel& watched : channels) {
            if (watched.client != unit || !(fits(request.units, unit) || fits(request.units, watched.server))) {
                continue;
            }
            auto channel = std::make_unique<Channel>();
            const auto add = [&](const char* what, unsigned bits) {
                return vcd_.add(module, watched.name + '_' + what, bits);
            };
            channel->state = watched.state;
            channel->valid = add("valid", 1);
            channel->ready = add("ready", 1);
            channel->push = add("push", 1);
            channel->pop = add("pop", 1);
            channel->used = add("used", static_cast<unsigned>(std::bit_width(watched.state->depth())));
            channel->id = add("id", 64);
            channels_.push_back(std::move(channel));
        }
    }
}

void WaveRecorder::start(std::uint64_t cycle) {
    started_ = true;
    vcd_.begin(cycle);
    for (const auto& channel : channels_) {
        channel->state->set_tap(channel.get());
        show_state(*channel);
    }
}

void WaveRecorder::show_state(const Channel& channel) {
    const std::size_t used = channel.state->used();
    vcd_.set(channel.valid, used > 0 ? 1 : 0);
    vcd_.set(channel.ready, used < channel.state->depth() ? 1 : 0);
    vcd_.set(channel.used, used);
}

void WaveRecorder::show_units(const UnitActivities& activities, bool streaming) {
    for (const UnitSignals& signals : units_) {
        const Activity activity = activities[index_of(signals.unit)];
        vcd_.set(signals.busy, activity == Activity::busy ? 1 : 0);
        vcd_.set(signals.activity, static_cast<std::uint64_t>(activity));
        if (signals.streaming) {
            vcd_.set(*signals.streaming, streaming ? 1 : 0);
        }
    }
}

void WaveRecorder::edge_passed(std::uint64_t cycle, const UnitActivities& activities, bool streaming) {
    if (ended_) {
        return;
    }
    if (!started_) {
        if (cycle + 1 >= from_) {
            start(cycle + 1);
        }
        return;
    }
    if (cycle >= to_) {
        end(to_);
        return;
    }
    vcd_.go_to(cycle);
    show_units(activities, streaming);
    for (const auto& channel : channels_) {
        if (channel->has_pushed) {
            vcd_.set(channel->push, 1);
            vcd_.set(channel->id, channel->pushed_id);
        }
        if (channel->has_popped) {
            vcd_.set(channel->pop, 1);
        }
    }
    if (cycle + 1 >= to_) {
        end(to_);
        return;
    }
    vcd_.go_to(cycle + 1);
    for (const auto& channel : channels_) {
        if (channel->has_pushed || channel->has_popped) {
            channel->has_pushed = false;
            channel->has_popped = false;
            vcd_.set(channel->push, 0);
            vcd_.set(channel->pop, 0);
            show_state(*channel);
        }
    }
}

void WaveRecorder::cycles_skipped(std::uint64_t first, std::uint64_t cycles, const UnitActivities& activities,
                                  bool streaming) {
    if (ended_) {
        return;
    }
    if (!started_) {
        if (first + cycles < from_) {
            return;
        }
        start(std::max(first, from_));
    }
    if (first >= to_) {
        end(to_);
        return;
    }
    vcd_.go_to(first);
    show_units(activities, streaming);
}

void WaveRecorder::end(std::uint64_t cycle) {
    ended_ = true;
    for (const auto& channel : channels_) {
        channel->state->set_tap(nullptr);
    }
    vcd_.finish(cycle);
}

void WaveRecorder::finish(std::uint64_t cycles) {
    if (!started_) {
        start(from_);
    }
    if (!ended_) {
        end(std::clamp(cycles, from_, to_));
    }
    if (!out_.flush()) {
        throw InputError({path_, 0, 0}, "the waveform cannot be written");
    }
}

}  // namespace nibble
