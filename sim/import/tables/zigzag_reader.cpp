// SPDX-License-Identifier: MIT
#include "sim/import/tables/zigzag_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "sim/config/yaml_reader.h"
#include "sim/import/gemm_limits.h"
#include "sim/import/tables/einsum.h"
#include "sim/import/tables/layer_table.h"
#include "sim/import/tables/zigzag_layer.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

constexpr std::uint64_t default_bits = 16;  // of operands whose width is not given
constexpr std::size_t most_dimensions = 8;  // of a tensor

bool contains_word(std::string text, std::string_view word) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text.find(word) != std::string::npos;
}

/// How the rows (or the columns) of an image lie under a window that covers `covered` of them.
struct Fit {
    std::uint64_t size = 1, before = 0, after = 0;
};

/// An image of `size`, padded so that the windows cover it: half on each side, the odd one before.
std::optional<Fit> fit(std::uint64_t size, std::uint64_t covered, std::uint64_t filter_reach, std::uint64_t stride) {
    if (size >= covered) {
        return size - covered < stride ? std::optional(Fit{size, 0, 0}) : std::nullopt;
    }
    const std::uint64_t padding = covered - size;
    const std::uint64_t before = padding - padding / 2;
    return before <= filter_reach ? std::optional(Fit{size, before, padding / 2}) : std::nullopt;
}

class Converter {
public:
    Converter(LayerTable& table, ImportSummary& summary, std::uint64_t batch)
        : table_(table), summary_(summary), batch_(batch) {}

    void add(const ZigZagLayer& layer) {
        name_ = table_.unique(layer.name.empty() ? fmt::format("{}_{}", layer.operator_type, layer.id) : layer.name);
        const Einsum& einsum = layer.einsum;
        const std::optional<std::uint64_t> bytes = bytes_of(layer);
        if (!bytes || !bounded_product({elements_of(einsum, einsum.out).value_or(0), batch_}, most_elements)) {
            refuse(layer, fmt::format("an operand of more than {} elements", most_elements));
            return;
        }
        summary_.bytes += std::min(*bytes, std::numeric_limits<std::uint64_t>::max() - summary_.bytes);
        if (!sources_exist(layer)) {
            return;
        }
        const EinsumMeaning meaning = meaning_of(einsum);
        if (layer.adds) {
            element_wise(layer, contains_word(layer.operator_type, "max") ? "max" : "add");
        } else if (const auto* gemm = std::get_if<EinsumGemm>(&meaning)) {
            add_gemm(layer, *gemm);
        } else if (const auto* window = std::get_if<EinsumWindow>(&meaning); window && is_pooling(layer)) {
            add_pooling(layer, *window);
        } else if (std::holds_alternative<EinsumElementwise>(meaning)) {
            element_wise(layer, "mul");
        } else {
            ImportSummary::Unrecognised& missing = summary_.unrecognised[layer.operator_type];
            missing.calls += 1;
            missing.bytes += *bytes;
            missing.reason = window ? "one filter for all channels" : std::get<std::string>(meaning);
            results_[layer.id] = table_.declare_activation(name_ + ".output", out_shape(layer));
        }
    }

    void add_notes() {
        const auto note = [&](std::uint64_t count, std::string_view what, const std::string& outcome) {
            if (count != 0) {
                summary_.notes.push_back(fmt::format("{}: {}", counted(count, what), outcome));
            }
        };
        note(
            loose_, "operand",
            fmt::format("not of the size of the result that operand_source names, therefore a tensor of its own; first "
                        "in layer '{}'",
                        printable(first_loose_)));
        note(padded_, "layer", "padded, so that the input is the result that operand_source names");
        note(pools_, "layer", "pooling of an untold kind: average if one window covers the image, else maximum");
        note(stretched_, "input", "smaller with its padding than what the windows cover: padded more");
    }

private:
    /// Of all operands, as wide as the file says.
    static std::optional<std::uint64_t> bytes_of(const ZigZagLayer& layer) {
        std::uint64_t bytes = 0;
        for (const EinsumOperand* operand : {&layer.einsum.left, &layer.einsum.right, &layer.einsum.out}) {
            const std::optional<std::uint64_t> elements = elements_of(layer.einsum, *operand);
            if (!elements) {
                return std::nullopt;
            }
            const auto bits = layer.bits.find(operand->name);
            bytes += *elements * (bits == layer.bits.end() ? default_bits : bits->second) / 8;
        }
        return bytes;
    }

