// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sim/counters/op_record.h"

namespace nibble {

/// What slices say of an operation.
struct WatchedOperation {
    std::string name;  ///< layer and phase; UTF-8, not too long
    OpRecord record;   ///< as when it was opened
};

using WatchedOperationPtr = std::shared_ptr<const WatchedOperation>;

}  // namespace nibble
