// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <pybind11/stl.h>
#include <string>
#include <string_view>
#include <vector>

#include "models/numerics/e2m1.h"
#include "models/numerics/int4.h"
#include "models/numerics/log5.h"
#include "models/numerics/luq.h"
#include "models/numerics/mxfp4.h"
#include "models/numerics/nvfp4.h"
#include "models/numerics/radix2_fp4.h"
#include "python/arguments.h"
#include "python/blocks.h"
#include "python/definitions.h"
#include "sim/base/units.h"

namespace nibble::python {

namespace {

using Codes8 = py::array_t<std::uint8_t>;
using CodesIn = py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>;
/// Where a tie must not hang on the last bit of float32.
using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;

constexpr std::array<std::string_view, 2> rounding_names{"nearest", "stochastic"};
constexpr std::array<std::string_view, 2> base_names{"2", "sqrt2"};

E2m1Rounding rounding_of(const std::string& text) {
    return static_cast<E2m1Rounding>(choice(text, rounding_names, "rounding"));
}

Log5Base base_of(const std::string& text) {
    return static_cast<Log5Base>(choice(text, base_names, "base"));
}

/// An array of x's shape whose elements `fill` writes, all at once.
template <class Fill>
py::array_t<float> filled(const Floats& x, Fill fill) {
    py::array_t<float> out(sizes_of(x));
    const std::span<float> to(out.mutable_data(), static_cast<std::size_t>(out.size()));
    const std::span<const float> from = span_of(x);
    const py::gil_scoped_release release;
    fill(from, to);
    return out;
}

/// x seen along an axis, and the axis counted from the front.
struct Axis {
    BlockLayout layout;
    std::size_t index = 0;
};

Axis axis_of(const Floats& x, py::ssize_t axis) {
    const py::ssize_t dimensions = x.ndim();
    if (axis < -dimensions || axis >= dimensions) {
        throw py::value_error("axis: expected one of the " + std::to_string(dimensions) + " of x, " + shape_of(x) +
                              ", found " + std::to_string(axis));
    }
    const py::ssize_t index = axis < 0 ? axis + dimensions : axis;
    Axis result{.layout = {.outer = 1, .length = static_cast<std::size_t>(x.shape(index)), .inner = 1},
                .index = static_cast<std::size_t>(index)};
    for (py::ssize_t other = 0; other < dimensions; ++other) {
        if (other != index) {
            (other < index ? result.layout.outer : result.layout.inner) *= static_cast<std::size_t>(x.shape(other));
        }
    }
    return result;
}

Codes8 code_bytes(const std::vector<std::uint8_t>& codes, const std::vector<py::ssize_t>& sizes) {
    Codes8 out(sizes);
    std::copy(codes.begin(), codes.end(), out.mutable_data());
    return out;
}

Mxfp4Tensor mxfp4_tensor(const Floats& x, py::ssize_t axis, const std::string& rounding, std::uint64_t seed) {
    const BlockLayout layout = axis_of(x, axis).layout;
    const E2m1Rounding chosen = rounding_of(rounding);
    const std::span<const float> tensor = span_of(x);
    const py::gil_scoped_release release;
    return encode_mxfp4(tensor, layout, chosen, seed);
}

py::tuple mxfp4_codes(const Floats& x, py::ssize_t axis, const std::string& rounding, std::uint64_t seed) {
    const Mxfp4Tensor tensor = mxfp4_tensor(x, axis, rounding, seed);
    std::vector<py::ssize_t> sizes = sizes_of(x);
    sizes[axis_of(x, axis).index] = static_cast<py::ssize_t>(tensor.layout.along(mxfp4_block));
    return py::make_tuple(code_bytes(tensor.elements, sizes_of(x)), code_bytes(tensor.scales, sizes));
}

py::array_t<float> mxfp4(const Floats& x, py::ssize_t axis, const std::string& rounding, std::uint64_t seed) {
    const Mxfp4Tensor tensor = mxfp4_tensor(x, axis, rounding, seed);
    return filled(x, [&](std::span<const float>, std::span<float> values) { decode_mxfp4(tensor, values); });
}

Nvfp4Tensor nvfp4_tensor(const Floats& x, py::ssize_t axis, const std::string& rounding, std::uint64_t seed,
                         bool two_dimensional) {
    if (two_dimensional && x.ndim() != 2) {
        throw py::value_error("x: expected a matrix for two-dimensional blocks, found shape " + shape_of(x));
    }
    const BlockLayout layout = axis_of(x, two_dimensional ? 0 : axis).layout;
    const E2m1Rounding chosen = rounding_of(rounding);
    const std::span<const float> tensor = span_of(x);
    const py::gil_scoped_release release;
    return encode_nvfp4(tensor, layout, two_dimensional ? Nvfp4Blocks::tiles : Nvfp4Blocks::along_axis, chosen, seed);
}

py::tuple nvfp4_codes(const Floats& x, py::ssize_t axis, const std::string& rounding, std::uint64_t seed,
                      bool two_dimensional) {
    const Nvfp4Tensor tensor = nvfp4_tensor(x, axis, rounding, seed, two_dimensional);
    std::vector<py::ssize_t> sizes = sizes_of(x);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (two_dimensional || i == axis_of(x, axis).index) {
            sizes[i] = static_cast<py::ssize_t>(ceil_div(static_cast<std::uint64_t>(sizes[i]), nvfp4_block));
        }
    }
    return py::make_tuple(code_bytes(tensor.elements, sizes_of(x)), code_bytes(tensor.scales, sizes),
                          tensor.scale.decode);
}

py::array_t<float> nvfp4(const Floats& x, py::ssize_t axis, const std::string& rounding, std::uint64_t seed,
                         bool two_dimensional) {
    const Nvfp4Tensor tensor = nvfp4_tensor(x, axis, rounding, seed, two_dimensional);
    return filled(x, [&](std::span<const float>, std::span<float> values) { decode_nvfp4(tensor, values); });
}

py::array_t<float> luq(const Floats& x, std::uint64_t seed, int levels, std::optional<double> largest) {
    if (levels < 1 || levels > most_luq_levels) {
        throw py::value_error("levels: expected 1 to " + std::to_string(most_luq_levels) + ", found " +
                              std::to_string(levels));
    }
    if (largest && !(*largest >= 0.0 && *largest <= static_cast<double>(std::numeric_limits<float>::max()))) {
        throw py::value_error("largest: expected a float32 number from 0, found " + std::to_string(*largest));
    }
    return filled(x, [&](std::span<const float> tensor, std::span<float> values) {
        const LuqGrid grid =
            largest ? LuqGrid(static_cast<float>(*largest), levels) : LuqGrid::stretched_to(tensor, levels);
        grid.round(tensor, seed, values);
    });
}

Log5Grid log5_grid(const Floats& x, std::optional<int> full_scale_log2, const std::string& base) {
    const Log5Base chosen = base_of(base);
    return full_scale_log2 ? Log5Grid(*full_scale_log2, chosen) : Log5Grid::stretched_to(span_of(x), chosen);
}

void require_full_scale(std::optional<int> full_scale_log2) {
    if (full_scale_log2 && (*full_scale_log2 < -149 || *full_scale_log2 > 127)) {
        throw py::value_error("full_scale_log2: expected -149 to 127, found " + std::to_string(*full_scale_log2));
    }
}

py::array_t<float> log5(const Floats& x, std::optional<int> full_scale_log2, const std::string& base) {
    require_full_scale(full_scale_log2);
    const Log5Grid grid = log5_grid(x, full_scale_log2, base);
    return filled(x, [&](std::span<const float> tensor, std::span<float> values) { grid.round(tensor, values); });
}

py::tuple log5_codes(const Floats& x, std::optional<int> full_scale_log2, const std::string& base) {
    require_full_scale(full_scale_log2);
    const Log5Grid grid = log5_grid(x, full_scale_log2, base);
    return py::make_tuple(mapped<std::uint8_t>(x, [=](float value) { return grid.encode(value); }),
                          grid.full_scale_log2());
}

py::array_t<float> log5_decode(const CodesIn& codes, int full_scale_log2, const std::string& base) {
    require_full_scale(full_scale_log2);
    const Log5Grid grid(full_scale_log2, base_of(base));
    return mapped<float>(codes, [=](std::uint8_t code) { return grid.decode(code); });
}

py::tuple int4_affine(const Doubles& x, double lowest, double highest) {
    if (!(std::isfinite(lowest) && std::isfinite(highest) && lowest <= highest)) {
        throw py::value_error("lowest, highest: expected finite numbers in this order, found " +
                              std::to_string(lowest) + " and " + std::to_string(highest));
    }
    const Int4AffineMap map(lowest, highest);
    return py::make_tuple(mapped<std::uint8_t>(x, [=](double value) { return int4_bits(map.encode(value)); }),
                          map.decode(1) - map.decode(0), map.decode(0));
}

Codes8 e2m1_encode(const Floats& x, const std::string& rounding, std::uint64_t seed) {
    const E2m1Rounding chosen = rounding_of(rounding);
    const CounterRandom random(seed);
    Codes8 out(sizes_of(x));
    const std::span<const float> from = span_of(x);
    std::uint8_t* to = out.mutable_data();
    {
        const py::gil_scoped_release release;
        for_each_block(from.size(), [&](std::size_t, std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                to[i] = nibble::encode_e2m1(from[i], chosen, random, i);
            }
        });
    }
    return out;
}

}  // namespace

