// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nibble {

enum class ElementKind : std::uint8_t { floating, integer, boolean, other };

/// A tensor as PyTorch saw it in one call: a view of some memory.
struct RecordedTensor {
    std::uint64_t storage = 0;           ///< which memory; reused by PyTorch when it is freed. 0: not recorded
    std::uint64_t offset = 0;            ///< of the first element in the storage, in elements
    std::vector<std::uint64_t> shape;    ///< empty: a scalar tensor
    std::vector<std::uint64_t> strides;  ///< in elements, as many as dimensions; empty: not recorded
    ElementKind kind = ElementKind::floating;
    std::uint32_t bits = 32;  ///< of an element; 0: no tensor, where a result that was not asked for keeps its place
    std::string name;         ///< of a parameter, such as "layer1.0.conv1.weight"; mostly empty
    std::string values;       ///< .npy file with its values as they lie in memory; mostly empty
};

/// Dimensions in the order in which they lie in memory, the farthest apart first; where that is not recorded, as they
/// are.
[[nodiscard]] std::vector<std::size_t> order_in_memory(const RecordedTensor& tensor);
/// Does the tensor lie row by row, or, a matrix or many of them, column by column? If not, it is one that was turned
/// otherwise, such as the heads of an attention.
[[nodiscard]] bool lies_in_rows_or_columns(const RecordedTensor& tensor);

/// An argument of a call. Lists hold tensors, numbers or lists.
struct RecordedValue {
    using List = std::vector<RecordedValue>;
    std::variant<std::monostate, bool, std::int64_t, double, std::string, RecordedTensor, List> value;

    [[nodiscard]] const RecordedTensor* tensor() const { return std::get_if<RecordedTensor>(&value); }
    [[nodiscard]] const List* list() const { return std::get_if<List>(&value); }
};

/// One operator that PyTorch executed, with its arguments in the order of the operator's schema. Calls that another
/// recognised call made on the way are left out, so that nothing is counted twice.
struct RecordedCall {
    std::string op;  ///< e.g. "aten::addmm"; overload names (".out") are cut off
    std::vector<RecordedValue> inputs;
    std::vector<RecordedTensor> outputs;  ///< lists of tensors flattened; for a call that writes in place, what it
                                          ///< wrote; empty where results are not recorded
    bool backward = false;                ///< called by autograd's engine
    bool optimizer = false;               ///< called by an optimiser's step
    std::uint64_t iteration = 0;          ///< training step that it belongs to, counted from 0
    std::int64_t sequence = -1;  ///< autograd's number, shared by a call and the calls of its backward; -1: none
    std::string layer;           ///< module path, if recorded
    std::string where;           ///< for messages: "node 1451", "line 7", "aten::mm at 0.1 s"
};

/// Calls in the order in which PyTorch made them.
class CallSource {
public:
    CallSource() = default;
    CallSource(const CallSource&) = delete;
    CallSource& operator=(const CallSource&) = delete;
    virtual ~CallSource() = default;

    /// The next call, valid until the one after is asked for; null at the end. Throws InputError.
    [[nodiscard]] virtual const RecordedCall* next() = 0;
    /// What was recognised, for people: "PyTorch execution trace, schema 1.0.3-chakra.0.0.4".
    [[nodiscard]] virtual std::string description() const = 0;
    /// What else the user should know about the recording; complete when next() has returned null.
    [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
    /// Name of the network and samples a step, where the recording says so; known once the source is open.
    [[nodiscard]] virtual std::string network() const { return {}; }
    [[nodiscard]] virtual std::optional<std::uint64_t> batch() const { return std::nullopt; }
};

/// Opens a file of calls anew: they are read twice, first to survey, then to translate.
using OpenCalls = std::function<std::unique_ptr<CallSource>()>;

/// How readers with a call tree treat a call: one that is taken is handed on, and whatever it calls is left out.
enum class CallTreatment : std::uint8_t {
    taken,      ///< known: becomes operations
    composite,  ///< known, but made of others: taken only where the recording has nothing below it that is taken
    ignored,    ///< moves and computes nothing (views, allocation, bookkeeping); nothing below it is looked at
    unknown,    ///< looked into; if nothing below it is taken, it is handed on to be listed as unrecognised
};
/// The table is sim/import/pytorch/aten_table.h's.
[[nodiscard]] CallTreatment treatment_of(std::string_view op);

}  // namespace nibble
