// SPDX-License-Identifier: MIT
#include "sim/input/operation_size.h"

#include <variant>

#include "sim/input/gemm_direction.h"

namespace nibble {

std::optional<std::uint64_t> bounded_product(std::initializer_list<std::uint64_t> factors, std::uint64_t most) {
    std::uint64_t product = 1;
    for (const std::uint64_t factor : factors) {
        if (__builtin_mul_overflow(product, factor, &product)) {
            return std::nullopt;
        }
    }
    return product <= most ? std::optional(product) : std::nullopt;
}

std::vector<OperandElements> expected_elements(const Operation& operation) {
    const auto same = [](std::uint64_t elements) { return OperandElements{elements, elements}; };
    if (const auto* conv = std::get_if<Convolution>(&operation.work)) {
        const OperandElements x = same(conv->n * conv->c * conv->h * conv->w);
        const OperandElements w = same(conv->k * (conv->c / conv->groups) * conv->r * conv->s);
        const OperandElements y = same(conv->n * conv->k * conv->p() * conv->q());
        switch (computed_as(operation)) {
            case Phase::dx:
                return {y, w, x};
            case Phase::dw:
                return conv->transposed ? std::vector{y, x, w} : std::vector{x, y, w};
            default:
                return {x, w, y};
        }
    }
    if (const auto* matmul = std::get_if<Matmul>(&operation.work)) {
        const std::uint64_t left = matmul->m * matmul->k;
        const std::uint64_t right = matmul->k * matmul->n;
        return {
            {matmul->batch * left, left}, {matmul->batch * right, right}, same(matmul->batch * matmul->m * matmul->n)};
    }
    return {};
}

std::uint64_t macs_of(const Operation& operation) {
    if (const auto* conv = std::get_if<Convolution>(&operation.work)) {
        return conv->n * conv->p() * conv->q() * conv->k * conv->r * conv->s * (conv->c / conv->groups);
    }
    if (const auto* matmul = std::get_if<Matmul>(&operation.work)) {
        return matmul->batch * matmul->m * matmul->n * matmul->k;
    }
    return 0;
}

}  // namespace nibble