void define_other_formats(py::module_& module) {
    using namespace pybind11::literals;
    module.def("int4_affine", &int4_affine, "x"_a, "lowest"_a, "highest"_a,
               "[lowest, highest] stretched to -8..7: (codes int4_signed, scale, zero); an integer stands for "
               "integer * scale + zero. NaN takes -8.");
    module.def(
        "radix2_fp4",
        [](const Floats& x, int scale_log2) {
            return filled(x, [&](std::span<const float> tensor, std::span<float> values) {
                round_to_radix2_fp4(tensor, scale_log2, values);
            });
        },
        "x"_a, "scale_log2"_a,
        "The nearest radix-2 FP4 levels of x * 2^scale_log2, divided by the scale again. Infinity and NaN saturate.");
    module.def(
        "radix2_fp4_codes",
        [](const Floats& x, int scale_log2) {
            return mapped<std::uint8_t>(x, [=](float value) { return encode_radix2_fp4(value, scale_log2); });
        },
        "x"_a, "scale_log2"_a, "Radix-2 FP4 codes of x * 2^scale_log2.");
    module.def(
        "radix2_fp4_decode",
        [](const CodesIn& codes) {
            return mapped<float>(codes, [](std::uint8_t code) { return decode_radix2_fp4(code); });
        },
        "codes"_a, "The levels of radix-2 FP4 codes, without a scale.");
    module.def("luq", &luq, "x"_a, "seed"_a, "levels"_a = default_luq_levels, "largest"_a = py::none(),
               "Logarithmic unbiased quantisation: 0 and largest / 2^k, k = 0..levels-1, right in expectation up to "
               "largest, by default the largest finite magnitude of x. Infinity and NaN saturate.");
    module.def("e2m1_encode", &e2m1_encode, "x"_a, "rounding"_a = "nearest", "seed"_a = 0,
               "E2M1 codes, to nearest even or stochastic, saturating at 6.");
    module.def(
        "e2m1_decode",
        [](const CodesIn& codes) { return mapped<float>(codes, [](std::uint8_t code) { return decode_e2m1(code); }); },
        "codes"_a, "The numbers of E2M1 codes.");
    module.def(
        "e8m0_decode",
        [](const CodesIn& codes) { return mapped<float>(codes, [](std::uint8_t code) { return decode_e8m0(code); }); },
        "codes"_a, "The scales of MX formats: 2^(code - 127), NaN for 255.");
    module.def("mxfp4", &mxfp4, "x"_a, "axis"_a = -1, "rounding"_a = "nearest", "seed"_a = 0,
               "x in MXFP4, blocks of 32 along the axis. Infinity and NaN make their block NaN.");
    module.def("mxfp4_codes", &mxfp4_codes, "x"_a, "axis"_a = -1, "rounding"_a = "nearest", "seed"_a = 0,
               "(E2M1 codes, E8M0 scales) of x in MXFP4.");
    module.def("nvfp4", &nvfp4, "x"_a, "axis"_a = -1, "rounding"_a = "nearest", "seed"_a = 0,
               "two_dimensional"_a = false,
               "x in NVFP4, blocks of 16 along the axis, or of 16 x 16 of a matrix. Infinity and NaN make their block "
               "NaN.");
    module.def("nvfp4_codes", &nvfp4_codes, "x"_a, "axis"_a = -1, "rounding"_a = "nearest", "seed"_a = 0,
               "two_dimensional"_a = false, "(E2M1 codes, E4M3 scales, scale of the tensor) of x in NVFP4.");
    module.def("log5", &log5, "x"_a, "full_scale_log2"_a = py::none(), "base"_a = "2",
               "The nearest levels in the logarithm: 0 and 15 levels from 2^full_scale_log2 down, by default from the "
               "largest finite magnitude of x. base: '2' or 'sqrt2'. Infinity and NaN saturate.");
    module.def("log5_codes", &log5_codes, "x"_a, "full_scale_log2"_a = py::none(), "base"_a = "2",
               "(5-bit codes, full_scale_log2).");
    module.def("log5_decode", &log5_decode, "codes"_a, "full_scale_log2"_a, "base"_a = "2",
               "The levels of 5-bit codes.");
}

}  // namespace nibble::python
