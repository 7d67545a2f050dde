// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/replay_context.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sim/input/operation_size.h"

namespace nibble {

namespace {

/// Elements that lie in memory: a dimension that was expanded (stride 0) repeats the same ones.
std::uint64_t stored_elements(const RecordedTensor& tensor, std::uint64_t elements) {
    if (tensor.strides.size() != tensor.shape.size()) {
        return elements;
    }
    std::uint64_t repeats = 1;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
        repeats *= tensor.strides[i] == 0 && tensor.shape[i] > 0 ? tensor.shape[i] : 1;
    }
    return elements / repeats;
}

/// The shape with its dimensions in the order in which they lie: that of a weight, where a call reads its transpose.
Shape shape_in_memory(const RecordedTensor& tensor) {
    Shape shape;
    for (const std::size_t dimension : order_in_memory(tensor)) {
        shape.push_back(tensor.shape[dimension]);
    }
    return shape;
}

/// Tensors of these roles must have been made by an operation of the trace.
bool must_be_made(TensorRole role) {
    return role == TensorRole::gradient || role == TensorRole::weight_gradient || role == TensorRole::mask;
}

/// The outermost module that a module belongs to: "layer1" of "layer1.0.conv1".
std::string group_of(const std::string& module) {
    return module.substr(0, module.find('.'));
}

}  // namespace

ReplayContext::ReplayContext(const CallSurvey& survey, TraceSink sink, ImportSummary& summary)
    : survey_(survey), sink_(std::move(sink)), summary_(summary) {}

// ---- Tensors

TensorId ReplayContext::declare(const TensorDraft& draft, const std::string& values) {
    Tensor tensor;
    tensor.id = static_cast<TensorId>(known_.size());
    tensor.name = draft.name;
    tensor.role = draft.role;
    tensor.shape = draft.shape.empty() ? Shape{1} : draft.shape;
    tensor.bits = draft.bits;
    tensor.elements = elements_of(tensor.shape);
    tensor.values = values;
    known_.push_back({tensor.elements, tensor.shape.back(), 0, tensor.role});
    sink_(TraceItem(tensor));
    return tensor.id;
}

TensorId ReplayContext::declare_existing(const RecordedTensor& tensor, TensorRole role, std::uint64_t elements,
                                         const AtenArguments& arguments) {
    if (survey_.weights.contains(tensor.storage)) {
        role = TensorRole::weight;
    } else if (tensor.kind == ElementKind::integer) {
        role = TensorRole::index;
    } else if (tensor.kind == ElementKind::boolean) {
        role = TensorRole::mask;
    }
    Shape shape = shape_in_memory(tensor);
    if (elements_of(shape) != elements || shape.size() > 8) {
        shape = {elements};
    }
    const bool usable = lies_in_rows_or_columns(tensor);
    const TensorId id =
        declare({role, tensor.name, shape, role == TensorRole::mask ? 1U : 0U}, usable ? tensor.values : std::string{});
    if (role == TensorRole::weight) {
        first_weight_ = tensor.storage == survey_.first_weight ? id : first_weight_;
        last_weight_ = tensor.storage == survey_.last_weight ? id : last_weight_;
    }
    if (must_be_made(role)) {
        make_existing(id, arguments);
    }
    return id;
}

void ReplayContext::make_existing(TensorId tensor, const AtenArguments& arguments) {
    note_once("gradients and masks that no recorded call makes are written once before they are read");
    emit(Pass{"fill", 1, known(tensor).elements, {}, {tensor}}, arguments);
}

std::vector<ReplayContext::Source> ReplayContext::sources(const RecordedTensor& tensor, TensorRole role,
                                                          const AtenArguments& arguments) {
    const std::uint64_t elements = stored_elements(tensor, elements_of(tensor, arguments));
    if (elements == 0) {
        return {};
    }
    if (tensor.storage == 0) {
        return {{declare_existing(tensor, role, elements, arguments)}};
    }
    if (const auto piece = storages_.find(tensor.storage, tensor.offset, elements)) {
        return {{piece->tensor, piece->elements > elements}};
    }
    const auto pieces = storages_.overlapping(tensor.storage, tensor.offset, elements);
    std::uint64_t covered = 0;
    std::vector<Source> all;
    for (const StorageMap::Piece& piece : pieces) {
        const std::uint64_t end = std::min(piece.offset + piece.elements, tensor.offset + elements);
        const std::uint64_t part = end - std::max(piece.offset, tensor.offset);
        covered += part;
        all.push_back({piece.tensor, part < piece.elements});
    }
    if (covered == elements) {
        return all;
    }
    const TensorId id = declare_existing(tensor, role, elements, arguments);
    storages_.write(tensor.storage, {tensor.offset, elements, id});
    return {{id}};
}

std::optional<TensorId> ReplayContext::find(const RecordedTensor& tensor, const AtenArguments& arguments) const {
    const auto piece = storages_.find(tensor.storage, tensor.offset, elements_of(tensor, arguments));
    return piece ? std::optional(piece->tensor) : std::nullopt;
}

