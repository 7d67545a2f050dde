// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nibble {

/// A design of a discrete space: for each axis the place of its value.
using Genome = std::vector<std::size_t>;

/// Designs of a space whose axes have so many values; nothing if there are more than 2^63.
[[nodiscard]] std::optional<std::uint64_t> space_size(std::span<const std::size_t> sizes);

/// The design of a number below space_size(); the last axis runs fastest.
[[nodiscard]] Genome design_of(std::uint64_t number, std::span<const std::size_t> sizes);
[[nodiscard]] std::uint64_t number_of(const Genome& design, std::span<const std::size_t> sizes);

/// `count` different designs, each set of them as likely as any other (Floyd's algorithm), by rising number; all there
/// are if they are no more. The space has at most 2^63 designs, and at least one.
[[nodiscard]] std::vector<Genome> random_designs(std::span<const std::size_t> sizes, std::size_t count,
                                                 std::uint64_t seed);

/// `count` different designs that use the values of every axis evenly (McKay et al. 1979): each value as often as any
/// other, give or take one; of an axis with more values than designs, one from each of `count` equal parts. Where that
/// would repeat a design and no exchange of values helps (most of a small space is asked for), a random one is taken
/// instead. All designs there are if they are no more.
[[nodiscard]] std::vector<Genome> latin_hypercube(std::span<const std::size_t> sizes, std::size_t count,
                                                  std::uint64_t seed);

}  // namespace nibble
