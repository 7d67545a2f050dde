// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// Where arguments stand, for messages: "FILE: node 12: aten::mm: input 0: what".
struct CallPlace {
    std::string file;
    std::string where;  ///< "node 12"
    std::string op;

    [[noreturn]] void fail(const std::string& what) const;
};

/// The arguments or the results of a call as PyTorch's execution traces hold them, in three or four lists that run side
/// by side. A tensor's value is [tensor, storage, offset in elements, elements, bytes of an element, device].
struct ArgumentLists {
    const RecordedValue::List* values = nullptr;
    const RecordedValue::List* shapes = nullptr;
    const RecordedValue::List* types = nullptr;    ///< "Tensor(float)", "GenericList[Int,Int]", "None", ...
    const RecordedValue::List* strides = nullptr;  ///< may be shorter than the others; null: not recorded
    const char* what = "input";                    ///< or "output", for messages
};

/// Makes values and tensors of them. What is no tensor stays as it is, except that "<None>" and tensors that are not
/// defined become nothing. Throws InputError if the lists contradict each other or a size is negative or too large.
[[nodiscard]] std::vector<RecordedValue> read_arguments(const ArgumentLists& lists, const CallPlace& place);
/// Only the tensors, lists of them flattened; those that are not defined have no bits.
[[nodiscard]] std::vector<RecordedTensor> read_results(const ArgumentLists& lists, const CallPlace& place);

/// Sizes of a tensor, or its strides, from a list of whole numbers. Throws InputError if one is negative, or, of a
/// shape, if the tensor has more elements than a trace may have.
[[nodiscard]] std::vector<std::uint64_t> read_shape(const RecordedValue& list, const CallPlace& place);
[[nodiscard]] std::vector<std::uint64_t> read_strides(const RecordedValue& list, const CallPlace& place);

/// Whether a type, or a list of types written as text, names a tensor that is defined.
[[nodiscard]] bool mentions_tensor(std::string_view type);

/// The name of an operator without its overload: "aten::add" of "aten::add.Tensor".
[[nodiscard]] std::string_view without_overload(std::string_view name);

}  // namespace nibble
