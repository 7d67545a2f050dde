// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_values.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/input/gemm_direction.h"
#include "sim/lowering/copy_format.h"
#include "sim/lowering/gemm_reference.h"

namespace nibble {

namespace {

using Element = std::optional<std::uint64_t>;  // nothing: padding

using Layer = LayerValues;

/// Input channels, output channels and so on of one group.
std::uint64_t group_c(const Convolution& c) {
    return c.c / c.groups;
}
std::uint64_t group_k(const Convolution& c) {
    return c.k / c.groups;
}

/// Element of x (N,H,W,C) under tap (r, s) of output (row, q), where `row` counts over all images.
Element input_element(const Convolution& c, std::uint64_t row, std::uint64_t q, std::uint64_t r, std::uint64_t s,
                      std::uint64_t channel) {
    const std::uint64_t n = row / c.p();
    const std::uint64_t h = row % c.p() * c.stride_h + r * c.dilation_h;  // still padded
    const std::uint64_t w = q * c.stride_w + s * c.dilation_w;
    if (h < c.pad_top || h - c.pad_top >= c.h || w < c.pad_left || w - c.pad_left >= c.w) {
        return {};
    }
    return ((n * c.h + h - c.pad_top) * c.w + w - c.pad_left) * c.c + channel;
}

std::uint64_t weight_element(const Convolution& c, std::uint64_t k, std::uint64_t r, std::uint64_t s,
                             std::uint64_t channel) {
    return ((k * c.r + r) * c.s + s) * group_c(c) + channel;
}

/// The dy (N,P,Q,K) that tap (r, s) of input pixel (n, h, w) contributed to, if there is one.
Element gradient_element(const Convolution& c, std::uint64_t n, std::uint64_t h, std::uint64_t w, std::uint64_t r,
                         std::uint64_t s, std::uint64_t k) {
    const std::uint64_t ph = h + c.pad_top;
    const std::uint64_t pw = w + c.pad_left;
    if (ph < r * c.dilation_h || pw < s * c.dilation_w) {
        return {};
    }
    const std::uint64_t up = ph - r * c.dilation_h;
    const std::uint64_t left = pw - s * c.dilation_w;
    if (up % c.stride_h != 0 || left % c.stride_w != 0 || up / c.stride_h >= c.p() || left / c.stride_w >= c.q()) {
        return {};
    }
    return ((n * c.p() + up / c.stride_h) * c.q() + left / c.stride_w) * c.k + k;
}

/// Gathers a tile's operands in the array's order, pass after pass, and the numbers behind them where they are kept.
class Gather {
public:
    Gather(const Layer& layer, const TileRange& tile, TileValues& out, TileNumbers& numbers)
        : layer_(layer), tile_(tile), out_(out), numbers_(numbers) {}

    void run() {
        if (const auto* matmul = std::get_if<Matmul>(&layer_.operation.work)) {
            gather(*matmul);
            return;
        }
        const auto& c = std::get<Convolution>(layer_.operation.work);
        switch (computed_as(layer_.operation)) {
            case Phase::forward:
                gather_forward(c);
                break;
            case Phase::dx:
                gather_dx(c);
                break;
            default:
                gather_dw(c);
                break;
        }
    }

private:
    void left(const Element& element) { add(layer_.left, element, out_.left, numbers_.left); }
    void right(const Element& element) { add(layer_.right, element, out_.right, numbers_.right); }

    static void add(const ValueSource& source, const Element& element, std::vector<std::uint16_t>& codes,
                    std::vector<float>& numbers) {
        codes.push_back(element ? source.code(*element) : std::uint16_t{0});
        if (source.numbers != nullptr) {
            numbers.push_back(element ? (*source.numbers)[*element] : 0.0F);
        }
    }

    void gather(const Matmul& x) {
        const std::uint64_t left_size = x.m * x.k;
        const std::uint64_t right_size = x.k * x.n;
        for (std::uint64_t b = tile_.batch.begin; b < tile_.batch.end; ++b) {
            const std::uint64_t left_base = layer_.left_elements == left_size ? 0 : b * left_size;
            const std::uint64_t right_base = layer_.right_elements == right_size ? 0 : b * right_size;
            for (std::uint64_t m = tile_.i.begin; m < tile_.i.end; ++m) {
                for (std::uint64_t k = tile_.l.begin; k < tile_.l.end; ++k) {
                    left(left_base + (x.left_transposed ? k * x.m + m : m * x.k + k));
                }
            }
            for (std::uint64_t k = tile_.l.begin; k < tile_.l.end; ++k) {
                for (std::uint64_t n = tile_.j.begin; n < tile_.j.end; ++n) {
                    right(right_base + (x.right_transposed ? n * x.k + k : k * x.n + n));
                }
            }
        }
    }

