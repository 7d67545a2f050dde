// SPDX-License-Identifier: MIT
#include "sim/import/tables/einsum.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

constexpr std::uint64_t most_extent = std::uint64_t{1} << 32U;
constexpr std::uint64_t most_factor = std::uint64_t{1} << 20U;

/// Why an einsum is nothing that a trace can hold; caught in meaning_of().
struct Unrecognised {
    std::string why;
};

bool is_window(const EinsumIndex& index) {
    return index.terms.size() != 1 || index.terms[0].factor != 1;
}

bool has_windows(const EinsumOperand& operand) {
    return std::any_of(operand.indices.begin(), operand.indices.end(), is_window);
}

std::set<std::string> dimensions_of(const EinsumOperand& operand) {
    std::set<std::string> dimensions;
    for (const EinsumIndex& index : operand.indices) {
        for (const EinsumIndex::Term& term : index.terms) {
            if (!dimensions.insert(term.dimension).second) {
                throw Unrecognised{fmt::format("dimension '{}' stands twice in operand '{}'", printable(term.dimension),
                                               printable(operand.name))};
            }
        }
    }
    return dimensions;
}

/// One direction in which a window moves.
struct Axis {
    std::string name;
    std::uint64_t outputs = 1, filter = 1, stride = 1, dilation = 1;

    [[nodiscard]] bool trivial() const { return outputs == 1 && filter == 1; }
    [[nodiscard]] std::uint64_t extent() const { return stride * (outputs - 1) + dilation * (filter - 1) + 1; }
};

class Recogniser {
public:
    explicit Recogniser(const Einsum& einsum)
        : einsum_(einsum),
          swapped_(has_windows(einsum.right) && !has_windows(einsum.left)),
          x_(swapped_ ? einsum.right : einsum.left),
          w_(swapped_ ? einsum.left : einsum.right),
          in_x_(dimensions_of(x_)),
          in_w_(dimensions_of(w_)),
          in_y_(dimensions_of(einsum.out)) {}

    EinsumMeaning run() {
        if (has_windows(w_) || has_windows(einsum_.out)) {
            throw Unrecognised{fmt::format("sums of dimensions index more than one operand, '{}' and '{}'",
                                           printable(x_.name),
                                           printable(has_windows(w_) ? w_.name : einsum_.out.name))};
        }
        find_axes();
        sort_dimensions();
        if (!axes_.empty()) {
            return sliding();
        }
        if (batch_.empty() && inputs_.empty() && outputs_.empty()) {
            return EinsumElementwise{product(groups_)};
        }
        Matmul matmul{product(groups_), product(batch_), product(outputs_), product(inputs_)};
        matmul.left_transposed = stands_first(x_, inputs_, batch_);
        matmul.right_transposed = stands_first(w_, outputs_, inputs_);
        return EinsumGemm{matmul, swapped_, {}};
    }

private:
    [[nodiscard]] std::uint64_t size(const std::string& dimension) const { return einsum_.sizes.at(dimension); }

    [[nodiscard]] std::uint64_t product(const std::set<std::string>& dimensions) const {
        std::uint64_t all = 1;
        for (const std::string& dimension : dimensions) {
            const std::optional<std::uint64_t> next = bounded_product({all, size(dimension)}, most_elements);
            if (!next) {
                throw Unrecognised{fmt::format("dimensions together are more than {}", most_elements)};
            }
            all = *next;
        }
        return all;
    }

    /// Of the operand's dimensions of both kinds, the first is of `these`.
    static bool stands_first(const EinsumOperand& operand, const std::set<std::string>& these,
                             const std::set<std::string>& those) {
        for (const EinsumIndex& index : operand.indices) {
            const std::string& dimension = index.terms[0].dimension;
            if (these.contains(dimension) || those.contains(dimension)) {
                return these.contains(dimension);
            }
        }
        return false;
    }

    void find_axes() {
        for (const EinsumIndex& index : x_.indices) {
            if (!is_window(index)) {
                continue;
            }
            if (index.terms.size() > 2) {
                throw Unrecognised{fmt::format("index '{}' is a sum of {} dimensions; expected at most 2",
                                               printable(index.name), index.terms.size())};
            }
            Axis axis{index.name};
            bool has_output = false;
            bool has_filter = false;
            for (const EinsumIndex::Term& term : index.terms) {
                const bool output = in_y_.contains(term.dimension);
                if ((output && in_w_.contains(term.dimension)) || (output ? has_output : has_filter)) {
                    throw Unrecognised{
                        fmt::format("index '{}' is no sum of an output and a filter dimension", printable(index.name))};
                }
                if (size(term.dimension) > most_extent || term.factor > most_factor || term.factor == 0) {
                    throw Unrecognised{fmt::format("index '{}' has a size above {} or a factor outside 1 to {}",
                                                   printable(index.name), most_extent, most_factor)};
                }
                (output ? has_output : has_filter) = true;
                (output ? axis.outputs : axis.filter) = size(term.dimension);
                (output ? axis.stride : axis.dilation) = term.factor;
                in_windows_.insert(term.dimension);
            }
            if (axis.filter > most_factor) {
                throw Unrecognised{fmt::format("a filter of {}; expected at most {}", axis.filter, most_factor)};
            }
            axes_.push_back(axis);
        }
        if (axes_.size() > 2) {
            std::erase_if(axes_, [](const Axis& axis) { return axis.trivial(); });
        }
        if (axes_.size() > 2) {
            throw Unrecognised{"windows move in more than two directions; expected a convolution of images at most"};
        }
    }

