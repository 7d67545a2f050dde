// SPDX-License-Identifier: MIT
#include "sim/energy/least_squares.h"

#include <cmath>
#include <cstddef>
#include <utility>

namespace nibble {

namespace {

constexpr double smallest_pivot = 1e-9;  // below, features are taken as dependent: here they are of the order of 1

/// Solves a square system, given with its right-hand side as last column, by elimination with pivoting.
std::optional<std::vector<double>> solve(std::vector<std::vector<double>> system) {
    const std::size_t unknowns = system.size();
    for (std::size_t i = 0; i < unknowns; ++i) {
        std::size_t pivot = i;
        for (std::size_t row = i + 1; row < unknowns; ++row) {
            pivot = std::abs(system[row][i]) > std::abs(system[pivot][i]) ? row : pivot;
        }
        std::swap(system[i], system[pivot]);
        if (std::abs(system[i][i]) < smallest_pivot) {
            return std::nullopt;
        }
        for (std::size_t row = 0; row < unknowns; ++row) {
            const double factor = row == i ? 0 : system[row][i] / system[i][i];
            for (std::size_t column = i; column <= unknowns; ++column) {
                system[row][column] -= factor * system[i][column];
            }
        }
    }
    std::vector<double> solution(unknowns);
    for (std::size_t i = 0; i < unknowns; ++i) {
        solution[i] = system[i][unknowns] / system[i][i];
    }
    return solution;
}

}  // namespace

std::optional<std::vector<double>> least_squares(const std::vector<std::vector<double>>& features,
                                                 const std::vector<double>& values) {
    // The normal equations: their sums run over the rows.
    const std::size_t unknowns = features.empty() ? 0 : features.front().size();
    std::vector<std::vector<double>> system(unknowns, std::vector<double>(unknowns + 1));
    for (std::size_t row = 0; row < features.size(); ++row) {
        for (std::size_t i = 0; i < unknowns; ++i) {
            for (std::size_t j = 0; j < unknowns; ++j) {
                system[i][j] += features[row][i] * features[row][j];
            }
            system[i][unknowns] += features[row][i] * values[row];
        }
    }
    return solve(std::move(system));
}

}  // namespace nibble