    template <class Visit>
    static void for_each_tap(const Convolution& c, Visit visit) {
        for (std::uint64_t r = 0; r < c.r; ++r) {
            for (std::uint64_t s = 0; s < c.s; ++s) {
                visit(r, s);
            }
        }
    }

    void gather_forward(const Convolution& c) {
        const std::uint64_t first_c = tile_.batch.begin * group_c(c);
        const std::uint64_t first_k = tile_.batch.begin * group_k(c);
        for (std::uint64_t row = tile_.i.begin; row < tile_.i.end; ++row) {
            for (std::uint64_t q = 0; q < c.q(); ++q) {
                for_each_tap(c, [&](std::uint64_t r, std::uint64_t s) {
                    for (std::uint64_t l = tile_.l.begin; l < tile_.l.end; ++l) {
                        left(input_element(c, row, q, r, s, first_c + l));
                    }
                });
            }
        }
        for_each_tap(c, [&](std::uint64_t r, std::uint64_t s) {
            for (std::uint64_t l = tile_.l.begin; l < tile_.l.end; ++l) {
                for (std::uint64_t k = tile_.j.begin; k < tile_.j.end; ++k) {
                    right(weight_element(c, first_k + k, r, s, l));
                }
            }
        });
    }

    void gather_dx(const Convolution& c) {
        const std::uint64_t first_k = tile_.batch.begin * group_k(c);
        const std::uint64_t groups = layer_.problem.i().period;
        for (std::uint64_t a = 0; a < c.stride_h; ++a) {
            for (std::uint64_t b = 0; b < c.stride_w; ++b) {
                // Taps that reach this class, in ascending order.
                std::vector<std::pair<std::uint64_t, std::uint64_t>> taps;
                for_each_tap(c, [&](std::uint64_t r, std::uint64_t s) {
                    const bool row_fits = (a + c.pad_top + r * c.dilation_h * (c.stride_h - 1)) % c.stride_h == 0;
                    const bool col_fits = (b + c.pad_left + s * c.dilation_w * (c.stride_w - 1)) % c.stride_w == 0;
                    if (row_fits && col_fits) {
                        taps.emplace_back(r, s);
                    }
                });
                if (taps.empty()) {
                    continue;
                }
                std::uint64_t pixels = 0;
                for (std::uint64_t i = tile_.i.begin; i < tile_.i.end; ++i) {
                    const std::uint64_t h = i % groups * c.stride_h + a;
                    for (std::uint64_t w = b; h < c.h && w < c.w; w += c.stride_w) {
                        ++pixels;
                        for (const auto& [r, s] : taps) {
                            for (std::uint64_t l = tile_.l.begin; l < tile_.l.end; ++l) {
                                left(gradient_element(c, i / groups, h, w, r, s, first_k + l));
                            }
                        }
                    }
                }
                if (pixels == 0) {
                    continue;
                }
                for (const auto& [r, s] : taps) {
                    for (std::uint64_t l = tile_.l.begin; l < tile_.l.end; ++l) {
                        for (std::uint64_t j = tile_.j.begin; j < tile_.j.end; ++j) {
                            right(weight_element(c, first_k + l, r, s, j));
                        }
                    }
                }
            }
        }
    }

    void gather_dw(const Convolution& c) {
        const std::uint64_t first_c = tile_.batch.begin * group_c(c);
        const std::uint64_t first_k = tile_.batch.begin * group_k(c);
        for (std::uint64_t k = tile_.i.begin; k < tile_.i.end; ++k) {
            for (std::uint64_t pixel = tile_.l.begin * c.q(); pixel < tile_.l.end * c.q(); ++pixel) {
                left(pixel * c.k + first_k + k);
            }
        }
        for (std::uint64_t row = tile_.l.begin; row < tile_.l.end; ++row) {
            for (std::uint64_t q = 0; q < c.q(); ++q) {
                for_each_tap(c, [&](std::uint64_t r, std::uint64_t s) {
                    for (std::uint64_t j = tile_.j.begin; j < tile_.j.end; ++j) {
                        right(input_element(c, row, q, r, s, first_c + j));
                    }
                });
            }
        }
    }