    void sort_dimensions() {
        for (const auto& [dimension, extent] : einsum_.sizes) {
            const bool x = in_x_.contains(dimension);
            const bool w = in_w_.contains(dimension);
            const bool y = in_y_.contains(dimension);
            if (in_windows_.contains(dimension)) {
                continue;
            }
            if (x && w && y) {
                groups_.insert(dimension);
            } else if (x && y) {
                batch_.insert(dimension);
            } else if (x && w) {
                inputs_.insert(dimension);
            } else if (w && y) {
                outputs_.insert(dimension);
            } else if (extent > 1) {
                throw Unrecognised{fmt::format(
                    "dimension '{}' of size {} stands in {} of the three operands; expected in two or three",
                    printable(dimension), extent, x || w || y ? "one" : "none")};
            }
        }
    }

    EinsumMeaning sliding() {
        // A single axis is the horizontal one.
        const Axis rows = axes_.size() == 2 ? axes_[0] : Axis{};
        const Axis columns = axes_.back();
        Convolution conv;
        const std::uint64_t groups = product(groups_);
        conv.n = product(batch_);
        conv.r = rows.filter;
        conv.s = columns.filter;
        conv.stride_h = rows.stride;
        conv.stride_w = columns.stride;
        conv.dilation_h = rows.dilation;
        conv.dilation_w = columns.dilation;
        conv.h = rows.extent();
        conv.w = columns.extent();
        const std::array<std::string, 2> names{rows.name, columns.name};
        const bool same_for_all_channels = groups_.empty() && inputs_.empty() && outputs_.empty();
        if (same_for_all_channels) {
            // What it slides over is batch and channels; which is which makes no difference to it.
            return EinsumWindow{conv, swapped_, names};
        }
        const std::optional<std::uint64_t> c = bounded_product({groups, product(inputs_)}, most_elements);
        const std::optional<std::uint64_t> k = bounded_product({groups, product(outputs_)}, most_elements);
        if (!c || !k) {
            throw Unrecognised{fmt::format("channels are more than {}", most_elements)};
        }
        conv.groups = groups;
        conv.c = *c;
        conv.k = *k;
        for (const std::string& dimension : in_windows_) {
            if (!in_y_.contains(dimension) && !in_w_.contains(dimension) && size(dimension) > 1) {
                throw Unrecognised{fmt::format("dimension '{}' of size {} stands in operand '{}' only",
                                               printable(dimension), size(dimension), printable(x_.name))};
            }
        }
        return EinsumGemm{conv, swapped_, names};
    }

    const Einsum& einsum_;
    bool swapped_;
    const EinsumOperand& x_;
    const EinsumOperand& w_;
    std::set<std::string> in_x_, in_w_, in_y_;
    std::set<std::string> in_windows_;
    std::vector<Axis> axes_;
    std::set<std::string> groups_, batch_, inputs_, outputs_;
};

}  // namespace

std::optional<std::uint64_t> elements_of(const Einsum& einsum, const EinsumOperand& operand) {
    std::uint64_t all = 1;
    for (const EinsumIndex& index : operand.indices) {
        std::uint64_t extent = 1;
        for (const EinsumIndex::Term& term : index.terms) {
            const auto reach = bounded_product({einsum.sizes.at(term.dimension) - 1, term.factor}, most_elements);
            if (!reach) {
                return std::nullopt;
            }
            extent += *reach;
        }
        const std::optional<std::uint64_t> next = bounded_product({all, extent}, most_elements);
        if (!next) {
            return std::nullopt;
        }
        all = *next;
    }
    return all;
}

Shape shape_of(const Einsum& einsum, const EinsumOperand& operand) {
    Shape shape;
    for (const EinsumIndex& index : operand.indices) {
        shape.push_back(einsum.sizes.at(index.terms.at(0).dimension));
    }
    return shape;
}

EinsumMeaning meaning_of(const Einsum& einsum) {
    try {
        return Recogniser(einsum).run();
    } catch (const Unrecognised& unrecognised) {
        return unrecognised.why;
    }
}

}  // namespace nibble
