// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "sim/counters/op_record.h"
#include "sim/report/result.h"

namespace nibble {

/// Laws of one operation. Throws ModelError if one is broken:
///  - the causes of its cycles sum to its cycles;
///  - the MACs executed, on the array and as depthwise work, are those that it asks for;
///  - the bytes read from and written to DRAM are those that the tiling stated.
void check_conservation(const OpRecord& record);

/// Laws of a whole run. Throws ModelError if one is broken:
///  - cycles, causes, counters and number of the operations sum to those of the run;
///  - every unit's activities sum to the run;
///  - the array streamed for no fewer cycles than its MACs need at peak;
///  - the run is no shorter than DRAM needs for its bytes at peak bandwidth;
///  - energy by counter sums to energy by component and that to the total.
void check_conservation(const Outcome& outcome, const Subject& subject);

/// `parts` are disjoint and cover the run: their counters sum to its exactly, and their energies up to rounding.
void check_partition(const std::vector<Comparison>& parts, const Result& result);

}  // namespace nibble
