// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include "sim/import/byte_window.h"
#include "sim/import/pytorch/call_arguments.h"
#include "sim/import/pytorch/json_array_stream.h"
#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

static_assert(ByteWindow::padding >= simdjson::SIMDJSON_PADDING);

/// Parses the element that the stream stands at, which must be an object. `what` names it in errors: "node".
[[nodiscard]] simdjson::dom::object parse_object(simdjson::dom::parser& parser, const JsonArrayStream& stream,
                                                 const char* what);

/// The value as an argument of a call; whole numbers above those of int64 become floating-point numbers. Throws
/// InputError if it holds an object. Recursive, as deep as JsonArrayStream lets brackets lie in one another.
[[nodiscard]] RecordedValue to_recorded_value(simdjson::dom::element element, const CallPlace& place);
/// The same for every item of a list.
[[nodiscard]] RecordedValue::List to_recorded_values(simdjson::dom::array array, const CallPlace& place);

}  // namespace nibble