TensorId ReplayContext::operand(const RecordedTensor& tensor, TensorRole role, const AtenArguments& arguments) {
    const std::vector<Source> from = sources(tensor, role, arguments);
    const auto is_data = [&](TensorId id) {
        const TensorRole found = known(id).role;
        return found == TensorRole::activation || found == TensorRole::weight || found == TensorRole::gradient;
    };
    const std::uint64_t all = elements_of(tensor, arguments);
    const std::uint64_t stored = stored_elements(tensor, all);
    // What was expanded is made whole, unless it is one matrix for all of a batch.
    const bool expanded = stored != all && !(tensor.shape.size() == 3 && stored == tensor.shape[1] * tensor.shape[2]);
    if (from.size() == 1 && !from.front().part && is_data(from.front().tensor) && !expanded) {
        return from.front().tensor;
    }
    if (from.empty()) {
        arguments.fail("an operand without elements");
    }
    const TensorId first = from.front().tensor;
    const std::uint64_t elements = expanded ? all : stored;
    if (const auto made = parts_.find({first, tensor.offset});
        made != parts_.end() && made->second.second == elements) {
        return made->second.first;
    }
    const TensorRole as = is_data(first)              ? known(first).role
                          : arguments.call().backward ? TensorRole::gradient
                                                      : TensorRole::activation;
    const TensorId copy =
        declare({as, {}, elements_of(tensor.shape) == elements ? tensor.shape : Shape{elements}}, tensor.values);
    const bool part = from.size() == 1 && from.front().part;
    Pass pass{part && !expanded ? "slice" : "copy", 1, elements, {}, {copy}, part && expanded};
    for (const Source& source : from) {
        pass.inputs.push_back(source.tensor);
    }
    emit(pass, arguments);
    parts_[{first, tensor.offset}] = {copy, elements};
    return copy;
}

TensorId ReplayContext::result(const RecordedTensor& tensor, TensorRole role, const AtenArguments& arguments) {
    if (tensor.kind == ElementKind::integer) {
        role = TensorRole::index;
    } else if (tensor.kind == ElementKind::boolean) {
        role = TensorRole::mask;
    }
    const std::uint64_t elements = std::max<std::uint64_t>(1, elements_of(tensor, arguments));
    const Shape shape =
        tensor.shape.size() > 8 || elements_of(tensor.shape) != elements ? Shape{elements} : tensor.shape;
    const auto values = survey_.values.find({tensor.storage, writes_.of(tensor.storage), tensor.offset});
    const TensorId id = declare({role, {}, shape, role == TensorRole::mask ? 1U : 0U},
                                values == survey_.values.end() ? std::string{} : values->second);
    if (tensor.storage != 0) {
        storages_.write(tensor.storage, {tensor.offset, elements, id});
    }
    return id;
}

void ReplayContext::write(Pass& pass, const RecordedTensor& tensor, TensorRole role, const AtenArguments& arguments) {
    const std::uint64_t elements = elements_of(tensor, arguments);
    const std::vector<const RecordedTensor*> inputs = arguments.tensors();
    const bool in_place = tensor.storage != 0 && std::ranges::any_of(inputs, [&](const RecordedTensor* input) {
                              return input->storage == tensor.storage;
                          });
    const auto around = in_place ? storages_.find(tensor.storage, tensor.offset, elements) : std::nullopt;
    if (around && around->elements > elements) {
        pass.writes_part = true;
        pass.outputs.push_back(around->tensor);
        if (std::ranges::find(pass.inputs, around->tensor) == pass.inputs.end()) {
            pass.inputs.push_back(around->tensor);
        }
        std::erase_if(parts_, [&](const auto& part) { return part.first.first == around->tensor; });
        return;
    }
    pass.outputs.push_back(result(tensor, role, arguments));
}

TensorId ReplayContext::product_result(const AtenArguments& arguments, const Matmul& work, TensorRole role) {
    RecordedTensor made;
    made.shape = work.batch > 1 ? Shape{work.batch, work.m, work.n} : Shape{work.m, work.n};
    if (const RecordedTensor* recorded = arguments.find_result(0)) {
        if (elements_of(*recorded, arguments) != work.batch * work.m * work.n) {
            arguments.fail(fmt::format("the result has {} elements, the product {}", elements_of(recorded->shape),
                                       work.batch * work.m * work.n));
        }
        made = *recorded;
    }
    return result(made, role, arguments);
}

void ReplayContext::alias(const RecordedTensor& tensor, TensorId id, const AtenArguments& arguments) {
    if (tensor.storage != 0) {
        storages_.write(tensor.storage,
                        {tensor.offset, std::max<std::uint64_t>(1, elements_of(tensor, arguments)), id});
    }
}

// ---- Operations

