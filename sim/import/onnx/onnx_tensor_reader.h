// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/import/onnx/onnx_model.h"
#include "sim/import/wire_reader.h"

namespace nibble {

/// Reads repeated numbers, packed or not, and never more than are allowed: one byte of a packed list becomes eight in
/// memory.
class OnnxNumberReader {
public:
    explicit OnnxNumberReader(std::string_view file) : file_(file) {}

    void append(const WireReader& field, std::vector<std::int64_t>& all, std::size_t most) const;
    /// Of 32 bits each.
    void append(const WireReader& field, std::vector<double>& all, std::size_t most) const;

private:
    [[nodiscard]] bool packed(const WireReader& field) const;

    std::string_view file_;  // from its first byte, at which all readers count from
};

/// Reads a TensorProto.
[[nodiscard]] OnnxTensor read_onnx_tensor(WireReader reader, const OnnxNumberReader& numbers);

}  // namespace nibble
