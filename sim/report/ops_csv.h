// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>

#include "sim/counters/op_record.h"
#include "sim/report/result.h"

namespace nibble {

/// Writes ops.csv: a line of column names, then a line for each operation with both machines side by side. The
/// baseline's columns are empty where there is no baseline. Failure of the stream is the caller's to check.
class OpsCsv {
public:
    OpsCsv(std::ostream& out, const Setup& setup);
    void add(const OpRecord& machine, const OpRecord* baseline);

private:
    std::ostream& out_;
    const Setup& setup_;
};

}  // namespace nibble