void ReplayContext::read(Pass& pass, const RecordedTensor& tensor, TensorRole role, const AtenArguments& arguments) {
    for (const Source& source : sources(tensor, role, arguments)) {
        if (std::ranges::find(pass.inputs, source.tensor) == pass.inputs.end()) {
            pass.inputs.push_back(source.tensor);
        }
        pass.reads_part |= source.part;
    }
}

void ReplayContext::emit(const Pass& pass, const AtenArguments& arguments, std::uint32_t layer) {
    Operation operation;
    operation.layer = layers_[layer];
    operation.phase = arguments.call().optimizer ? Phase::update : Phase::vector;
    if (pass.inputs.empty() && pass.function != "fill" && pass.function != "random") {
        arguments.fail("expected a tensor to work on, found none that has elements");
    }
    VectorWork work;
    work.elements = std::max<std::uint64_t>(1, pass.elements);
    if (pass.reads_part && pass.function != "slice") {
        work.steps.push_back({"slice"});
    }
    work.steps.push_back({pass.function, std::max<std::uint64_t>(1, pass.repeat)});
    if (pass.writes_part) {
        work.steps.push_back({"place"});
    }
    for (const VectorStep& step : work.steps) {
        if (!bounded_product({work.elements, step.repeat}, most_work)) {
            arguments.fail(fmt::format("{} elements with {} operands each are too much work for one operation",
                                       work.elements, step.repeat));
        }
    }
    operation.work = std::move(work);
    operation.inputs = pass.inputs;
    operation.outputs = pass.outputs;
    emit(std::move(operation), arguments);
}

void ReplayContext::emit(Operation operation, const AtenArguments& arguments) {
    std::uint32_t of = 0;
    if (!operation.layer.empty()) {
        of = layer(operation.layer);
    } else if (!arguments.call().layer.empty()) {
        of = layer(arguments.call().layer);
    } else {
        // The layer that made the largest of what is read; a saved activation says more than a gradient on its way.
        std::uint64_t most = 0;
        for (const TensorId input : operation.inputs) {
            const Known& from = known(input);
            const std::uint64_t weight = 2 * from.elements + (from.role == TensorRole::activation ? 1 : 0);
            if (from.layer != 0 && weight > most) {
                most = weight;
                of = from.layer;
            }
        }
    }
    operation.layer = of == 0 ? std::string("input") : layers_[of];
    modules_recorded_ |= !arguments.call().layer.empty();
    operation.group = modules_recorded_ ? group_of(operation.layer) : std::string{};
    for (const TensorId output : operation.outputs) {
        known_[output].layer = of;
    }
    check_operands(operation, arguments);
    sink_(TraceItem(std::move(operation)));
}

void ReplayContext::check_operands(const Operation& operation, const AtenArguments& arguments) const {
    const std::vector<OperandElements> expected = expected_elements(operation);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const TensorId operand = i < 2 ? operation.inputs[i] : operation.outputs[0];
        if (!expected[i].allows(known(operand).elements)) {
            arguments.fail(fmt::format("its {} should have {} elements, and has {}",
                                       std::array{"first operand", "second operand", "result"}[i], expected[i].own,
                                       known(operand).elements));
        }
    }
}

// ---- Layers

std::uint32_t ReplayContext::layer(const std::string& name) {
    const auto [found, added] = layer_numbers_.emplace(name, static_cast<std::uint32_t>(layers_.size()));
    if (added) {
        layers_.push_back(name);
    }
    return found->second;
}

std::uint32_t ReplayContext::layer_of_weight(TensorId weight, const char* kind, const AtenArguments& arguments) {
    const auto found = weight_layers_.find(weight);
    if (found != weight_layers_.end()) {
        return found->second;
    }
    const std::string& recorded = arguments.call().layer;
    const std::uint32_t number = layer(recorded.empty() ? fmt::format("{}{}", kind, ++kinds_[kind]) : recorded);
    weight_layers_.emplace(weight, number);
    return number;
}

std::string ReplayContext::layer_of_parameter(TensorId parameter, TensorId gradient) const {
    const auto weight = weight_layers_.find(parameter);
    const std::uint32_t of = weight != weight_layers_.end() ? weight->second : known(gradient).layer;
    return of == 0 ? "parameters" : layers_[of];
}

std::uint32_t ReplayContext::layer_of_product(const AtenArguments& arguments) {
    const std::string& recorded = arguments.call().layer;
    return layer(recorded.empty() ? fmt::format("product{}", ++products_) : recorded);
}

Position ReplayContext::position_of(TensorId weight) const {
    // With a single layer both rules apply; they ask for the same.
    return weight == first_weight_ ? Position::first : weight == last_weight_ ? Position::last : Position::middle;
}

void ReplayContext::note_once(const std::string& note) {
    std::vector<std::string>& notes = summary_.notes;
    if (std::ranges::find(notes, note) == notes.end()) {
        notes.push_back(note);
    }
}

}  // namespace nibble