    const Layer& layer_;
    const TileRange& tile_;
    TileValues& out_;
    TileNumbers& numbers_;
};

}  // namespace

std::shared_ptr<const ValueRecord> GemmValues::begin(const Operation& operation, const GemmProblem& problem,
                                                     const Tiling& tiling, const GemmPrecision& precision,
                                                     const Tensor& left, const Tensor& right) {
    layer_.reset();  // and with it recorded codes, unless the array still works on them
    require_recorded_fit(left, right);
    if (dump_ != nullptr) {
        dump_->begin(operation);
    }
    const ArrayGeometry& geometry = *array_.modes[static_cast<std::size_t>(precision.mode)];
    measurement_ = std::make_shared<GemmMeasurement>(tiling.dataflow, geometry.macs_per_pe);
    const bool compares = !left.values.empty() && !right.values.empty();
    const std::size_t on_left = left_input(operation);
    const auto source_of = [&](const Tensor& tensor, std::size_t input) {
        return source(operation, input, tensor, array_format(tensor.role, operation.phase, precision), compares);
    };
    Layer layer{operation,     problem,        tiling, source_of(left, on_left), source_of(right, 1 - on_left),
                left.elements, right.elements, 1};
    const std::uint64_t outputs = problem.batch() * problem.m() * problem.n();
    layer.sample_step = std::max<std::uint64_t>(1, outputs / most_checked);
    layer_ = std::make_shared<const Layer>(std::move(layer));
    result_check_.reset();
    if (compares_results_ && !operation.result.empty()) {
        result_check_ = std::make_shared<const ResultCheck>(operation, problem, recorded_.load_result(operation));
        measurement_->begin_results(keeps_reduction_order(problem, tiling, array_.accumulation.chunk));
    }
    return measurement_->record();
}

ValueSource GemmValues::source(const Operation& operation, std::size_t input, const Tensor& tensor,
                               OperandFormat format, bool keeps_numbers) {
    const bool on_left = input == left_input(operation);
    if (tensor.values.empty()) {
        measurement_->describe(operation, input, on_left, format, nullptr);
        const std::uint64_t key = (seed_ * 0x2545f4914f6cdd1dU) ^ (std::uint64_t{tensor.id} << 40U);
        return {format, key, nullptr, nullptr};
    }
    RecordedOperand operand = recorded_.load(operation, input, tensor, format);
    measurement_->describe(operation, input, on_left, operand.quantized.format, &operand);
    if (dump_ != nullptr) {
        dump_->add(operand_name(operation, input), tensor, operand.quantized);
    }
    std::vector<std::uint16_t>& codes = operand.quantized.codes;
    std::vector<float>& numbers = operand.values;
    if (!keeps_numbers) {
        numbers = {};
    }
    if (const std::optional<ImageShape> image = image_shape(operation, input)) {
        codes = channels_last<std::uint16_t>(codes, *image);
        if (keeps_numbers) {
            numbers = channels_last<float>(numbers, *image);
        }
    }
    return {operand.quantized.format, 0, std::make_shared<const std::vector<std::uint16_t>>(std::move(codes)),
            keeps_numbers ? std::make_shared<const std::vector<float>>(std::move(numbers)) : nullptr};
}

std::shared_ptr<TileValues> GemmValues::tile(const TileRange& tile, bool first, bool last) {
    auto values = std::make_shared<TileValues>();
    values->left_format = layer_->left.format;
    values->right_format = layer_->right.format;
    TileNumbers numbers;
    Gather(*layer_, tile, *values, numbers).run();
    const std::vector<MatmulPass> passes = layer_->problem.passes(tile);
    const std::array<std::uint64_t, 3> place{tile.batch.begin, tile.i.begin, tile.j.begin};
    if (first) {
        std::uint64_t outputs = 0;
        for (const MatmulPass& pass : passes) {
            outputs += pass.m * pass.n;
        }
        reductions_[place] = {std::make_shared<std::vector<float>>(outputs),
                              measurement_->compares() ? std::make_shared<ExactOutputs>(outputs) : nullptr};
    }
    const Reduction reduction = reductions_.at(place);
    measurement_->add_tile(passes, *values, numbers, reduction.exact.get());
    values->sums = reduction.sums;
    if (last) {
        reductions_.erase(place);
        values->finished = [layer = layer_, tile, rule = array_.accumulation, checked = checked_,
                            measurement = measurement_, exact = reduction.exact,
                            result = result_check_](const std::vector<float>& sums) {
            *checked += check_tile(*layer, tile, rule, sums);
            if (exact != nullptr) {
                measurement->compare(*exact, sums);
            }
            if (result != nullptr) {
                measurement->compare_results(*result, tile, sums);
            }
        };
    }
    return values;
}

void GemmValues::finish() {
    if (dump_ != nullptr) {
        dump_->finish();
    }
}

}  // namespace nibble
