// SPDX-License-Identifier: MIT
#include "models/log_gradient/gradient_values.h"

namespace nibble {

void convert(GradientValues& values) {
    values.pairs.resize(values.gradients->size());
    values.statistics = convert_gradients(*values.gradients, values.scale_log2, values.pairs);
    if (values.finished) {
        values.finished(values);
    }
}

}  // namespace nibble
