// SPDX-License-Identifier: MIT
#include "models/numerics/grad_scale.h"

#include "sim/base/error.h"

namespace nibble {

int grad_scale_vote(double largest_scaled_magnitude, double max) {
    // Written so that a NaN fails the first comparison.
    if (!(largest_scaled_magnitude <= max)) {
        return -1;
    }
    return largest_scaled_magnitude <= max / 2 ? 1 : 0;
}

GradScale::GradScale(int initial_log2, GradScaleLimits limits) : limits_(limits), log2_(initial_log2) {
    if (initial_log2 < limits.lowest_log2 || initial_log2 > limits.highest_log2) {
        throw ModelError("the initial gradient scale lies outside its limits");
    }
}

void GradScale::update(std::int64_t sum_of_votes) {
    if (sum_of_votes > 0 && log2_ < limits_.highest_log2) {
        ++log2_;
    } else if (sum_of_votes < 0 && log2_ > limits_.lowest_log2) {
        --log2_;
    }
}

}  // namespace nibble
