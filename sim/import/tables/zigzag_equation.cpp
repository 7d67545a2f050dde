// SPDX-License-Identifier: MIT
#include "sim/import/tables/zigzag_equation.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Reads words and signs from the front of a text; blanks between them do not count.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) { skip(); }

    /// A word of letters, digits and underscores; "" if none stands here.
    std::string word() {
        const auto end =
            static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_word) - rest_.begin());
        std::string found(rest_.substr(0, end));
        advance(end);
        return found;
    }

    bool accept(std::string_view sign) {
        if (!rest_.starts_with(sign)) {
            return false;
        }
        advance(sign.size());
        return true;
    }

    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] std::string found() const {
        return rest_.empty() ? "the end" : fmt::format("'{}'", printable(rest_, 20));
    }

private:
    void advance(std::size_t count) {
        rest_.remove_prefix(count);
        skip();
    }
    void skip() {
        while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
            rest_.remove_prefix(1);
        }
    }

    std::string_view rest_;
};

std::string lower(std::string word) {
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return word;
}

std::optional<std::string> read(Scanner& scanner, ZigZagEquation::Operand& operand) {
    operand.name = scanner.word();
    if (operand.name.empty()) {
        return fmt::format("expected an operand such as 'I[b][c]', found {}", scanner.found());
    }
    while (scanner.accept("[")) {
        if (const std::string index = scanner.word(); !index.empty()) {
            operand.indices.push_back(lower(index));
        }
        if (!scanner.accept("]")) {
            return fmt::format("expected ']' after an index, found {}", scanner.found());
        }
    }
    return std::nullopt;
}

/// "2*ox" or "ox".
std::optional<std::string> read(Scanner& scanner, EinsumIndex::Term& term) {
    const std::string word = scanner.word();
    if (!scanner.accept("*")) {
        term.dimension = lower(word);
        return word.empty() ? std::optional("expected a loop dimension, found " + scanner.found()) : std::nullopt;
    }
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), term.factor);
    term.dimension = lower(scanner.word());
    if (error != std::errc{} || stop != word.data() + word.size() || term.dimension.empty()) {
        return fmt::format("expected a number times a loop dimension, found '{}' times '{}'", printable(word),
                           printable(term.dimension));
    }
    return std::nullopt;
}

}  // namespace

std::variant<ZigZagEquation, std::string> parse_zigzag_equation(std::string_view text) {
    Scanner scanner(text);
    ZigZagEquation equation;
    if (const auto problem = read(scanner, equation.out)) {
        return *problem;
    }
    scanner.accept("+");
    if (!scanner.accept("=")) {
        return fmt::format("expected '=' or '+=', found {}", scanner.found());
    }
    if (const auto problem = read(scanner, equation.first)) {
        return *problem;
    }
    equation.adds = scanner.accept("+");
    if (!equation.adds && !scanner.accept("*")) {
        return fmt::format("expected '*' or '+' between two operands, found {}", scanner.found());
    }
    if (const auto problem = read(scanner, equation.second)) {
        return *problem;
    }
    if (!scanner.at_end()) {
        return fmt::format("expected two operands, found more: {}", scanner.found());
    }
    return equation;
}

std::variant<EinsumIndex, std::string> parse_zigzag_relation(std::string_view text) {
    Scanner scanner(text);
    EinsumIndex index{lower(scanner.word()), {}};
    if (index.name.empty() || !scanner.accept("=")) {
        return fmt::format("expected an index and '=', such as 'ix=2*ox+1*fx', found {}", scanner.found());
    }
    do {
        if (const auto problem = read(scanner, index.terms.emplace_back())) {
            return *problem;
        }
    } while (scanner.accept("+"));
    if (!scanner.at_end()) {
        return fmt::format("expected '+' or the end, found {}", scanner.found());
    }
    return index;
}

std::variant<Einsum, std::string> einsum_of(const ZigZagEquation& equation,
                                            const std::map<std::string, std::uint64_t>& sizes,
                                            const std::vector<EinsumIndex>& relations, std::string_view left) {
    std::string unknown;
    const auto operand = [&](const ZigZagEquation::Operand& source) {
        EinsumOperand made{source.name, {}};
        for (const std::string& name : source.indices) {
            const auto relation = std::find_if(relations.begin(), relations.end(),
                                               [&](const EinsumIndex& index) { return index.name == name; });
            made.indices.push_back(relation != relations.end() ? *relation : EinsumIndex{name, {{name, 1}}});
            for (const EinsumIndex::Term& term : made.indices.back().terms) {
                if (!sizes.contains(term.dimension)) {
                    unknown = term.dimension;
                }
            }
        }
        return made;
    };
    const bool second_left = equation.second.name == left;
    Einsum einsum{sizes, operand(second_left ? equation.second : equation.first),
                  operand(second_left ? equation.first : equation.second), operand(equation.out)};
    if (!unknown.empty()) {
        return fmt::format("index '{}' is neither in loop_dims nor in dimension_relations", printable(unknown));
    }
    return einsum;
}

}  // namespace nibble
