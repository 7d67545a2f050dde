// SPDX-License-Identifier: MIT
// Numbers of small tensors that a graph computes from constants and shapes.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "sim/import/onnx/onnx_number_functions.h"
#include "sim/import/onnx/onnx_places.h"
#include "sim/import/onnx/onnx_shapes.h"
#include "sim/import/onnx/onnx_slice.h"

namespace nibble {

namespace {

using Whole = std::vector<std::int64_t>;
using Real = std::vector<double>;

std::int64_t to_whole(double value) {
    constexpr double edge = 9.2e18;  // within 64 bits
    return std::isnan(value) ? 0 : static_cast<std::int64_t>(std::clamp(value, -edge, edge));
}

class Folder {
public:
    Folder(const OnnxStep& step, std::vector<OnnxValue>& values) : step_(step), values_(values), op_(step.op()) {}

    void run() {
        if (!foldable()) {
            return;
        }
        if (op_ == "Identity" || op_ == "Reshape" || op_ == "Squeeze" || op_ == "Unsqueeze" || op_ == "Flatten") {
            out().numbers = in(0).numbers;
        } else if (op_ == "Cast") {
            cast();
        } else if (op_ == "ConstantOfShape") {
            fill();
        } else if (op_ == "Range") {
            range();
        } else if (op_ == "Concat") {
            concat();
        } else if (op_ == "Split") {
            split();
        } else if (op_ == "Where") {
            where();
        } else if (op_.starts_with("Reduce")) {
            reduce();
        } else if (step_.inputs.size() == 1 && (one_operand(whole(0)) || one_operand(real(0)))) {
            return;
        } else if (step_.inputs.size() == 2 && (two_operands(whole(0), whole(1)) || two_operands(real(0), real(1)))) {
            return;
        } else {
            pick();
        }
    }

private:
    [[nodiscard]] const OnnxValue& in(std::size_t at) const { return values_[step_.inputs[at]]; }
    [[nodiscard]] OnnxValue& out(std::size_t at = 0) { return values_[step_.outputs[at]]; }
    [[nodiscard]] const Whole* whole(std::size_t at) const { return std::get_if<Whole>(&*in(at).numbers); }
    [[nodiscard]] const Real* real(std::size_t at) const { return std::get_if<Real>(&*in(at).numbers); }

    [[nodiscard]] bool foldable() const {
        if (!step_.has_output(0) || step_.inputs.empty() || values_[step_.outputs[0]].numbers) {
            return false;
        }
        const std::size_t least = op_ == "Where" || op_ == "Range" ? 3 : 1;
        if (step_.inputs.size() < least) {
            return false;
        }
        for (const OnnxValueId id : step_.inputs) {
            // Of the operators below, only Slice has inputs that may be left out.
            if (id == onnx_absent ? op_ != "Slice" : !values_[id].numbers) {
                return false;
            }
        }
        for (const OnnxValueId id : step_.outputs) {
            if (id == onnx_absent || !values_[id].known || values_[id].elements() > OnnxTensor::most_numbers) {
                return false;
            }
        }
        return step_.has_input(0);
    }

    void cast() {
        const bool to_real = out().type.kind() == OnnxKind::floating;
        const bool to_truth = out().type.kind() == OnnxKind::boolean;
        if (const Real* list = real(0)) {
            Whole result;
            for (const double value : *list) {
                result.push_back(to_truth ? static_cast<std::int64_t>(value != 0) : to_whole(value));
            }
            out().numbers = to_real ? OnnxNumbers(*list) : OnnxNumbers(std::move(result));
        } else {
            Whole result = *whole(0);
            if (to_truth) {
                std::transform(result.begin(), result.end(), result.begin(), [](std::int64_t v) { return v != 0; });
            }
            out().numbers = to_real ? OnnxNumbers(Real(result.begin(), result.end())) : OnnxNumbers(std::move(result));
        }
    }

    void fill() {
        const OnnxAttribute* value = step_.attribute("value");
        const std::size_t count = out().elements();
        if (value == nullptr || !value->tensor) {
            out().numbers = Real(count, 0.0);
        } else if (value->tensor->numbers) {
            out().numbers = std::visit(
                [&](const auto& list) -> OnnxNumbers {
                    using List = std::decay_t<decltype(list)>;
                    return List(count, list.empty() ? typename List::value_type{} : list.front());
                },
                *value->tensor->numbers);
        }
    }

    void range() {
        if (whole(0) == nullptr || whole(2) == nullptr || whole(0)->empty() || whole(2)->empty()) {
            return;
        }
        Whole result;
        for (std::uint64_t i = 0; i < out().elements(); ++i) {
            result.push_back(onnx_wrapped(onnx_bits(whole(0)->front()) + i * onnx_bits(whole(2)->front())));
        }
        out().numbers = std::move(result);
    }

    template <class List>
    void set(List list) {
        if (list.size() == out().elements()) {
            out().numbers = std::move(list);
        }
    }

    /// Of one dimension, as that is what shapes are computed with.
    void concat() {
        Whole wholes;
        Real reals;
        for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
            if (in(i).shape.size() != 1) {
                return;
            }
            if (whole(i) != nullptr) {
                wholes.insert(wholes.end(), whole(i)->begin(), whole(i)->end());
            } else {
                reals.insert(reals.end(), real(i)->begin(), real(i)->end());
            }
        }
        if (reals.empty()) {
            set(std::move(wholes));
        } else {
            set(std::move(reals));
        }
    }

    void split() {
        if (in(0).shape.size() != 1) {
            return;
        }
        std::visit(
            [&](const auto& list) {
                auto from = list.begin();
                for (std::size_t i = 0; i < step_.outputs.size(); ++i) {
                    const auto to = from + static_cast<std::ptrdiff_t>(out(i).elements());
                    out(i).numbers = std::decay_t<decltype(list)>(from, to);
                    from = to;
                }
            },
            *in(0).numbers);
    }

