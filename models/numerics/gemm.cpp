// SPDX-License-Identifier: MIT
#include "models/numerics/gemm.h"

#include <algorithm>
#include <cstddef>

#include "models/numerics/code_decoder.h"
#include "models/numerics/packed_product.h"
#include "models/numerics/strided_lanes.h"
#include "sim/base/error.h"

namespace nibble {

namespace {

void check(std::uint64_t m, std::uint64_t n, std::uint64_t k, const GemmOperand& a, const GemmOperand& b,
           const AccumulationRule& rule, std::span<float> partial) {
    if (a.codes.size() != m * k || b.codes.size() != k * n || partial.size() != m * n) {
        throw ModelError("the operands of a GEMM have not the sizes that m, n and k say");
    }
    require_sums(k, rule);
}

}  // namespace

void require_sums(std::uint64_t k, const AccumulationRule& rule) {
    if (rule.chunk == 0) {
        throw ModelError("the accumulation chunk of a GEMM must be at least 1");
    }
    if (k >= (std::uint64_t{1} << 28)) {
        throw ModelError("the inner dimension of a GEMM must be below 2^28");
    }
}

void gemm_accumulate(std::uint64_t m, std::uint64_t n, std::uint64_t k, const GemmOperand& a, const GemmOperand& b,
                     const AccumulationRule& rule, std::span<float> partial) {
    check(m, n, k, a, b, rule, partial);
    if (m == 0 || n == 0 || k == 0) {
        return;
    }
    with_element(a.format, b.format, rule.chunk, [&]<class Element>(const ChunkSum& sum) {
        const CodeDecoder<Element> decode_a(a.format, sum.integers);
        const CodeDecoder<Element> decode_b(b.format, sum.integers);
        const StridedLanes<Element, std::uint16_t> left(decode_a, a.codes.data(), static_cast<std::ptrdiff_t>(k), 1);
        const StridedLanes<Element, std::uint16_t> right(decode_b, b.codes.data(), 1, static_cast<std::ptrdiff_t>(n));
        accumulate_product(PackedProduct<Element>{m, n, k, left, right, sum, rule}, partial.data());
    });
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
