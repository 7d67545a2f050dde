// SPDX-License-Identifier: MIT
// Reads the input as a machine. One that is accepted must be accepted again as it is written out, and be the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "sim/base/error.h"
#include "sim/config/machine_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nibble;
    std::string written;
    try {
        written = effective_yaml(parse_machine(std::string(reinterpret_cast<const char*>(data), size), "machine.yaml"));
    } catch (const InputError&) {
        return 0;
    }
    if (effective_yaml(parse_machine(written, "written.yaml")) != written) {
        std::cerr << "not the same when read again:\n" << written;
        std::abort();
    }
    return 0;
}
