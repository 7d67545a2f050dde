// SPDX-License-Identifier: MIT
#include "tests/fuzz/valid_trace.h"

#include <cstdlib>
#include <iostream>
#include <sstream>

#include "sim/base/error.h"
#include "sim/config/machine_config.h"
#include "sim/input/fusion.h"
#include "sim/lowering/recipe.h"
#include "sim/lowering/selection.h"
#include "sim/lowering/tensor_plan.h"
#include "tests/support/memory_file.h"

namespace nibble::fuzz {

void plan_trace(const std::string& path) {
    static const MachineParameters machine = load_machine("edge-int4");
    static_cast<void>(TensorPlan(path, machine, *find_recipe("int4-fp4"), Selection{}));
}

void require_valid_trace(const std::string& text) {
    const char* which = "the trace that was written";
    try {
        const test::MemoryFile written(text);
        plan_trace(written.path());
        which = "the trace after fusion";
        std::ostringstream fused;
        fuse_trace(written.path(), fused);
        const test::MemoryFile rewritten(fused.str());
        plan_trace(rewritten.path());
    } catch (const InputError& error) {
        std::cerr << which << " is not valid: " << error.what() << '\n';
        std::abort();
    }
}

}  // namespace nibble::fuzz
