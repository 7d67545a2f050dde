// SPDX-License-Identifier: MIT
#include "sim/lowering/recorded_values.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/numerics/fp4.h"
#include "models/numerics/fp8.h"
#include "models/numerics/half.h"
#include "models/numerics/int4.h"
#include "models/numerics/power_scale.h"
#include "models/numerics/sawb.h"
#include "sim/base/error.h"
#include "sim/input/gemm_direction.h"
#include "sim/input/trace_reader.h"
#include "sim/lowering/copy_format.h"

namespace nibble {

namespace fs = std::filesystem;

namespace {

double largest_of(std::span<const float> values) {
    float largest = 0.0F;
    for (const float x : values) {
        largest = std::max(largest, std::fabs(x));
    }
    return static_cast<double>(largest);
}

template <class Encode>
OperandCodes encoded(OperandFormat format, const QuantizationRange& range, std::span<const float> values,
                     Encode encode) {
    OperandCodes made{format, std::vector<std::uint16_t>(values.size()), range};
    std::transform(values.begin(), values.end(), made.codes.begin(), encode);
    return made;
}

template <class Map>
OperandCodes encoded_int4(OperandFormat format, RangeRule rule, std::span<const float> values, const Map& map) {
    const QuantizationRange range{rule, map.clip(), map.clip() / largest_magnitude(format), std::nullopt};
    return encoded(format, range, values, [&](float x) { return int4_bits(map.encode(static_cast<double>(x))); });
}

/// The range of a format whose numbers are multiplied by 2^scale_log2.
QuantizationRange scaled_range(RangeRule rule, OperandFormat format, int scale_log2) {
    const double scale = std::ldexp(1.0, -scale_log2);
    return {rule, largest_magnitude(format) * scale, scale, scale_log2};
}

OperandCodes encoded_int4_weight(std::span<const float> values, const GivenRange& given) {
    constexpr OperandFormat format = OperandFormat::int4_signed;
    if (given.clip) {
        return encoded_int4(format, RangeRule::given, values, SawbQuantizer(default_sawb_levels, *given.clip));
    }
    return encoded_int4(format, RangeRule::sawb, values, SawbQuantizer(default_sawb_levels, sawb_statistics(values)));
}

OperandCodes encoded_int4_activation(std::span<const float> values, const GivenRange& given) {
    const bool has_sign =
        given.has_sign ? *given.has_sign : std::ranges::any_of(values, [](float x) { return x < 0.0F; });
    const RangeRule rule = given.clip ? RangeRule::given : has_sign ? RangeRule::symmetric : RangeRule::pact;
    if (has_sign) {
        return encoded_int4(OperandFormat::int4_signed, rule, values,
                            given.clip ? Int4SymmetricMap(*given.clip) : Int4SymmetricMap::stretched_to(values));
    }
    return encoded_int4(OperandFormat::int4_unsigned, rule, values,
                        given.clip ? Int4UnsignedMap(*given.clip) : Int4UnsignedMap::stretched_to(values));
}

OperandCodes encoded_fp4(OperandFormat format, std::span<const float> values, const GivenRange& given) {
    const Fp4Phase phase = format == OperandFormat::fp4_even ? Fp4Phase::even : Fp4Phase::odd;
    const std::optional<std::int32_t>& said = given.fp4_scale_log2;
    const int scale_log2 = said ? *said : scale_log2_into(largest_of(values), fp4_largest_log2);
    if (said) {
        return encoded(format, scaled_range(RangeRule::given, format, scale_log2), values,
                       [&](float x) { return encode_fp4(decode_half(encode_half(x)), scale_log2, phase).code.bits; });
    }
    return encoded(format, scaled_range(RangeRule::grad_scale, format, scale_log2), values,
                   [&](float x) { return encode_fp4(x, scale_log2, phase).code.bits; });
}

OperandCodes encoded_fp8(OperandFormat format, std::span<const float> values, const GivenRange& given) {
    const Fp8Format layout = fp8_layout(format);
    const std::optional<std::int32_t>& said = given.fp8_scale_log2;
    const int scale_log2 = said ? *said : scale_log2_into(largest_of(values), fp8_largest_log2);
    return encoded(format, scaled_range(said ? RangeRule::given : RangeRule::power_of_two, format, scale_log2), values,
                   [&](float x) { return encode_fp8(layout, std::ldexp(static_cast<double>(x), scale_log2)); });
}

OperandCodes encoded_fp16(std::span<const float> values) {
    return encoded(OperandFormat::fp16, {RangeRule::unscaled, half_max, 1.0, std::nullopt}, values,
                   [](float x) { return encode_half_saturating(x).bits; });
}

}  // namespace

OperandCodes quantize_operand(std::span<const float> values, OperandFormat wanted, const GivenRange& given) {
    switch (wanted) {
        case OperandFormat::int4_signed:
            return encoded_int4_weight(values, given);
        case OperandFormat::int4_unsigned:
            return encoded_int4_activation(values, given);
        case OperandFormat::fp4_even:
        case OperandFormat::fp4_odd:
            return encoded_fp4(wanted, values, given);
        case OperandFormat::fp8_143:
        case OperandFormat::fp8_152:
            return encoded_fp8(wanted, values, given);
        case OperandFormat::fp16:
            break;
    }
    return encoded_fp16(values);
}

OperandFormat array_format(TensorRole role, Phase phase, const GemmPrecision& precision) {
    // However gradients are stored, the array takes the codes of one phase.
    switch (gemm_copy(role, phase, precision, GradientStorage::two_codes)) {
        case CopyFormat::int4:
            return role == TensorRole::weight ? OperandFormat::int4_signed : OperandFormat::int4_unsigned;
        case CopyFormat::fp4_even:
            return OperandFormat::fp4_even;
        case CopyFormat::fp4_odd:
            return OperandFormat::fp4_odd;
        case CopyFormat::fp8:
            return role == TensorRole::gradient ? OperandFormat::fp8_152 : OperandFormat::fp8_143;
        case CopyFormat::fp4_pair:
        case CopyFormat::fp16:
        case CopyFormat::fp32:
        case CopyFormat::mask:
            break;
    }
    return OperandFormat::fp16;
}

void require_given_range_fits(const Tensor& tensor, OperandFormat wanted) {
    if (!tensor.quantized || wanted == OperandFormat::fp16) {
        return;
    }
    const GivenRange& given = *tensor.quantized;
    const bool int4 = wanted == OperandFormat::int4_signed || wanted == OperandFormat::int4_unsigned;
    const bool fp4 = wanted == OperandFormat::fp4_even || wanted == OperandFormat::fp4_odd;
    const bool said = int4  ? given.clip.has_value()
                      : fp4 ? given.fp4_scale_log2.has_value()
                            : given.fp8_scale_log2.has_value();
    if (!said) {
        const std::string_view says = given.clip             ? "INT4 (clip)"
                                      : given.fp4_scale_log2 ? "FP4 (fp4_scale_log2)"
                                                             : "FP8 (fp8_scale_log2)";
        throw InputError(
            fmt::format("tensor {} says how it was quantised to {}, but this GEMM reads it in {}: expected "
                        "{}, or the recipe that it was recorded with",
                        tensor.id, says,
                        int4  ? "INT4"
                        : fp4 ? "FP4"
                              : "FP8",
                        int4  ? "a clip"
                        : fp4 ? "an fp4_scale_log2"
                              : "an fp8_scale_log2"));
    }
    if (wanted == OperandFormat::int4_signed && given.has_sign == false) {
        throw InputError(
            fmt::format("tensor {} is a weight, whose INT4 codes have a sign: expected \"signed\":true", tensor.id));
    }
}

std::optional<ImageShape> image_shape(const Operation& operation, std::size_t input) {
    const auto* c = std::get_if<Convolution>(&operation.work);
    if (c == nullptr) {
        return std::nullopt;
    }
    const ImageShape x{c->n, c->c, c->h, c->w};
    const ImageShape w{c->k, c->c / c->groups, c->r, c->s};
    const ImageShape y{c->n, c->k, c->p(), c->q()};
    switch (computed_as(operation)) {
        case Phase::dx:
            return input == 0 ? y : w;
        case Phase::dw:
            return input == left_input(operation) ? y : x;
        default:
            return input == 0 ? x : w;
    }
}

std::vector<std::uint64_t> result_shape(const Operation& operation) {
    if (const auto* product = std::get_if<Matmul>(&operation.work)) {
        return {product->batch, product->m, product->n};
    }
    const auto& c = std::get<Convolution>(operation.work);
    switch (computed_as(operation)) {
        case Phase::dx:
            return {c.n, c.c, c.h, c.w};
        case Phase::dw:
            return {c.k, c.c / c.groups, c.r, c.s};
        default:
            return {c.n, c.k, c.p(), c.q()};
    }
}

void require_image_shape(const Operation& operation, std::size_t input, const Tensor& tensor) {
    const std::optional<ImageShape> image = image_shape(operation, input);
    if (image && tensor.shape.size() == image->size() && !std::ranges::equal(tensor.shape, *image)) {
        throw InputError(fmt::format("tensor {} must be {} as the convolution says, it is {}", tensor.id,
                                     fmt::join(*image, "x"), fmt::join(tensor.shape, "x")));
    }
}

template <class Element>
std::vector<Element> channels_last(std::span<const Element> elements, const ImageShape& shape) {
    const auto [images, channels, height, width] = shape;
    const std::uint64_t pixels = height * width;
    if (elements.size() != images * channels * pixels) {
        throw ModelError(fmt::format("{} elements for an image of {}", elements.size(), fmt::join(shape, "x")));
    }
    std::vector<Element> moved(elements.size());
    std::size_t from = 0;
    for (std::uint64_t image = 0; image < images; ++image) {
        for (std::uint64_t channel = 0; channel < channels; ++channel) {
            for (std::uint64_t pixel = 0; pixel < pixels; ++pixel) {
                moved[(image * pixels + pixel) * channels + channel] = elements[from++];
            }
        }
    }
    return moved;
}

template std::vector<std::uint16_t> channels_last(std::span<const std::uint16_t>, const ImageShape&);
template std::vector<float> channels_last(std::span<const float>, const ImageShape&);

RecordedValues::RecordedValues(const std::string& trace_path) : directory_(fs::path(trace_path).parent_path()) {}

NpyFile RecordedValues::open(const std::string& name, std::span<const std::uint64_t> shape) const {
    if (name.find('\0') != std::string::npos) {
        throw InputError(fmt::format("expected a path, found '{}'", printable(name)));
    }
    NpyFile file(directory_ / fs::path(name));
    file.require_shape(shape);
    return file;
}

void RecordedValues::check(const Tensor& tensor) const {
    open(tensor.values, tensor.shape).require_finite();
}

RecordedOperand RecordedValues::load(const Operation& operation, std::size_t input, const Tensor& tensor,
                                     OperandFormat wanted) const {
    require_image_shape(operation, input, tensor);
    require_given_range_fits(tensor, wanted);
    RecordedOperand operand;
    operand.values = open(tensor.values, tensor.shape).read();
    operand.quantized = quantize_operand(operand.values, wanted, tensor.quantized.value_or(GivenRange{}));
    return operand;
}

void RecordedValues::check_result(const Operation& operation) const {
    open(operation.result, result_shape(operation)).require_finite();
}

std::vector<float> RecordedValues::load_result(const Operation& operation) const {
    return open(operation.result, result_shape(operation)).read();
}

void require_recorded_fit(const Tensor& left, const Tensor& right) {
    const std::uint64_t elements =
        (left.values.empty() ? 0 : left.elements) + (right.values.empty() ? 0 : right.elements);
    if (elements > RecordedValues::most_elements) {
        throw InputError(fmt::format(
            "the recorded operands have {} elements together, more than {} (2 GiB of codes, 4 GiB of numbers)",
            elements, RecordedValues::most_elements));
    }
}

std::uint64_t check_recorded_values(const std::string& trace_path, const Selection& selection,
                                    std::span<const Recipe* const> recipes) {
    struct Named {
        Tensor tensor;
        bool checked = false;
    };
    std::unordered_map<TensorId, Named> named;
    const RecordedValues recorded(trace_path);
    TraceReader reader{fs::path(trace_path)};
    ProblemList problems(trace_path);
    std::uint64_t operands_recorded = 0;
    const auto check = [&](const Operation& operation) {
        const auto attempt = [&](const auto& act) {
            try {
                act();
            } catch (const InputError& error) {
                problems.add(operation.line, 0, fmt::format("{}: {}", printable(operation.layer), error.what()));
            }
        };
        std::array<Tensor, 2> operands;
        for (std::size_t input = 0; input < operands.size(); ++input) {
            const auto found = named.find(operation.inputs[input]);
            if (found == named.end()) {
                continue;
            }
            ++operands_recorded;
            operands[input] = found->second.tensor;
            attempt([&] { require_image_shape(operation, input, operands[input]); });
            for (const Recipe* recipe : recipes) {
                attempt([&] {
                    require_given_range_fits(operands[input], array_format(operands[input].role, operation.phase,
                                                                           recipe->precision_of(operation)));
                });
            }
            if (!std::exchange(found->second.checked, true)) {
                attempt([&] { recorded.check(operands[input]); });
            }
        }
        attempt([&] { require_recorded_fit(operands[0], operands[1]); });
        if (!operation.result.empty()) {
            attempt([&] {
                if (operands[0].values.empty() || operands[1].values.empty()) {
                    throw InputError("result: can only be compared if both operands name values");
                }
                recorded.check_result(operation);
            });
        }
    };
    while (const auto item = reader.next()) {
        const auto* tensor = std::get_if<Tensor>(&*item);
        if (tensor != nullptr && !tensor->values.empty()) {
            named.emplace(tensor->id, Named{*tensor});
        }
        const auto* operation = std::get_if<Operation>(&*item);
        if (operation != nullptr && runs_on_array(*operation) && selection.contains(*operation)) {
            check(*operation);
        }
    }
    problems.throw_if_any();
    return operands_recorded;
}

}  // namespace nibble
