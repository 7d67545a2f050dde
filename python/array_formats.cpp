// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "models/numerics/code_decoder.h"
#include "models/numerics/dlfloat16.h"
#include "models/numerics/fp4.h"
#include "models/numerics/fp8.h"
#include "models/numerics/grad_scale.h"
#include "models/numerics/gradient_conversion.h"
#include "models/numerics/half.h"
#include "models/numerics/int4.h"
#include "models/numerics/operand.h"
#include "models/numerics/pact.h"
#include "models/numerics/power_scale.h"
#include "models/numerics/sawb.h"
#include "python/arguments.h"
#include "python/blocks.h"
#include "python/definitions.h"

namespace nibble::python {

namespace {

using Codes8 = py::array_t<std::uint8_t>;
using Codes16 = py::array_t<std::uint16_t>;

constexpr std::array<std::string_view, 6> sawb_level_names{"plain_2_bit", "plain_3_bit", "plain_4_bit",
                                                           "plain_5_bit", "plain_8_bit", "zero_aligned_4_bit"};
constexpr std::array<std::string_view, 2> phase_names{"even", "odd"};

double finite_number(double value, double lowest, const char* what) {
    if (!std::isfinite(value) || value < lowest) {
        throw py::value_error(std::string(what) + ": expected a finite number from " + std::to_string(lowest) +
                              ", found " + std::to_string(value));
    }
    return value;
}

double positive(double value, const char* what) {
    if (!std::isfinite(value) || !(value > 0.0)) {
        throw py::value_error(std::string(what) + ": expected a positive finite number, found " +
                              std::to_string(value));
    }
    return value;
}

py::tuple sawb(const Floats& x, const std::string& levels) {
    const auto set = static_cast<SawbLevels>(choice(levels, sawb_level_names, "levels"));
    const SawbStatistics statistics = sawb_statistics(span_of(x));
    if (!std::isfinite(statistics.mean_square)) {
        throw py::value_error("x: expected finite numbers, whose moments give the clip");
    }
    const SawbQuantizer quantizer(set, statistics);
    const double scale = quantizer.clip() / quantizer.outermost();
    const auto level = [=](float w) { return quantizer.encode(static_cast<double>(w)); };
    if (set == SawbLevels::zero_aligned_4_bit) {
        return py::make_tuple(mapped<std::uint8_t>(x, [=](float w) { return int4_bits(level(w)); }), scale,
                              quantizer.clip());
    }
    return py::make_tuple(mapped<std::int16_t>(x, [=](float w) { return static_cast<std::int16_t>(level(w)); }), scale,
                          quantizer.clip());
}

py::tuple int4_symmetric(const Floats& x, double clip) {
    const Int4SymmetricMap map(finite_number(clip, 0.0, "clip"));
    return py::make_tuple(
        mapped<std::uint8_t>(x, [=](float value) { return int4_bits(map.encode(static_cast<double>(value))); }),
        clip / int4_max);
}

py::tuple pact(const Floats& x, double alpha) {
    const Int4UnsignedMap map(Pact(positive(alpha, "alpha")).alpha());
    return py::make_tuple(
        mapped<std::uint8_t>(x, [=](float value) { return int4_bits(map.encode(static_cast<double>(value))); }),
        alpha / uint4_max);
}

/// dx = dy where x is within the range.
void pass_gradients(const Pact map, const float* x, const float* dy, float* __restrict dx, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        dx[i] = static_cast<float>(map.gradient(static_cast<double>(x[i]), static_cast<double>(dy[i])).input);
    }
}

/// The sum of dy where x is at the clip or beyond.
double alpha_gradient(const Pact map, const float* x, const float* dy, std::size_t count) {
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        sum += map.gradient(static_cast<double>(x[i]), static_cast<double>(dy[i])).alpha;
    }
    return sum;
}

