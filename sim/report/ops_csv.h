// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "sim/counters/op_record.h"
#include "sim/report/result.h"

namespace nibble {

/// `text` as one field of a CSV file (RFC 4180): UTF-8, quoted where it has to be. Text that a spreadsheet would take
/// for a formula (it begins with = + - @, tab or carriage return) gets an apostrophe in front.
[[nodiscard]] std::string csv_field(std::string_view text);

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