    static std::optional<OperandBits> operand_bits(const ZigZagLayer& layer, const std::string& left,
                                                   const std::string& right) {
        const auto width = [&](const std::string& operand) {
            const auto bits = layer.bits.find(operand);
            return bits == layer.bits.end() ? 0U : static_cast<std::uint32_t>(bits->second);
        };
        const std::uint32_t final_bits = width(layer.einsum.out.name + "_final");
        const OperandBits bits{width(left), width(right), final_bits != 0 ? final_bits : width(layer.einsum.out.name)};
        return bits.left != 0 && bits.right != 0 && bits.out != 0 ? std::optional(bits) : std::nullopt;
    }

    /// The result that an operand is, if it is one and has been made.
    [[nodiscard]] std::optional<TensorId> source_of(const ZigZagLayer& layer, const std::string& operand) const {
        const auto source = layer.sources.find(operand);
        if (source == layer.sources.end() || source->second == layer.id) {
            return std::nullopt;
        }
        return results_.at(source->second);
    }

    /// Of the layers whose results it reads. False, with the problem added, if one is not in the file before it.
    bool sources_exist(const ZigZagLayer& layer) const {
        return std::ranges::all_of(layer.sources, [&](const auto& source) {
            const bool exists = source.second == layer.id || results_.contains(source.second);
            if (!exists) {
                refuse(layer,
                       fmt::format("operand_source: {} is the result of layer {}, which does not stand before it",
                                   printable(source.first), source.second));
            }
            return exists;
        });
    }

    void note_loose() {
        loose_ += 1;
        first_loose_ = first_loose_.empty() ? name_ : first_loose_;
    }

    /// The tensor that an operand of `elements` is, if it comes from another layer and agrees; of an operand that comes
    /// from another layer and does not agree, an activation of its own.
    std::optional<TensorId> operand(const ZigZagLayer& layer, const std::string& name, const Shape& shape) {
        const std::optional<TensorId> source = source_of(layer, name);
        if (!source || table_.tensor(*source).elements == elements_of(shape)) {
            return source;
        }
        note_loose();
        return table_.declare_activation(fmt::format("{}.{}", name_, name), shape);
    }

    [[nodiscard]] Shape out_shape(const ZigZagLayer& layer) const {
        Shape shape = shape_of(layer.einsum, layer.einsum.out);
        if (shape.empty() || shape.size() > most_dimensions) {
            shape = {elements_of(shape)};
        }
        shape.front() *= batch_;
        return shape;
    }

    /// Adds why the layer cannot be, if there is a reason.
    bool refuse(const ZigZagLayer& layer, const std::optional<std::string>& why) const {
        if (why) {
            layer.node.problem(fmt::format("layer '{}': {}", printable(name_), *why));
        }
        return why.has_value();
    }

