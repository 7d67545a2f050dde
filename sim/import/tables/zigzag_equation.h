// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/import/tables/einsum.h"

namespace nibble {

/// A layer's equation as ZigZag writes it (zigzag/parser/workload_validator.py):
/// "O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]". Names of indices are in lower case.
struct ZigZagEquation {
    struct Operand {
        std::string name;
        std::vector<std::string> indices;
    };
    Operand out, first, second;
    bool adds = false;  ///< the operands are added, not multiplied
};

/// Or what is wrong with it.
[[nodiscard]] std::variant<ZigZagEquation, std::string> parse_zigzag_equation(std::string_view text);

/// "ix = 2*ox + 1*fx": an index that is a sum of loop dimensions. Or what is wrong with it.
[[nodiscard]] std::variant<EinsumIndex, std::string> parse_zigzag_relation(std::string_view text);

/// The equation with operand `left` first, its indices replaced by what the relations say of them. Throws
/// nothing; the string says which index is neither a loop dimension nor in a relation.
[[nodiscard]] std::variant<Einsum, std::string> einsum_of(const ZigZagEquation& equation,
                                                          const std::map<std::string, std::uint64_t>& sizes,
                                                          const std::vector<EinsumIndex>& relations,
                                                          std::string_view left);

}  // namespace nibble
