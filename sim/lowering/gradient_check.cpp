// SPDX-License-Identifier: MIT
#include "sim/lowering/gradient_check.h"

#include <bit>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "models/numerics/half.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

/// Level nearest to `x`: 4^-3..4^3 times `phase_factor`, or 0. A tie goes up (Fig. 2c of Sun et al. 2020).
double nearest_level(double x, double phase_factor) {
    double level = 0;
    for (double upper = phase_factor / 64; upper <= 64 * phase_factor; upper *= 4) {
        // Below the lowest level the midpoint is that with the level that would come next.
        if (std::abs(x) >= (upper + upper / 4) / 2) {
            level = upper;
        }
    }
    return std::copysign(level, x);
}

void check(const GradientValues& values, const std::string& layer) {
    for (std::size_t i = 0; i < values.pairs.size(); ++i) {
        const double x =
            std::ldexp(static_cast<double>(decode_half(encode_half((*values.gradients)[i]))), values.scale_log2);
        const double even = static_cast<double>(decode_fp4(even_code(values.pairs[i]), Fp4Phase::even));
        const double odd = static_cast<double>(decode_fp4(odd_code(values.pairs[i]), Fp4Phase::odd));
        if (even != nearest_level(x, 1) || odd != nearest_level(x, 0.5)) {
            throw ModelError(fmt::format("{}: gradient {} became {} and {}, not {} and {}", printable(layer), x, even,
                                         odd, nearest_level(x, 1), nearest_level(x, 0.5)));
        }
    }
}

}  // namespace

std::shared_ptr<GradientValues> gradients_to_convert(std::shared_ptr<const std::vector<float>> gradients,
                                                     std::uint64_t k, const std::string& layer,
                                                     std::shared_ptr<std::uint64_t> checked) {
    auto values = std::make_shared<GradientValues>();
    values->scale_log2 = -(3 + static_cast<int>(std::bit_width(k)) / 2);
    values->gradients = std::move(gradients);
    values->finished = [layer, checked = std::move(checked)](const GradientValues& converted) {
        check(converted, layer);
        *checked += converted.pairs.size();
    };
    return values;
}

}  // namespace nibble
