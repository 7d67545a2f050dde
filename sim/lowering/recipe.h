// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/mac_array/mac_array_params.h"
#include "sim/input/operation.h"

namespace nibble {

/// Element formats of tensors in memory.
enum class StorageFormat : std::uint8_t { int4, fp4, fp8, fp16, fp32 };

[[nodiscard]] constexpr std::uint32_t bits_of(StorageFormat format) {
    switch (format) {
        case StorageFormat::int4:
        case StorageFormat::fp4:
            return 4;
        case StorageFormat::fp8:
            return 8;
        case StorageFormat::fp16:
            return 16;
        case StorageFormat::fp32:
            return 32;
    }
    return 0;
}

/// How one GEMM is computed: the array's mode, and the format in which an operand of each role is stored.
/// A GEMM reads at most two of the three roles; the format of a role that it does not read has no meaning.
struct GemmPrecision {
    ArrayMode mode = ArrayMode::fp16;
    StorageFormat activation = StorageFormat::fp16;
    StorageFormat weight = StorageFormat::fp16;
    StorageFormat gradient = StorageFormat::fp16;
    friend bool operator==(const GemmPrecision&, const GemmPrecision&) = default;
};

/// The three GEMMs of a layer.
struct LayerPrecision {
    GemmPrecision forward, dx, dw;
};

/// A precision policy: for every GEMM of a training step, its mode and the formats of its operands.
///
/// Most recipes are a table of layer class by GEMM, after Sun et al. 2020, figures 4b and 6c. Layer classes, the first
/// that applies:
///  - sensitive: depthwise convolutions (Sun section 5), and the first and the last GEMM layer of the network (Sun
///    section 2 builds on the selective precision rules of [14,15]; that these two run in 16 bits is our assumption);
///  - pointwise: 1x1 convolutions;
///  - other: everything else. Products of two activations follow it too; operands are told apart by their role.
///
/// Recipe as-recorded is a table of width by GEMM: each layer runs in the narrowest mode that holds both operands of
/// its forward GEMM as the trace gives them (Operation::operand_bits). Widths: up to 4 bits; up to 8 bits; above, or
/// none given. Depthwise convolutions, which the vector unit computes, count as the last.
class Recipe {
public:
    static constexpr std::size_t layer_kinds = 3;
    /// The row of the table that a GEMM belongs to.
    using KindOf = std::size_t (*)(const Operation& gemm);

    constexpr Recipe(std::string_view name, std::string_view description, KindOf kind_of,
                     std::array<LayerPrecision, layer_kinds> layers)
        : name_(name), description_(description), kind_of_(kind_of), layers_(layers) {}

    [[nodiscard]] std::string_view name() const { return name_; }
    [[nodiscard]] std::string_view description() const { return description_; }

    /// `operation` must be a GEMM (a convolution or a matrix product) of phase forward, dx or dw.
    [[nodiscard]] const GemmPrecision& precision_of(const Operation& operation) const;

private:
    std::string_view name_;
    std::string_view description_;
    KindOf kind_of_;
    std::array<LayerPrecision, layer_kinds> layers_;
};

/// The recipe of this name, or null. Recipes live as long as the program.
[[nodiscard]] const Recipe* find_recipe(std::string_view name);

/// In the order in which people should see them.
[[nodiscard]] std::vector<std::string> recipe_names();

}  // namespace nibble
