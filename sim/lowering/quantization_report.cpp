// SPDX-License-Identifier: MIT
#include "sim/lowering/quantization_report.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "models/log_gradient/gradient_values.h"
#include "models/numerics/operand.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

/// The numbers as they pass through the log-gradient unit, a part at a time.
GradientRecord gradient_record(std::span<const float> values, int scale_log2) {
    constexpr std::size_t part = 65536;
    GradientRecord all;
    for (std::size_t begin = 0; begin < values.size(); begin += part) {
        const std::span<const float> taken = values.subspan(begin, std::min(part, values.size() - begin));
        GradientValues gradients;
        gradients.gradients = std::make_shared<const std::vector<float>>(taken.begin(), taken.end());
        gradients.scale_log2 = scale_log2;
        convert(gradients);
        const GradientStatistics& found = gradients.statistics;
        all.largest_scaled = std::max(all.largest_scaled, found.largest_scaled);
        all.saturated_even += found.saturated_even;
        all.saturated_odd += found.saturated_odd;
        all.underflowed_even += found.underflowed_even;
        all.underflowed_odd += found.underflowed_odd;
    }
    return all;
}

}  // namespace

QuantizationRecord quantization_of(std::span<const float> values, const OperandCodes& quantized) {
    if (values.size() != quantized.codes.size()) {
        throw ModelError("an operand has not as many codes as numbers");
    }
    QuantizationRecord record;
    record.range = quantized.range;
    record.elements = values.size();
    double signal = 0;
    double noise = 0;
    std::uint64_t clipped = 0;
    std::uint64_t underflowed = 0;
    std::uint64_t zero_codes = 0;
    std::uint64_t non_zero = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto x = static_cast<double>(values[i]);
        const auto number = static_cast<double>(decode_operand(quantized.format, quantized.codes[i]));
        const double error = x - number * quantized.range.scale;
        signal += x * x;
        noise += error * error;
        clipped += std::fabs(x) > quantized.range.clip ? 1 : 0;
        underflowed += x != 0 && number == 0 ? 1 : 0;
        zero_codes += number == 0 ? 1 : 0;
        non_zero += x != 0 ? 1 : 0;
    }
    if (signal > 0 && noise > 0) {
        record.sqnr_db = 10 * std::log10(signal / noise);
    }
    if (quantized.format == OperandFormat::fp4_even || quantized.format == OperandFormat::fp4_odd) {
        record.gradient = gradient_record(values, quantized.range.scale_log2.value());
    }
    const auto share = [&](std::uint64_t count) {
        return static_cast<double>(count) / static_cast<double>(std::max<std::size_t>(1, values.size()));
    };
    record.clipped = share(clipped);
    record.underflowed = share(underflowed);
    record.zero_codes = share(zero_codes);
    record.non_zero = share(non_zero);
    return record;
}

void ToggleCounter::add_down(std::span<const std::uint16_t> codes, std::size_t columns, std::size_t step) {
    const std::size_t distance = step * columns;
    if (codes.size() > distance) {
        add(codes.first(codes.size() - distance), codes.subspan(distance));
    }
}

void ToggleCounter::add_along(std::span<const std::uint16_t> codes, std::size_t columns, std::size_t step) {
    if (columns <= step) {
        return;
    }
    for (std::size_t row = 0; row < codes.size(); row += columns) {
        add(codes.subspan(row, columns - step), codes.subspan(row + step, columns - step));
    }
}

void ToggleCounter::add(std::span<const std::uint16_t> before, std::span<const std::uint16_t> after) {
    constexpr std::size_t codes_per_word = sizeof(std::uint64_t) / sizeof(std::uint16_t);
    std::size_t i = 0;
    for (; i + codes_per_word <= after.size(); i += codes_per_word) {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
        std::memcpy(&a, before.data() + i, sizeof a);
        std::memcpy(&b, after.data() + i, sizeof b);
        toggled_ += static_cast<std::uint64_t>(std::popcount(a ^ b));
    }
    for (; i < after.size(); ++i) {
        toggled_ += static_cast<std::uint64_t>(std::popcount(static_cast<std::uint16_t>(before[i] ^ after[i])));
    }
    pairs_ += after.size();
}

std::optional<double> ToggleCounter::rate(int bits) const {
    if (pairs_ == 0) {
        return std::nullopt;
    }
    return static_cast<double>(toggled_) / (static_cast<double>(pairs_) * bits);
}

void OutputComparison::Sums::add(double exact, double made) {
    squares += made * made;
    errors += (made - exact) * (made - exact);
    products += made * exact;
}

std::optional<double> OutputComparison::Sums::relative_error(double exact_squares) const {
    return exact_squares > 0 ? std::optional(std::sqrt(errors / exact_squares)) : std::nullopt;
}

std::optional<double> OutputComparison::Sums::cosine(double exact_squares) const {
    if (exact_squares == 0 || squares == 0) {
        return std::nullopt;
    }
    return std::clamp(products / (std::sqrt(exact_squares) * std::sqrt(squares)), -1.0, 1.0);
}

void OutputComparison::add(double exact, double quantized, double delivered) {
    ++outputs_;
    exact_squares_ += exact * exact;
    quantized_.add(exact, quantized);
    if (std::isfinite(delivered)) {
        delivered_.add(exact, delivered);
    } else {
        ++overflowed_;
    }
}

OutputRecord OutputComparison::record() const {
    OutputRecord record;
    record.relative_error = quantized_.relative_error(exact_squares_);
    record.cosine_similarity = quantized_.cosine(exact_squares_);
    if (overflowed_ == 0) {
        record.array_relative_error = delivered_.relative_error(exact_squares_);
        record.array_cosine_similarity = delivered_.cosine(exact_squares_);
    } else {
        record.overflowed = static_cast<double>(overflowed_) / static_cast<double>(outputs_);
    }
    return record;
}

}  // namespace nibble
