// SPDX-License-Identifier: MIT
#include "models/numerics/gemm.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "models/numerics/fp4.h"
#include "models/numerics/gemm_tile.h"
#include "models/numerics/product.h"
#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

void check(std::uint64_t m, std::uint64_t n, std::uint64_t k, const GemmOperand& a, const GemmOperand& b,
           const AccumulationRule& rule, std::span<float> partial) {
    if (a.codes.size() != m * k || b.codes.size() != k * n || partial.size() != m * n) {
        throw ModelError("the operands of a GEMM have not the sizes that m, n and k say");
    }
    if (rule.chunk == 0) {
        throw ModelError("the accumulation chunk of a GEMM must be at least 1");
    }
    if (k >= (std::uint64_t{1} << 28)) {
        throw ModelError("the inner dimension of a GEMM must be below 2^28");
    }
}

bool is_fp4(OperandFormat format) {
    return format == OperandFormat::fp4_even || format == OperandFormat::fp4_odd;
}

/// Exponent of the unit in which a four-bit operand is an integer.
int unit_log2(OperandFormat format) {
    if (!is_fp4(format)) {
        return 0;
    }
    return fp4_unit_log2(format == OperandFormat::fp4_even ? Fp4Phase::even : Fp4Phase::odd);
}

/// Decodes codes to Element: four-bit ones, where `integers`, as multiples of their unit.
template <class Element>
class Decoder {
public:
    Decoder(OperandFormat format, bool integers) : format_(format) {
        const float units = integers ? power_of_two<float>(-unit_log2(format)) : 1.0F;
        const std::size_t codes = code_bits(format) == 16 ? 0 : std::size_t{1} << code_bits(format);
        for (std::size_t code = 0; code < codes; ++code) {
            values_[code] = static_cast<Element>(decode_operand(format, static_cast<std::uint16_t>(code)) * units);
        }
        mask_ = static_cast<std::uint16_t>(codes - 1);
    }

    /// out[i * stride] = the value of codes[i].
    void decode(std::span<const std::uint16_t> codes, Element* out, std::size_t stride) const {
        if (format_ == OperandFormat::fp16) {
            for (std::size_t i = 0; i < codes.size(); ++i) {
                out[i * stride] = static_cast<Element>(decode_half(Half{codes[i]}));
            }
        } else {
            for (std::size_t i = 0; i < codes.size(); ++i) {
                out[i * stride] = values_[codes[i] & mask_];
            }
        }
    }

private:
    OperandFormat format_;
    std::uint16_t mask_ = 0;
    std::array<Element, 256> values_{};
};

/// `piece`: the longest run of terms that Element sums exactly.
template <class Element>
void run(std::size_t m, std::size_t n, std::size_t k, const GemmOperand& a, const GemmOperand& b,
         const AccumulationRule& rule, std::span<float> partial, bool exact, std::size_t piece) {
    constexpr std::size_t width = tile_columns<Element>;
    const Decoder<Element> decode_a(a.format, exact);
    const Decoder<Element> decode_b(b.format, exact);
    const auto chunk = std::min<std::size_t>(rule.chunk, k);
    std::vector<Element> a_strip(chunk * tile_rows);
    std::vector<Element> b_tiles(chunk * round_up(n, width));
    GemmStrip<Element> strip{.chunk = 0,
                             .piece = piece,
                             .a = a_strip.data(),
                             .b = b_tiles.data(),
                             .unit = exact ? power_of_two<double>(unit_log2(a.format) + unit_log2(b.format)) : 1.0,
                             .format = rule.format,
                             .partial = nullptr,
                             .rows = 0,
                             .columns = n};
    const VectorUnit unit = best_vector_unit();
    for (std::size_t start = 0; start < k; start += chunk) {
        strip.chunk = std::min(chunk, k - start);
        for (std::size_t term = 0; term < strip.chunk; ++term) {
            const auto row = b.codes.subspan((start + term) * n, n);
            for (std::size_t column = 0; column < n; column += width) {
                decode_b.decode(row.subspan(column, std::min(width, n - column)),
                                b_tiles.data() + column * strip.chunk + term * width, 1);
            }
        }
        for (std::size_t row = 0; row < m; row += tile_rows) {
            strip.rows = std::min(tile_rows, m - row);
            for (std::size_t lane = 0; lane < strip.rows; ++lane) {
                decode_a.decode(a.codes.subspan((row + lane) * k + start, strip.chunk), a_strip.data() + lane,
                                tile_rows);
            }
            strip.partial = partial.data() + row * n;
            accumulate_strip(unit, strip);
        }
    }
}

}  // namespace

void gemm_accumulate(std::uint64_t m, std::uint64_t n, std::uint64_t k, const GemmOperand& a, const GemmOperand& b,
                     const AccumulationRule& rule, std::span<float> partial) {
    check(m, n, k, a, b, rule, partial);
    const std::size_t chunk = std::min<std::uint64_t>(rule.chunk, k);
    if (m == 0 || n == 0 || k == 0) {
        return;
    }
    if (!exact_in_chunk(a.format, b.format)) {
        run<float>(m, n, k, a, b, rule, partial, false, chunk);
    } else if (is_fp4(a.format) && is_fp4(b.format)) {
        // Products up to 4^12 = 2^24, k < 2^28 of them: below 2^53.
        run<double>(m, n, k, a, b, rule, partial, true, chunk);
    } else if (is_fp4(a.format) || is_fp4(b.format)) {
        // 15 * 4^6 * 256 = 15,728,640 is below 2^24.
        constexpr std::size_t piece = 256;
        run<float>(m, n, k, a, b, rule, partial, true, piece);
    } else {
        // 15 * 15 * 128 = 28,800 is below 2^15.
        constexpr std::size_t piece = 128;
        run<std::int16_t>(m, n, k, a, b, rule, partial, true, piece);
    }
}

void gemm_accumulate_reference(std::uint64_t m, std::uint64_t n, std::uint64_t k, const GemmOperand& a,
                               const GemmOperand& b, const AccumulationRule& rule, std::span<float> partial) {
    check(m, n, k, a, b, rule, partial);
    for (std::uint64_t row = 0; row < m; ++row) {
        for (std::uint64_t column = 0; column < n; ++column) {
            float& output = partial[row * n + column];
            for (std::uint64_t start = 0; start < k; start += rule.chunk) {
                double exact_sum = 0.0;
                float float_sum = 0.0F;
                for (std::uint64_t term = start; term < std::min<std::uint64_t>(start + rule.chunk, k); ++term) {
                    const float product = decode_operand(a.format, a.codes[row * k + term]) *
                                          decode_operand(b.format, b.codes[term * n + column]);
                    exact_sum += static_cast<double>(product);
                    float_sum += product;
                }
                const bool exact = exact_in_chunk(a.format, b.format);
                output = accumulate(rule.format, output, exact ? exact_sum : static_cast<double>(float_sum));
            }
        }
    }
}

}  // namespace nibble
