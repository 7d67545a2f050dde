// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/byte_source.h"
#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// Reads an MLCommons Chakra execution trace that was converted from a PyTorch execution trace: protocol-buffer
/// messages, each behind its length, a GlobalMetadata first and then Nodes, whose arguments are text as Python writes
/// lists. Source: mlcommons/chakra, schema/protobuf/et_def.proto and src/converter/pytorch_converter.py.
///
/// GPU kernels (is_cpu_op = false) are left out: they were started by the operators. Older converters write every
/// operator several times, "aten::conv2d(0)", "aten::conv2d(1)", ..., once for each kernel that it started, and leave
/// out who called whom: of these the first is taken; what runs on a thread that also runs "..._backward" operators, but
/// not the first operator of the file, is taken for the backward pass, and "aten::_foreach_..." for the optimiser; a
/// note says so.
///
/// The file is read once to learn how the calls lie in one another (see CallTree), and once more, in flat memory, by
/// each CallSource that the result opens. Throws InputError if it is no such file, or a synthetic trace without
/// operators; each CallSource does so for the calls that it hands on.
[[nodiscard]] OpenCalls open_chakra(OpenBytes open);

}  // namespace nibble
