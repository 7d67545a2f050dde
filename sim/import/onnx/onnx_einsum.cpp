// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_einsum.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr int ellipsis = 0;

/// Letters of one operand, "..." as one entry.
std::vector<int> letters(const OnnxStep& step, std::string_view term) {
    std::vector<int> labels;
    for (std::size_t i = 0; i < term.size(); ++i) {
        if (term.substr(i, 3) == "...") {
            labels.push_back(ellipsis);
            i += 2;
        } else if (std::isalpha(static_cast<unsigned char>(term[i])) != 0) {
            labels.push_back(term[i]);
        } else {
            step.fail(fmt::format("equation: expected letters, '...', ',' and '->', found '{}'",
                                  printable(term.substr(i, 1))));
        }
    }
    return labels;
}

void append(std::vector<int>& all, const std::vector<int>& more) {
    all.insert(all.end(), more.begin(), more.end());
}

std::vector<int> joined(std::initializer_list<std::vector<int>> parts) {
    std::vector<int> all;
    for (const std::vector<int>& part : parts) {
        append(all, part);
    }
    return all;
}

}  // namespace

OnnxEinsum::OnnxEinsum(const OnnxStep& step, const std::vector<Shape>& shapes) {
    std::string equation = step.text("equation", "");
    std::erase(equation, ' ');
    const std::size_t arrow = equation.find("->");
    std::string_view left = std::string_view(equation).substr(0, arrow);
    std::vector<Labels> terms;
    while (true) {
        const std::size_t comma = left.find(',');
        terms.push_back(letters(step, left.substr(0, comma)));
        if (comma == std::string_view::npos) {
            break;
        }
        left.remove_prefix(comma + 1);
    }
    if (terms.size() != shapes.size()) {
        step.fail(fmt::format("equation '{}' has {} operands, the node {}", printable(equation), terms.size(),
                              shapes.size()));
    }
    int most_hidden = 0;  // dimensions that "..." stands for: -1 is the last
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const Labels& term = terms[i];
        const bool open = contains(term, ellipsis);
        const std::size_t named = term.size() - (open ? 1 : 0);
        if (shapes[i].size() < named || (!open && shapes[i].size() != named)) {
            step.fail(
                fmt::format("equation '{}': operand {} has {} dimensions", printable(equation), i, shapes[i].size()));
        }
        Labels labels;
        for (const int label : term) {
            if (label != ellipsis) {
                labels.push_back(label);
                continue;
            }
            const int hidden = static_cast<int>(shapes[i].size() - named);
            most_hidden = std::max(most_hidden, hidden);
            for (int place = -hidden; place < 0; ++place) {
                labels.push_back(place);
            }
        }
        if (labels.size() != shapes[i].size()) {
            step.fail(fmt::format("equation '{}': operand {} has '...' twice", printable(equation), i));
        }
        for (std::size_t d = 0; d < labels.size(); ++d) {
            const auto known =
                std::find_if(sizes_.begin(), sizes_.end(), [&](const auto& entry) { return entry.first == labels[d]; });
            if (known == sizes_.end()) {
                sizes_.emplace_back(labels[d], shapes[i][d]);
            } else if (known->second == 1 || shapes[i][d] == 1) {
                broadcasts_ = broadcasts_ || known->second != shapes[i][d];
                known->second = std::max(known->second, shapes[i][d]);
            } else if (shapes[i][d] != known->second) {
                step.fail(fmt::format("equation '{}': a dimension is {} in one operand and {} in another",
                                      printable(equation), known->second, shapes[i][d]));
            }
        }
        operands_.push_back(std::move(labels));
    }
    Labels wanted;
    if (arrow == std::string::npos) {  // all letters that stand once, in the order of the alphabet
        wanted.push_back(ellipsis);
        for (int letter = 'A'; letter <= 'z'; ++letter) {
            std::ptrdiff_t count = 0;
            for (const Labels& operand : operands_) {
                count += std::count(operand.begin(), operand.end(), letter);
            }
            if (count == 1) {
                wanted.push_back(letter);
            }
        }
    } else {
        wanted = letters(step, std::string_view(equation).substr(arrow + 2));
    }
    for (const int label : wanted) {
        if (label == ellipsis) {
            for (int place = -most_hidden; place < 0; ++place) {
                result_.push_back(place);
            }
            continue;
        }
        if (std::none_of(operands_.begin(), operands_.end(),
                         [&](const Labels& operand) { return contains(operand, label); }) ||
            contains(result_, label)) {
            step.fail(fmt::format("equation '{}': the result's dimensions must each be of an operand, and stand once",
                                  printable(equation)));
        }
        result_.push_back(label);
    }
}

bool OnnxEinsum::contains(const Labels& labels, int label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
}

std::uint64_t OnnxEinsum::size(const Labels& labels) const {
    std::uint64_t elements = 1;
    for (const int label : labels) {
        elements *=
            std::find_if(sizes_.begin(), sizes_.end(), [&](const auto& entry) { return entry.first == label; })->second;
    }
    return elements;
}

Shape OnnxEinsum::result_shape() const {
    Shape shape;
    for (const int label : result_) {
        shape.push_back(size({label}));
    }
    return shape;
}

bool OnnxEinsum::is_product() const {
    if (operands_.size() != 2 || broadcasts_) {
        return false;
    }
    for (std::size_t i = 0; i < 2; ++i) {
        for (const int label : operands_[i]) {
            const bool diagonal = std::count(operands_[i].begin(), operands_[i].end(), label) > 1;
            if (diagonal || (!contains(operands_[1 - i], label) && !contains(result_, label))) {
                return false;
            }
        }
    }
    return true;
}

OnnxEinsum::Product OnnxEinsum::product() const {
    const Labels& left = operands_[0];
    const Labels& right = operands_[1];
    Labels batch;
    Labels rows;
    Labels columns;
    for (const int label : result_) {
        const bool in_left = contains(left, label);
        (in_left && contains(right, label) ? batch : in_left ? rows : columns).push_back(label);
    }
    Labels summed;
    for (const int label : left) {
        if (!contains(result_, label)) {
            summed.push_back(label);
        }
    }
    Product product;
    product.batch = size(batch);
    product.m = size(rows);
    product.n = size(columns);
    product.k = size(summed);
    product.left_transposed = left == joined({batch, summed, rows}) && left != joined({batch, rows, summed});
    product.left_moved = !product.left_transposed && left != joined({batch, rows, summed});
    product.right_transposed = right == joined({batch, columns, summed}) && right != joined({batch, summed, columns});
    product.right_moved = !product.right_transposed && right != joined({batch, summed, columns});
    product.result_moved = result_ != joined({batch, rows, columns});
    return product;
}

}  // namespace nibble
