// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "sim/input/npz_writer.h"
#include "sim/input/operation.h"
#include "sim/lowering/recorded_values.h"

namespace nibble {

/// Writes the codes of recorded operands to an .npz file. An operand, such as x of the forward pass of layer1.0.conv1,
/// is three arrays (traces/FORMAT.md, "Codes"):
///  - `layer1.0.conv1.forward.x.codes`, of the tensor's shape: INT4 as its number and FP4 as its four bits in int8, FP8
///    as its bits in uint8, FP16 in float16;
///  - `.scale`, a float64: what one is worth;
///  - `.format`, a text: a name of operand_format_names.
/// In names, everything but ASCII letters, digits, '.', '-' and '_' becomes '_'; when a layer has more than one GEMM of
/// a phase, the second becomes `layer1.0.conv1#2.forward`, and so on. Of names a few bytes are kept for each GEMM.
class CodeDump {
public:
    /// Throws InputError if the file cannot be made, as the others do if it cannot be written.
    explicit CodeDump(const std::filesystem::path& path) : npz_(path) {}

    /// The operands that follow belong to this operation.
    void begin(const Operation& operation);
    void add(std::string_view operand, const Tensor& tensor, const OperandCodes& quantized);
    /// Completes the file.
    void finish() { npz_.finish(); }

private:
    NpzWriter npz_;
    std::map<std::string, std::uint64_t> uses_;
    std::string prefix_;  // of the present operation's names
};

}  // namespace nibble
