// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/config/yaml_reader.h"
#include "sim/import/tables/einsum.h"

namespace nibble {

/// One layer of a ZigZag workload. Names of dimensions and indices are in lower case.
struct ZigZagLayer {
    /// Of an index of the input: its size and what is added on either side, as far as they are given.
    struct Extent {
        std::optional<std::uint64_t> size;
        std::uint64_t before = 0, after = 0;
    };

    YamlNode node;
    std::uint64_t id = 0;
    std::string name;           ///< "" if it has none
    std::string operator_type;  ///< as it is written
    bool adds = false;          ///< the equation adds its operands
    Einsum einsum;
    std::map<std::string, std::uint64_t> bits;     ///< by operand; also "O_final"
    std::map<std::string, std::uint64_t> sources;  ///< by operand: the layer whose result it is; its own id: constant
    std::map<std::string, Extent> extents;         ///< by index of the input

    explicit ZigZagLayer(YamlNode from) : node(std::move(from)) {}
};

/// The layers of a workload, in the order of the file. Keys that are not known are noted, once each. Problems go to the
/// document; layers that have any are left out.
[[nodiscard]] std::vector<ZigZagLayer> read_zigzag_layers(const YamlNode& root, std::vector<std::string>& notes);

}  // namespace nibble
