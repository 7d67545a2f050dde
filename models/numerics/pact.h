// SPDX-License-Identifier: MIT
#pragma once

#include "models/numerics/int4.h"

namespace nibble {

/// What one element's output gradient contributes.
struct PactGradient {
    double input;  ///< To the gradient of the element itself.
    double alpha;  ///< To the sum over the tensor that is the gradient of alpha.
};

/// PACT: the rectifier whose upper limit alpha is learnt, and the INT4 activations behind it (Choi et al. 2018).
///
/// Forward: y = min(max(x, 0), alpha); code = round(15 y / alpha), ties to even, unsigned 0..15.
/// Backward, straight through the rounding: the gradient passes to x where 0 <= x <= alpha, and to alpha where
/// x >= alpha; at x = alpha it goes to both. NaN has code 0 and passes no gradient to either.
/// Source of the boundary cases: IBM fms-model-optimizer, fms_mo/quant/quantizers.py, PACT_STE.
class Pact {
public:
    /// alpha must be positive.
    explicit Pact(double alpha);

    [[nodiscard]] double alpha() const { return alpha_; }
    /// 0..15.
    [[nodiscard]] int encode(double x) const { return Int4UnsignedMap(alpha_).encode(x); }
    [[nodiscard]] double decode(int code) const;
    [[nodiscard]] PactGradient gradient(double x, double output_gradient) const {
        return {.input = x >= 0.0 && x <= alpha_ ? output_gradient : 0.0, .alpha = x >= alpha_ ? output_gradient : 0.0};
    }

private:
    double alpha_;
};

}  // namespace nibble
