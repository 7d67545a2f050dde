// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

/// Writes a value change dump (IEEE Std 1364-2005, clause 18): signals of 1 to 64 bits in modules under one top module.
/// Cycles become picoseconds. A signal that is set to the value that it has makes no change.
class VcdWriter {
public:
    /// `top`, modules and signals: letters, digits and underscores. `comment` is one line.
    VcdWriter(std::ostream& out, std::string top, std::uint64_t clock_period_ps, std::string comment);

    /// Declares a signal and returns its number. Signals of one module are declared one after the other.
    std::size_t add(const std::string& module, const std::string& name, unsigned bits);

    /// Writes the declarations: the dump begins with this cycle, and with the values that signals are set to in it (0
    /// if they are not).
    void begin(std::uint64_t cycle);
    /// Goes to this cycle, not before the present one. What is set from here on is so from its beginning on.
    void go_to(std::uint64_t cycle);
    void set(std::size_t signal, std::uint64_t value);
    /// Ends the dump with this cycle.
    void finish(std::uint64_t cycle);

private:
    struct Signal {
        std::string module;
        std::string name;
        unsigned bits = 1;
        std::string code;           // by which changes refer to it
        std::uint64_t written = 0;  // in the dump
        std::uint64_t value = 0;    // in the present cycle
        bool listed = false;        // among changed_
    };

    void write_time(std::uint64_t cycle);
    void write_changes();
    void write_value(Signal& signal);

    std::ostream& out_;
    std::string top_;
    std::uint64_t period_ps_;
    std::string comment_;
    std::vector<Signal> signals_;
    std::vector<std::size_t> changed_;
    std::uint64_t cycle_ = 0;
    std::optional<std::uint64_t> last_time_;  // in the dump, a cycle
    bool first_ = true;                       // nothing but declarations has been written
};

/// `text` with everything that is neither letter, digit nor underscore replaced by one.
[[nodiscard]] std::string vcd_name(std::string_view text);

}  // namespace nibble