py::tuple pact_gradient(const Floats& x, const Floats& dy, double alpha) {
    const Pact map(positive(alpha, "alpha"));
    if (sizes_of(x) != sizes_of(dy)) {
        throw py::value_error("dy: expected the shape of x, " + shape_of(x) + ", found " + shape_of(dy));
    }
    py::array_t<float> dx(sizes_of(x));
    const std::span<const float> inputs = span_of(x);
    const std::span<const float> gradients = span_of(dy);
    float* out = dx.mutable_data();
    std::vector<double> parts(block_count(inputs.size()));
    {
        const py::gil_scoped_release release;
        for_each_block(inputs.size(), [&](std::size_t block, std::size_t begin, std::size_t end) {
            const std::size_t count = end - begin;
            pass_gradients(map, inputs.data() + begin, gradients.data() + begin, out + begin, count);
            parts[block] = alpha_gradient(map, inputs.data() + begin, gradients.data() + begin, count);
        });
    }
    return py::make_tuple(dx, std::accumulate(parts.begin(), parts.end(), 0.0));
}

/// Converts gradients block by block; use(begin, pairs) takes each block's codes.
template <class Use>
GradientStatistics convert(std::span<const float> gradients, int scale_log2, Use use) {
    std::vector<GradientStatistics> parts(block_count(gradients.size()));
    for_each_block(gradients.size(), [&](std::size_t block, std::size_t begin, std::size_t end) {
        std::vector<Fp4Pair> pairs(end - begin);
        parts[block] = convert_gradients(gradients.subspan(begin, end - begin), scale_log2, pairs);
        use(begin, pairs);
    });
    GradientStatistics all;
    for (const GradientStatistics& part : parts) {
        all += part;
    }
    return all;
}

/// The codes of one phase of `pairs`.
void split(const std::vector<Fp4Pair>& pairs, Fp4Phase phase, std::uint8_t* __restrict out) {
    if (phase == Fp4Phase::even) {
        std::ranges::transform(pairs, out, [](Fp4Pair pair) { return even_code(pair).bits; });
    } else {
        std::ranges::transform(pairs, out, [](Fp4Pair pair) { return odd_code(pair).bits; });
    }
}

Codes8 fp4(const Floats& x, int scale_log2, const std::string& phase) {
    const auto chosen = static_cast<Fp4Phase>(choice(phase, phase_names, "phase"));
    Codes8 codes(sizes_of(x));
    const std::span<const float> gradients = span_of(x);
    std::uint8_t* out = codes.mutable_data();
    {
        const py::gil_scoped_release release;
        convert(gradients, scale_log2,
                [&](std::size_t begin, const std::vector<Fp4Pair>& pairs) { split(pairs, chosen, out + begin); });
    }
    return codes;
}

py::tuple fp4_pair(const Floats& x, int scale_log2) {
    Codes8 even(sizes_of(x));
    Codes8 odd(sizes_of(x));
    const std::span<const float> gradients = span_of(x);
    std::uint8_t* even_out = even.mutable_data();
    std::uint8_t* odd_out = odd.mutable_data();
    GradientStatistics statistics;
    {
        const py::gil_scoped_release release;
        statistics = convert(gradients, scale_log2, [&](std::size_t begin, const std::vector<Fp4Pair>& pairs) {
            split(pairs, Fp4Phase::even, even_out + begin);
            split(pairs, Fp4Phase::odd, odd_out + begin);
        });
    }
    py::dict facts;
    facts["largest_scaled"] = statistics.largest_scaled;
    facts["saturated_even"] = statistics.saturated_even;
    facts["saturated_odd"] = statistics.saturated_odd;
    facts["underflowed_even"] = statistics.underflowed_even;
    facts["underflowed_odd"] = statistics.underflowed_odd;
    facts["elements"] = gradients.size();
    return py::make_tuple(even, odd, facts);
}

Codes8 fp8(const Floats& x, const std::string& format, int scale_log2) {
    const OperandFormat chosen = operand_format(format, "format");
    if (code_bits(chosen) != 8) {
        throw py::value_error("format: expected 'fp8_143' or 'fp8_152', found '" + format + "'");
    }
    const Fp8Format layout = fp8_layout(chosen);
    // A scale beyond these makes every binary32 number zero or too large; the power itself stays a normal number.
    const auto scale = power_of_two<double>(std::clamp(scale_log2, -512, 512));
    return mapped<std::uint8_t>(x, [=](float value) { return encode_fp8(layout, static_cast<double>(value) * scale); });
}

