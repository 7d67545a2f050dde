// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>

namespace nibble {

/// A count of one physical kind. Different kinds never mix; like kinds add and subtract.
template <class Kind, class Rep = std::uint64_t>
class Quantity {
public:
    using rep = Rep;
    constexpr Quantity() = default;
    constexpr explicit Quantity(Rep count) : count_(count) {}
    [[nodiscard]] constexpr Rep count() const { return count_; }

    constexpr Quantity& operator+=(Quantity rhs) {
        count_ += rhs.count_;
        return *this;
    }
    constexpr Quantity& operator-=(Quantity rhs) {
        count_ -= rhs.count_;
        return *this;
    }
    friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
    friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
    friend constexpr Quantity operator*(Quantity a, Rep n) { return Quantity(a.count_ * n); }
    friend constexpr auto operator<=>(Quantity, Quantity) = default;

private:
    Rep count_{};
};

/// Cycles of the core clock unless the name says otherwise.
using Cycles = Quantity<struct CyclesKind>;
using Bytes = Quantity<struct BytesKind>;
using Bits = Quantity<struct BitsKind>;
using Picojoules = Quantity<struct PicojoulesKind, double>;
using SquareMicrometres = Quantity<struct SquareMicrometresKind, double>;

/// Quotient rounded up; `divisor` must not be 0.
[[nodiscard]] constexpr std::uint64_t ceil_div(std::uint64_t dividend, std::uint64_t divisor) {
    return dividend / divisor + (dividend % divisor != 0 ? 1 : 0);
}

/// Smallest multiple of `step` that is not below `value`.
[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
    return ceil_div(value, step) * step;
}

/// value * numerator / denominator, rounded down, without overflow on the way; numerator * denominator must fit 64
/// bits.
[[nodiscard]] constexpr std::uint64_t scaled(std::uint64_t value, std::uint64_t numerator, std::uint64_t denominator) {
    return value / denominator * numerator + value % denominator * numerator / denominator;
}

/// Whole bytes that hold `amount`; rounds up.
[[nodiscard]] constexpr Bytes bytes_for(Bits amount) {
    return Bytes(ceil_div(amount.count(), 8));
}

/// Whole cycles needed to move `amount` at `per_cycle`; rounds up.
[[nodiscard]] constexpr Cycles transfer_cycles(Bytes amount, Bytes per_cycle) {
    return Cycles(ceil_div(amount.count(), per_cycle.count()));
}

}  // namespace nibble
