// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// Typed access to the arguments and results of a call. What an operator needs and the recording does not give is an
/// InputError that names the call.
class AtenArguments {
public:
    /// Both must outlive the arguments; `file` is for messages.
    AtenArguments(const RecordedCall& call, const std::string& file) : call_(call), file_(file) {}

    [[nodiscard]] const RecordedCall& call() const { return call_; }
    [[nodiscard]] bool in_place() const { return call_.op.ends_with('_'); }

    [[nodiscard]] const RecordedTensor& tensor(std::size_t at) const;
    [[nodiscard]] const RecordedTensor* find_tensor(std::size_t at) const;  ///< null: none, or not given
    /// Every tensor among the arguments that the call reads, those in lists included: not one that it was only given to
    /// write its result into (`out=`).
    [[nodiscard]] std::vector<const RecordedTensor*> tensors() const;
    /// A result that the call did make; null for one that it left undefined, or that was not recorded.
    [[nodiscard]] const RecordedTensor* find_result(std::size_t at) const;

    /// Numbers of a list, or one number repeated; `otherwise` where none is given.
    [[nodiscard]] std::vector<std::uint64_t> sizes(std::size_t at, std::size_t count, std::uint64_t otherwise) const;
    [[nodiscard]] std::uint64_t number(std::size_t at, std::uint64_t otherwise) const;
    [[nodiscard]] bool flag(std::size_t at, bool otherwise) const;
    [[nodiscard]] std::vector<bool> flags(std::size_t at) const;

    [[noreturn]] void fail(const std::string& what) const;

private:
    [[nodiscard]] const RecordedValue* find(std::size_t at) const;

    const RecordedCall& call_;
    const std::string& file_;
};

/// Elements of a tensor; InputError, through `arguments`, if they are more than a trace may hold.
[[nodiscard]] std::uint64_t elements_of(const RecordedTensor& tensor, const AtenArguments& arguments);

}  // namespace nibble