Codes16 half(const Floats& x) {
    return mapped<std::uint16_t>(x, [](float value) { return encode_half_saturating(value).bits; });
}

py::array_t<float> decode(const py::array& codes, const std::string& format) {
    const OperandFormat chosen = operand_format(format, "format");
    require_codes(codes, chosen, codes.ndim(), "codes");
    const py::array packed = py::array::ensure(codes, py::array::c_style);
    py::array_t<float> out(sizes_of(codes));
    const CodeArray from = code_array(packed, chosen);
    const auto count = static_cast<std::size_t>(codes.size());
    float* to = out.mutable_data();
    const CodeDecoder<float> decoder(chosen, false);
    {
        const py::gil_scoped_release release;
        std::visit(
            [&](const auto* in) {
                for_each_block(count, [&](std::size_t, std::size_t begin, std::size_t end) {
                    decoder.decode(end - begin, in + begin, 1, to + begin, 1);
                });
            },
            from.codes);
    }
    return out;
}

}  // namespace

void define_array_formats(py::module_& module) {
    using namespace pybind11::literals;
    module.def("sawb", &sawb, "x"_a, "levels"_a = "zero_aligned_4_bit",
               "Statistics-aware weight binning: (codes, scale, clip), the clip from the tensor's own moments. Codes "
               "of zero_aligned_4_bit are int4_signed; those of the plain sets, the integers themselves, are int16.");
    module.def("int4_symmetric", &int4_symmetric, "x"_a, "clip"_a,
               "[-clip, clip] to -7..7: (codes int4_signed, scale). NaN takes -7.");
    module.def("pact", &pact, "x"_a, "alpha"_a, "[0, alpha] to 0..15: (codes int4_unsigned, scale). NaN takes 0.");
    module.def("pact_gradient", &pact_gradient, "x"_a, "dy"_a, "alpha"_a,
               "(dx, dalpha): dy where 0 <= x <= alpha, and the sum of dy where x >= alpha.");
    module.def("fp4", &fp4, "x"_a, "scale_log2"_a, "phase"_a = "even",
               "Radix-4 codes of x * 2^scale_log2, rounded to FP16 before it is scaled. Infinity and NaN saturate.");
    module.def("fp4_pair", &fp4_pair, "x"_a, "scale_log2"_a,
               "(even codes, odd codes, statistics) in one pass, as the log-gradient unit makes them.");
    module.def(
        "grad_scale_vote", [](double largest) { return grad_scale_vote(largest); }, "largest_scaled"_a,
        "+1 up to 32, 0 up to 64, -1 above.");
    py::class_<GradScale>(module, "GradScale", "The trainable power-of-two scale of a layer's gradients.")
        .def(py::init<int>(), "initial_log2"_a)
        .def_property_readonly("log2", &GradScale::log2)
        .def("update", &GradScale::update, "votes"_a, "Doubles if the sum of votes is positive, halves if negative.");
    module.def("fp8", &fp8, "x"_a, "format"_a, "scale_log2"_a = 0,
               "Codes of x * 2^scale_log2, to nearest even, saturating; NaN stays NaN.");
    module.def("half", &half, "x"_a, "binary16 codes, to nearest even, saturating; NaN stays NaN.");
    module.def(
        "round_half", [](const Floats& x) { return mapped<float>(x, [](float v) { return round_to_half(v); }); }, "x"_a,
        "Nearest binary16 numbers, ties to even; from 65520 on infinity.");
    module.def(
        "round_dlfloat16",
        [](const Floats& x) { return mapped<float>(x, [](float v) { return round_to_dlfloat16(v); }); }, "x"_a,
        "Nearest DLFloat16 numbers, ties away from zero.");
    module.attr("fp4_largest_log2") = fp4_largest_log2;
    module.attr("fp8_largest_log2") = fp8_largest_log2;
    module.def("scale_log2_into", &scale_log2_into, "largest"_a, "window_log2"_a,
               "The power of two that brings largest into (2^(window_log2 - 1), 2^window_log2].");
    module.def("decode", &decode, "codes"_a, "format"_a, "The numbers of codes, without the tensor's scale.");
}

}  // namespace nibble::python
