// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sim/mapping/mapping_plan.h"

namespace nibble::test {

/// The mappings that a search for cycles finds for a trace on a machine.
inline MappingTable searched_mappings(const std::string& trace_path, const MachineParameters& machine,
                                      const LoweringOptions& options) {
    const TensorPlan plan(trace_path, machine, *options.recipe, options.selection);
    MappingRequest request;
    request.price = [](const CounterValues&) { return 0.0; };
    return table_of(plan_mappings(Lowering::list_gemms(trace_path, plan, machine, options), machine, request));
}

}  // namespace nibble::test
