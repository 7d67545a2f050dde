// SPDX-License-Identifier: MIT
// Reads the input as a study. What is accepted is within the limits that studies promise.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sim/base/error.h"
#include "sim/explore/sampling.h"
#include "sim/explore/study.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nibble;
    try {
        const Study study =
            parse_study(std::string(reinterpret_cast<const char*>(data), size), "study.yaml", "/nowhere");
        const bool grid = study.method == Method::grid;
        const std::optional<std::uint64_t> designs = space_size(study.sizes());
        if (!designs || *designs == 0 || (grid && *designs > most_designs) || study.designs > most_designs ||
            study.objectives.empty() || study.workloads.empty() || study.machines.empty()) {
            std::abort();
        }
    } catch (const InputError&) {
        return 0;
    }
    return 0;
}
