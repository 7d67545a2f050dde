// SPDX-License-Identifier: MIT
#pragma once

#include "sim/import/pytorch/aten_arguments.h"
#include "sim/import/pytorch/aten_table.h"
#include "sim/import/pytorch/replay_context.h"

namespace nibble {

/// One function for each family of rules: what the call becomes. Each throws InputError, naming the call, where its
/// arguments make no sense, and returns false where they ask for what no operation of a trace does (the caller then
/// counts the call as unrecognised).
[[nodiscard]] bool replay_convolution(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments);
[[nodiscard]] bool replay_convolution_backward(ReplayContext& context, const AtenArguments& arguments);
[[nodiscard]] bool replay_product(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments);
[[nodiscard]] bool replay_attention(ReplayContext& context, const AtenArguments& arguments);
[[nodiscard]] bool replay_attention_backward(ReplayContext& context, const AtenArguments& arguments);
[[nodiscard]] bool replay_recurrent(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments);
[[nodiscard]] bool replay_recurrent_backward(ReplayContext& context, const AtenOperator& op,
                                             const AtenArguments& arguments);
[[nodiscard]] bool replay_pass(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments);
[[nodiscard]] bool replay_batch_norm(ReplayContext& context, const AtenOperator& op, const AtenArguments& arguments);

}  // namespace nibble