    void add_gemm(const ZigZagLayer& layer, const EinsumGemm& gemm) {
        const std::string& left = gemm.swapped ? layer.einsum.right.name : layer.einsum.left.name;
        const std::string& right = gemm.swapped ? layer.einsum.left.name : layer.einsum.right.name;
        TableGemm made{.layer = name_, .work = gemm.work, .bits = operand_bits(layer, left, right)};
        if (auto* conv = std::get_if<Convolution>(&made.work)) {
            conv->n = bounded_product({conv->n, batch_}, most_elements).value_or(0);
            if (!lay_out(layer, *conv, gemm.axes, left) || refuse(layer, problem_of(*conv))) {
                return;
            }
            const Shape x{conv->n, conv->c, conv->h, conv->w};
            const Shape w{conv->k, conv->c / conv->groups, conv->r, conv->s};
            made.left = operand(layer, left, x);
            made.right = operand(layer, right, w);
            made.work = simplest(*conv);
        } else {
            auto& matmul = std::get<Matmul>(made.work);
            const bool weights = !source_of(layer, right);
            std::uint64_t& repeated = weights ? matmul.m : matmul.batch;
            repeated = bounded_product({repeated, batch_}, most_elements).value_or(0);
            if (refuse(layer, problem_of(matmul))) {
                return;
            }
            made.left = operand(layer, left, {matmul.batch * matmul.m * matmul.k});
            made.right = operand(layer, right, {matmul.batch * matmul.k * matmul.n});
        }
        results_[layer.id] = table_.add(made);
    }

    /// Gives the image its true size and its padding: those that the layer gives, or those of the image that it reads.
    /// False if they cannot be; the problem is added.
    bool lay_out(const ZigZagLayer& layer, Convolution& conv, const std::array<std::string, 2>& axes,
                 const std::string& image) {
        const auto given = [&](const std::string& axis) {
            const auto extent = layer.extents.find(axis);
            return extent == layer.extents.end() ? nullptr : &extent->second;
        };
        if (given(axes[0]) != nullptr || given(axes[1]) != nullptr) {
            return place(layer, given(axes[0]), conv.stride_h, conv.h, conv.pad_top, conv.pad_bottom) &&
                   place(layer, given(axes[1]), conv.stride_w, conv.w, conv.pad_left, conv.pad_right);
        }
        const std::optional<TensorId> source = source_of(layer, image);
        if (!source) {
            return true;
        }
        const Shape& shape = table_.tensor(*source).shape;
        if (shape.size() != 4 || shape[0] != conv.n || shape[1] != conv.c) {
            return true;
        }
        const std::optional<Fit> rows = fit(shape[2], conv.h, conv.dilation_h * (conv.r - 1), conv.stride_h);
        const std::optional<Fit> columns = fit(shape[3], conv.w, conv.dilation_w * (conv.s - 1), conv.stride_w);
        if (rows && columns) {
            padded_ += rows->before + columns->before > 0 ? 1U : 0U;
            conv.h = rows->size;
            conv.pad_top = rows->before;
            conv.pad_bottom = rows->after;
            conv.w = columns->size;
            conv.pad_left = columns->before;
            conv.pad_right = columns->after;
        }
        return true;
    }

    /// What the layer says of one direction; `size` is what the windows cover, and becomes the image's.
    bool place(const ZigZagLayer& layer, const ZigZagLayer::Extent* given, std::uint64_t stride, std::uint64_t& size,
               std::uint64_t& before, std::uint64_t& after) {
        if (given == nullptr) {
            return true;
        }
        const std::uint64_t covered = size;
        before = given->before;
        after = given->after;
        if (!given->size) {
            size = covered > before + after ? covered - before - after : 0;
            return !refuse(
                layer, size == 0 ? std::optional<std::string>("padding leaves nothing of the input") : std::nullopt);
        }
        size = *given->size;
        const std::uint64_t padded = size + before + after;
        if (padded < covered) {
            after += covered - padded;
            stretched_ += 1;
        } else if (padded - covered >= stride) {
            return !refuse(layer,
                           fmt::format("an input of {} with padding, where the windows cover {}", padded, covered));
        }
        return true;
    }

    /// Pooling says so, or has weights of no width.
    static bool is_pooling(const ZigZagLayer& layer) {
        const auto weight = layer.bits.find("W");
        return contains_word(layer.operator_type, "pool") || (weight != layer.bits.end() && weight->second == 0);
    }

