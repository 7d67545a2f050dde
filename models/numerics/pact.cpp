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

double Pact::decode(int code) const {
    return Int4UnsignedMap(alpha_).decode(code);
}

}  // namespace nibble