    void where() {
        const Whole* choice = whole(0);
        if (choice == nullptr || in(1).numbers->index() != in(2).numbers->index()) {
            return;
        }
        const OnnxPlaces condition = onnx_broadcast_places(in(0).shape, out().shape);
        const OnnxPlaces yes = onnx_broadcast_places(in(1).shape, out().shape);
        const OnnxPlaces no = onnx_broadcast_places(in(2).shape, out().shape);
        const auto choose = [&](const auto& first, const auto& second) {
            std::decay_t<decltype(first)> result;
            for (std::size_t i = 0; i < condition.size(); ++i) {
                result.push_back((*choice)[condition[i]] != 0 ? first[yes[i]] : second[no[i]]);
            }
            set(std::move(result));
        };
        if (whole(1) != nullptr) {
            choose(*whole(1), *whole(2));
        } else {
            choose(*real(1), *real(2));
        }
    }

    /// To one number, as that is what shapes are computed with.
    void reduce() {
        const Whole* list = whole(0);
        if (list == nullptr || list->empty() || out().elements() != 1) {
            return;
        }
        std::int64_t result = list->front();
        for (std::size_t i = 1; i < list->size(); ++i) {
            const std::int64_t next = (*list)[i];
            if (op_ == "ReduceProd") {
                result = onnx_wrapped(onnx_bits(result) * onnx_bits(next));
            } else if (op_ == "ReduceSum") {
                result = onnx_wrapped(onnx_bits(result) + onnx_bits(next));
            } else if (op_ == "ReduceMax") {
                result = std::max(result, next);
            } else if (op_ == "ReduceMin") {
                result = std::min(result, next);
            } else {
                return;
            }
        }
        out().numbers = Whole{result};
    }

    template <class Number>
    bool one_operand(const std::vector<Number>* list) {
        const OnnxUnary<Number> function = find_onnx_unary<Number>(op_);
        if (function == nullptr || list == nullptr) {
            return false;
        }
        std::vector<Number> result = *list;
        std::transform(result.begin(), result.end(), result.begin(), function);
        set(std::move(result));
        return true;
    }

    template <class Number>
    bool two_operands(const std::vector<Number>* a, const std::vector<Number>* b) {
        const OnnxBinary<Number> function = find_onnx_binary<Number>(op_);
        if (function == nullptr || a == nullptr || b == nullptr) {
            return false;
        }
        const OnnxPlaces left = onnx_broadcast_places(in(0).shape, out().shape);
        const OnnxPlaces right = onnx_broadcast_places(in(1).shape, out().shape);
        std::vector<Number> result;
        for (std::size_t i = 0; i < left.size(); ++i) {
            result.push_back(function((*a)[left[i]], (*b)[right[i]]));
        }
        set(std::move(result));
        return true;
    }

    /// Operators that take elements from other places.
    void pick() {
        const Shape& from = in(0).shape;
        const Shape& to = out().shape;
        const std::vector<std::size_t> strides = onnx_strides(from);
        OnnxPlaces places;
        if (op_ == "Expand") {
            places = onnx_broadcast_places(from, to);
        } else if (op_ == "Transpose") {
            const std::vector<std::size_t> order = onnx_permutation(step_, from.size());
            for_each_onnx_index(to, [&](const std::vector<std::size_t>& index) {
                std::size_t place = 0;
                for (std::size_t d = 0; d < order.size(); ++d) {
                    place += index[d] * strides[order[d]];
                }
                places.push_back(place);
            });
        } else if (op_ == "Tile") {
            for_each_onnx_index(to, [&](const std::vector<std::size_t>& index) {
                std::size_t place = 0;
                for (std::size_t d = 0; d < index.size(); ++d) {
                    place += index[d] % from[d] * strides[d];
                }
                places.push_back(place);
            });
        } else if (op_ == "Slice" && step_.inputs.size() >= 3) {
            const auto list = [&](std::size_t at) {
                return step_.has_input(at) && whole(at) != nullptr ? std::optional(*whole(at)) : std::nullopt;
            };
            if (!list(1) || !list(2)) {
                return;
            }
            const auto ranges = onnx_slice_ranges(step_, from, *list(1), *list(2), list(3), list(4));
            for_each_onnx_index(to, [&](const std::vector<std::size_t>& index) {
                std::int64_t place = 0;
                for (std::size_t d = 0; d < index.size(); ++d) {
                    place += (ranges[d].begin + static_cast<std::int64_t>(index[d]) * ranges[d].step) *
                             static_cast<std::int64_t>(strides[d]);
                }
                places.push_back(static_cast<std::size_t>(place));
            });
        } else if (op_ == "Gather" && whole(1) != nullptr && from.size() == 1) {
            for (const std::int64_t index : *whole(1)) {
                const std::int64_t place = index < 0 ? index + static_cast<std::int64_t>(from[0]) : index;
                if (place < 0 || place >= static_cast<std::int64_t>(from[0])) {
                    return;
                }
                places.push_back(static_cast<std::size_t>(place));
            }
        } else {
            return;
        }
        std::visit(
            [&](const auto& list) {
                std::decay_t<decltype(list)> result;
                for (const std::size_t place : places) {
                    result.push_back(list[place]);
                }
                set(std::move(result));
            },
            *in(0).numbers);
    }

    const OnnxStep& step_;
    std::vector<OnnxValue>& values_;
    std::string op_;
};

}  // namespace

void fold_onnx_numbers(const OnnxStep& step, std::vector<OnnxValue>& values) {
    Folder(step, values).run();
}

}  // namespace nibble
