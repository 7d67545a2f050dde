// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/element_type.h"

#include <algorithm>
#include <array>

namespace nibble {

namespace {

struct Row {
    std::string_view name;
    ElementType type;
};

// Compilers differ in how they write the integers.
constexpr std::array<Row, 32> rows{{
    {"float", {ElementKind::floating, 32}},
    {"double", {ElementKind::floating, 64}},
    {"c10::Half", {ElementKind::floating, 16}},
    {"c10::BFloat16", {ElementKind::floating, 16}},
    {"c10::Float8_e4m3fn", {ElementKind::floating, 8}},
    {"c10::Float8_e4m3fnuz", {ElementKind::floating, 8}},
    {"c10::Float8_e5m2", {ElementKind::floating, 8}},
    {"c10::Float8_e5m2fnuz", {ElementKind::floating, 8}},
    {"c10::Float8_e8m0fnu", {ElementKind::floating, 8}},
    {"c10::complex<c10::Half>", {ElementKind::other, 32}},
    {"c10::complex<float>", {ElementKind::other, 64}},
    {"c10::complex<double>", {ElementKind::other, 128}},
    {"bool", {ElementKind::boolean, 8}},
    {"signed char", {ElementKind::integer, 8}},
    {"char", {ElementKind::integer, 8}},
    {"unsigned char", {ElementKind::integer, 8}},
    {"short", {ElementKind::integer, 16}},
    {"short int", {ElementKind::integer, 16}},
    {"unsigned short", {ElementKind::integer, 16}},
    {"short unsigned int", {ElementKind::integer, 16}},
    {"int", {ElementKind::integer, 32}},
    {"unsigned int", {ElementKind::integer, 32}},
    {"long", {ElementKind::integer, 64}},
    {"long int", {ElementKind::integer, 64}},
    {"unsigned long", {ElementKind::integer, 64}},
    {"long unsigned int", {ElementKind::integer, 64}},
    {"long long", {ElementKind::integer, 64}},
    {"__int64", {ElementKind::integer, 64}},
    {"unsigned __int64", {ElementKind::integer, 64}},
    {"c10::qint8", {ElementKind::integer, 8}},
    {"c10::quint8", {ElementKind::integer, 8}},
    {"c10::qint32", {ElementKind::integer, 32}},
}};

}  // namespace

std::optional<ElementType> element_type(std::string_view name) {
    const auto* row = std::find_if(rows.begin(), rows.end(), [name](const Row& r) { return r.name == name; });
    return row == rows.end() ? std::nullopt : std::optional(row->type);
}

}  // namespace nibble
