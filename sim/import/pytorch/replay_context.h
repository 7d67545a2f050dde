// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/import/import_summary.h"
#include "sim/import/pytorch/aten_arguments.h"
#include "sim/import/pytorch/call_survey.h"
#include "sim/import/pytorch/storage_map.h"
#include "sim/import/pytorch/storage_writes.h"
#include "sim/input/operation.h"
#include "sim/input/step_builder.h"
#include "sim/input/trace_item.h"

namespace nibble {

/// What the translation of calls knows at any moment: the tensors that lie in memory, what they are, and to which
/// layer they belong.
class ReplayContext {
public:
    ReplayContext(const CallSurvey& survey, TraceSink sink, ImportSummary& summary);

    /// Kept for every tensor of the trace: small.
    struct Known {
        std::uint64_t elements = 0;
        std::uint64_t last_extent = 0;  ///< of the shape that it was made with: tells rows from columns
        std::uint32_t layer = 0;
        TensorRole role = TensorRole::activation;
    };
    [[nodiscard]] const Known& known(TensorId tensor) const { return known_[tensor]; }

    // ---- Tensors
    /// One pass over memory.
    struct Pass {
        std::string function;
        std::uint64_t repeat = 1;
        std::uint64_t elements = 0;
        std::vector<TensorId> inputs{};
        std::vector<TensorId> outputs{};
        bool reads_part = false;   ///< of its inputs that are larger than `elements`
        bool writes_part = false;  ///< of its result
    };
    /// Something that a call reads: a tensor of the trace, or a part of one.
    struct Source {
        TensorId tensor = 0;
        bool part = false;
    };
    /// The tensors that lie where the call reads. Memory never seen before existed before the step: it is declared
    /// with `role`.
    [[nodiscard]] std::vector<Source> sources(const RecordedTensor& tensor, TensorRole role,
                                              const AtenArguments& arguments);
    /// The tensor of the trace that lies exactly where the call says, if one does.
    [[nodiscard]] std::optional<TensorId> find(const RecordedTensor& tensor, const AtenArguments& arguments) const;
    /// The same as sources(), as one tensor that a GEMM can read: parts and numbers that are no data are copied first.
    [[nodiscard]] TensorId operand(const RecordedTensor& tensor, TensorRole role, const AtenArguments& arguments);
    /// A tensor that a call makes, where it makes it.
    [[nodiscard]] TensorId result(const RecordedTensor& tensor, TensorRole role, const AtenArguments& arguments);
    /// Where a call writes: a tensor of its own, or, in place, a part of one that is there already.
    void write(Pass& pass, const RecordedTensor& tensor, TensorRole role, const AtenArguments& arguments);
    /// The result of a matrix product, with the shape that the recording gives it or the product has.
    [[nodiscard]] TensorId product_result(const AtenArguments& arguments, const Matmul& work, TensorRole role);
    /// From now on this memory holds a tensor that is there already.
    void alias(const RecordedTensor& tensor, TensorId id, const AtenArguments& arguments);
    TensorId declare(const TensorDraft& draft, const std::string& values = {});

    // ---- Operations
    /// An operation under way: its layer is that of the call, or of what it reads.
    void emit(Operation operation, const AtenArguments& arguments);
    /// Layer 0: that of the call, or of what it reads.
    void emit(const Pass& pass, const AtenArguments& arguments, std::uint32_t layer = 0);
    /// Adds what lies where the call reads to a pass.
    void read(Pass& pass, const RecordedTensor& tensor, TensorRole role, const AtenArguments& arguments);

    // ---- Layers
    [[nodiscard]] std::uint32_t layer(const std::string& name);
    [[nodiscard]] const std::string& layer_name(std::uint32_t layer) const { return layers_[layer]; }
    /// Layer of a GEMM with this weight: the recorded module, or a name made of `kind` and a number.
    [[nodiscard]] std::uint32_t layer_of_weight(TensorId weight, const char* kind, const AtenArguments& arguments);
    /// Layer of a parameter that is updated.
    [[nodiscard]] std::string layer_of_parameter(TensorId parameter, TensorId gradient) const;
    /// Layer of a product of two activations.
    [[nodiscard]] std::uint32_t layer_of_product(const AtenArguments& arguments);
    [[nodiscard]] Position position_of(TensorId weight) const;

    // ---- What the backward pass asks of the forward pass
    struct Use {
        std::uint32_t layer = 0;
        std::optional<TensorId> weight;  ///< none: a product of two activations
    };
    /// GEMMs of the forward pass by what they read, the weight apart.
    std::unordered_map<TensorId, Use> as_input, as_left, as_right;
    /// Masks by the result that they tell the sign of: what the machine keeps of a ReLU for the backward pass.
    std::unordered_map<TensorId, TensorId> mask_of;
    /// Probabilities of a fused attention by its result.
    std::unordered_map<TensorId, TensorId> probabilities;
    /// What a recurrent layer keeps of each step, in one direction.
    struct Sequence {
        TensorId input = 0;
        std::vector<TensorId> states, cells, gates;
    };
    /// Layers and directions of a fused recurrent call by its result.
    std::unordered_map<TensorId, std::vector<Sequence>> sequences;
    /// Gradient of each trained parameter, by the parameter's tensor.
    std::map<TensorId, TensorId> gradient_of;
    /// Parameters that have been updated: their master copy and moments.
    struct Trained {
        std::vector<TensorId> moments;
        std::optional<TensorId> master;  ///< none: the tensor itself is the 32-bit master
    };
    std::map<TensorId, Trained> trained;

    /// Has to be told of every call, also of those that are not translated, before its results are declared.
    void count_writes(const RecordedCall& call) { writes_.add(call); }
    void begin_iteration() { products_ = 0; }
    /// True for every other product of the backward pass that nothing links to the forward pass.
    [[nodiscard]] bool toggle_unlinked() { return unlinked_ = !unlinked_; }
    [[nodiscard]] const CallSurvey& survey() const { return survey_; }
    [[nodiscard]] ImportSummary& summary() { return summary_; }
    void note_once(const std::string& note);

private:
    [[nodiscard]] TensorId declare_existing(const RecordedTensor& tensor, TensorRole role, std::uint64_t elements,
                                            const AtenArguments& arguments);
    void make_existing(TensorId tensor, const AtenArguments& arguments);
    /// Fails if an operand of a GEMM, or its result, is not as large as the GEMM wants: the call's arguments contradict
    /// each other.
    void check_operands(const Operation& operation, const AtenArguments& arguments) const;

    const CallSurvey& survey_;
    TraceSink sink_;
    ImportSummary& summary_;
    StorageMap storages_;
    StorageWrites writes_;
    std::vector<Known> known_;
    std::vector<std::string> layers_{{}};  // 0: none
    std::unordered_map<std::string, std::uint32_t> layer_numbers_;
    std::unordered_map<TensorId, std::uint32_t> weight_layers_;
    std::map<std::string, unsigned> kinds_;  // layers of a kind so far
    std::optional<TensorId> first_weight_, last_weight_;
    unsigned products_ = 0;
    bool unlinked_ = false;
    bool modules_recorded_ = false;
    // Parts that were copied out for a GEMM: (tensor, offset) to the copy and the number of elements.
    std::map<std::pair<TensorId, std::uint64_t>, std::pair<TensorId, std::uint64_t>> parts_;
};

}  // namespace nibble
