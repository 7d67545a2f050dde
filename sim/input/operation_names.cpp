// SPDX-License-Identifier: MIT
#include "sim/input/operation_names.h"

#include <array>
#include <cstddef>

namespace nibble {

namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 8> roles{"activation", "weight",    "gradient", "weight_gradient",
                                                "state",      "statistic", "mask",     "index"};
constexpr std::array<std::string_view, 5> phases{"forward", "dx", "dw", "vector", "update"};
constexpr std::array<std::string_view, 3> positions{"first", "middle", "last"};

template <class E, std::size_t count>
std::optional<E> named(const std::array<std::string_view, count>& names, std::string_view name) {
    for (std::size_t i = 0; i < count; ++i) {
        if (names[i] == name) {
            return static_cast<E>(i);
        }
    }
    return std::nullopt;
}

template <std::size_t count>
std::vector<std::string> all(const std::array<std::string_view, count>& names) {
    return {names.begin(), names.end()};
}

}  // namespace

std::string_view name_of(TensorRole role) {
    return roles.at(static_cast<std::size_t>(role));
}
std::string_view name_of(Phase phase) {
    return phases.at(static_cast<std::size_t>(phase));
}
std::string_view name_of(Position position) {
    return positions.at(static_cast<std::size_t>(position));
}

std::optional<TensorRole> role_named(std::string_view name) {
    return named<TensorRole>(roles, name);
}
std::optional<Phase> phase_named(std::string_view name) {
    return named<Phase>(phases, name);
}
std::optional<Position> position_named(std::string_view name) {
    return named<Position>(positions, name);
}

std::vector<std::string> role_names() {
    return all(roles);
}
std::vector<std::string> phase_names() {
    return all(phases);
}
std::vector<std::string> position_names() {
    return all(positions);
}

}  // namespace nibble