    void add_pooling(const ZigZagLayer& layer, const EinsumWindow& window) {
        const Shape result = out_shape(layer);
        const EinsumOperand& image = window.swapped ? layer.einsum.right : layer.einsum.left;
        Convolution conv = window.shape;
        if (result.size() == 4 && result[2] == conv.p() && result[3] == conv.q()) {
            conv.n = result[0];
            conv.c = conv.k = conv.groups = result[1];
        } else {
            conv.n = bounded_product({conv.n, batch_}, most_elements).value_or(0);
        }
        if (!lay_out(layer, conv, window.axes, image.name) || refuse(layer, problem_of(conv))) {
            return;
        }
        const bool covers = conv.p() == 1 && conv.q() == 1;
        const bool average = contains_word(layer.operator_type, "average") || contains_word(layer.operator_type, "avg");
        const bool maximum = contains_word(layer.operator_type, "max");
        pools_ += average || maximum ? 0U : 1U;
        const char* function = average || (covers && !maximum) ? "avg_pool" : "max_pool";
        const Shape read{conv.n, conv.c, conv.h, conv.w};
        std::optional<TensorId> input = operand(layer, image.name, read);
        if (!input) {
            input = table_.declare_activation(name_ + ".input", read);
        }
        results_[layer.id] = table_.add(name_, {elements_of(result), {{function, conv.r * conv.s}}}, {*input}, result);
    }

    void element_wise(const ZigZagLayer& layer, const char* function) {
        const Shape shape = out_shape(layer);
        std::vector<TensorId> inputs;
        for (const EinsumOperand* source : {&layer.einsum.left, &layer.einsum.right}) {
            const std::optional<TensorId> input = operand(layer, source->name, shape);
            inputs.push_back(input ? *input
                                   : table_.declare_activation(fmt::format("{}.{}", name_, source->name), shape));
        }
        results_[layer.id] = table_.add(name_, {elements_of(shape), {{function, 1}}}, inputs, shape);
    }

    LayerTable& table_;
    ImportSummary& summary_;
    std::uint64_t batch_;
    std::string name_;                           // of the layer at hand
    std::map<std::uint64_t, TensorId> results_;  // by the layer's id
    std::uint64_t loose_ = 0, padded_ = 0, pools_ = 0, stretched_ = 0;
    std::string first_loose_;
};

/// Images in the first convolution, else 1.
std::uint64_t images_in(const ZigZagLayer& layer) {
    const EinsumMeaning meaning = meaning_of(layer.einsum);
    const auto* gemm = std::get_if<EinsumGemm>(&meaning);
    const auto* conv = gemm != nullptr ? std::get_if<Convolution>(&gemm->work) : nullptr;
    return conv != nullptr ? conv->n : 1;
}

}  // namespace

StepGraph read_zigzag(ByteSource& source, const ImportOptions& options, ImportSummary& summary) {
    const YamlDocument document = YamlDocument::from_text(source.read_all(YamlDocument::most_bytes), source.name());
    const std::vector<ZigZagLayer> layers = read_zigzag_layers(document.root(), summary.notes);
    document.throw_if_any();
    if (layers.empty()) {
        throw InputError({source.name()}, "the workload has no layers");
    }
    const std::uint64_t batch = options.batch.value_or(1);
    LayerTable table;
    table.set_batch(step_batch(batch, images_in(layers.front()), source.name()));
    Converter converter(table, summary, batch);
    for (const ZigZagLayer& layer : layers) {
        converter.add(layer);
        if (document.problems().full()) {
            break;
        }
    }
    document.throw_if_any();
    summary.format = "zigzag";
    summary.description = fmt::format("ZigZag workload, {} layers", layers.size());
    converter.add_notes();
    if (batch != 1) {
        summary.notes.push_back(
            fmt::format("each layer is computed for {} times the batch that it is written for", batch));
    }
    return table.finish();
}

}  // namespace nibble
