// SPDX-License-Identifier: MIT
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "sim/counters/op_record.h"
#include "sim/report/result.h"

namespace nibble {

/// Version of the document; its JSON Schema is result.schema.json beside this file.
inline constexpr const char* result_schema_name = "nibblesim-result-2";

/// One element of `ops`, on one line. `baseline` is the same operation on the other machine, or null.
/// Hostile text is made valid: what is no UTF-8 becomes U+FFFD.
[[nodiscard]] std::string op_json(const OpRecord& machine, const OpRecord* baseline, const Setup& setup);

/// Writes the document: totals and tables first, then `ops`, which holds op_json() of every operation, one a line.
void write_result_json(std::ostream& out, const Result& result, std::istream& ops);

}  // namespace nibble
