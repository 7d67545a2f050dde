// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "sim/import/pytorch/call_arguments.h"
#include "sim/import/pytorch/json_array_stream.h"
#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// An operator or a label of a torch.profiler trace. Valid as long as the element that it was read from.
struct KinetoEvent {
    std::string_view name;
    std::string thread;         ///< process and thread
    double time_us = 0;         ///< at which it began
    std::int64_t begin_ns = 0;  ///< the same
    std::int64_t end_ns = 0;
    std::int64_t sequence = -1;
    bool of_forward_thread = false;  ///< has a "Fwd thread id": a call that belongs to one of the forward pass
    /// Side by side, one for each argument. Absent: recorded without record_shapes.
    std::optional<simdjson::dom::array> dims, types, strides;
    std::optional<simdjson::dom::array> concrete;  ///< text of what is no tensor; from torch 2.1
};

/// Parses the element that the stream stands at; nothing if it is an event of another kind. Throws InputError if it is
/// no event.
[[nodiscard]] std::optional<KinetoEvent> parse_kineto_event(simdjson::dom::parser& parser,
                                                            const JsonArrayStream& stream);

/// Whether the event has a tensor among its arguments.
[[nodiscard]] bool has_tensors(const KinetoEvent& event);

/// The event's arguments. Throws InputError if they contradict each other.
[[nodiscard]] std::vector<RecordedValue> read_arguments(const KinetoEvent& event, const CallPlace& place);

}  // namespace nibble
