// SPDX-License-Identifier: MIT
#include "models/numerics/pact.h"

#include "models/numerics/int4.h"
#include "sim/base/error.h"

namespace nibble {

Pact::Pact(double alpha) : alpha_(alpha) {
    if (!(alpha > 0.0)) {
        throw ModelError("the clipping level alpha of PACT must be positive");
    }
}

int Pact::encode(double x) const {
    return Int4UnsignedMap(alpha_).encode(x);
}

double Pact::decode(int code) const {
    return Int4UnsignedMap(alpha_).decode(code);
}

PactGradient Pact::gradient(double x, double output_gradient) const {
    return {.input = x >= 0.0 && x <= alpha_ ? output_gradient : 0.0, .alpha = x >= alpha_ ? output_gradient : 0.0};
}

}  // namespace nibble
