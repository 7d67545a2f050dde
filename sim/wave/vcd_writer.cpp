// SPDX-License-Identifier: MIT
#include "sim/wave/vcd_writer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace nibble {

namespace {

/// Short codes of printable characters, '!' to '~', as the standard allows.
std::string code_of(std::size_t number) {
    constexpr char first = '!';
    constexpr std::size_t count = '~' - first + 1;
    std::string code;
    do {
        code += static_cast<char>(first + static_cast<char>(number % count));
        number /= count;
    } while (number > 0);
    return code;
}

}  // namespace

std::string vcd_name(std::string_view text) {
    std::string name(text);
    std::ranges::replace_if(
        name, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')); },
        '_');
    return name;
}

VcdWriter::VcdWriter(std::ostream& out, std::string top, std::uint64_t clock_period_ps, std::string comment)
    : out_(out), top_(std::move(top)), period_ps_(clock_period_ps), comment_(std::move(comment)) {}

std::size_t VcdWriter::add(const std::string& module, const std::string& name, unsigned bits) {
    Signal signal;
    signal.module = module;
    signal.name = name;
    signal.bits = bits;
    signal.code = code_of(signals_.size());
    signals_.push_back(std::move(signal));
    return signals_.size() - 1;
}

void VcdWriter::begin(std::uint64_t cycle) {
    cycle_ = cycle;
    out_ << "$comment " << comment_ << " $end\n$timescale 1ps $end\n$scope module " << top_ << " $end\n";
    const std::string* module = nullptr;
    for (const Signal& signal : signals_) {
        if (module == nullptr || *module != signal.module) {
            out_ << (module != nullptr ? "$upscope $end\n" : "") << "$scope module " << signal.module << " $end\n";
            module = &signal.module;
        }
        out_ << fmt::format("$var wire {} {} {}{} $end\n", signal.bits, signal.code, signal.name,
                            signal.bits > 1 ? fmt::format(" [{}:0]", signal.bits - 1) : "");
    }
    out_ << (module != nullptr ? "$upscope $end\n" : "") << "$upscope $end\n$enddefinitions $end\n";
}

void VcdWriter::go_to(std::uint64_t cycle) {
    if (cycle > cycle_) {
        write_changes();
        cycle_ = cycle;
    }
}

void VcdWriter::set(std::size_t signal, std::uint64_t value) {
    Signal& changed = signals_[signal];
    changed.value = value;
    if (!changed.listed) {
        changed.listed = true;
        changed_.push_back(signal);
    }
}

void VcdWriter::finish(std::uint64_t cycle) {
    write_changes();
    write_time(cycle);
}

void VcdWriter::write_time(std::uint64_t cycle) {
    if (last_time_ != cycle) {
        out_ << '#' << cycle * period_ps_ << '\n';
        last_time_ = cycle;
    }
}

void VcdWriter::write_changes() {
    if (first_) {
        write_time(cycle_);
        out_ << "$dumpvars\n";
        for (Signal& signal : signals_) {
            write_value(signal);
            signal.listed = false;
        }
        out_ << "$end\n";
        first_ = false;
        changed_.clear();
        return;
    }
    for (const std::size_t number : changed_) {
        Signal& signal = signals_[number];
        signal.listed = false;
        if (signal.value != signal.written) {
            write_time(cycle_);
            write_value(signal);
        }
    }
    changed_.clear();
}

void VcdWriter::write_value(Signal& signal) {
    signal.written = signal.value;
    if (signal.bits == 1) {
        out_ << (signal.value != 0 ? '1' : '0') << signal.code << '\n';
    } else {
        out_ << fmt::format("b{:b} {}\n", signal.value, signal.code);
    }
}

}  // namespace nibble
