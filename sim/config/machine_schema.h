// SPDX-License-Identifier: MIT
#pragma once

#include "sim/config/yaml_schema.h"

namespace nibble {

/// Every key of a machine file, as the reader of machine files asks for it.
[[nodiscard]] YamlSchema machine_schema();

}  // namespace nibble
