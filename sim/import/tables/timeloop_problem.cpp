// SPDX-License-Identifier: MIT
#include "sim/import/tables/timeloop_problem.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/import/tables/timeloop_map.h"

namespace nibble {

namespace {

constexpr UnsignedRange positive{1};

/// A dimension, and the coefficient that it is multiplied by, if any.
struct Term {
    std::string dimension;
    std::string coefficient;
};

struct DataSpace {
    std::string name;
    std::vector<std::vector<Term>> projection;
    bool written = false;
};

struct ProblemShape {
    std::vector<std::string> dimensions;
    std::map<std::string, std::uint64_t> coefficients;  // with their defaults
    std::vector<DataSpace> spaces;
};

/// The convolution that Timeloop takes where a file names no other shape; R and P are horizontal, S and Q vertical.
ProblemShape cnn_layer(const std::string& filters) {
    return {
        {"R", "S", "P", "Q", "C", filters, "N"},
        {{"Wstride", 1}, {"Hstride", 1}, {"Wdilation", 1}, {"Hdilation", 1}},
        {{"Weights", {{{"C", ""}}, {{filters, ""}}, {{"R", ""}}, {{"S", ""}}}, false},
         {"Inputs",
          {{{"N", ""}}, {{"C", ""}}, {{"R", "Wdilation"}, {"P", "Wstride"}}, {{"S", "Hdilation"}, {"Q", "Hstride"}}},
          false},
         {"Outputs", {{{"N", ""}}, {{filters, ""}}, {{"Q", ""}}, {{"P", ""}}}, true}}};
}

ProblemShape gemm() {
    return {{"M", "N", "K"},
            {},
            {{"A", {{{"M", ""}}, {{"K", ""}}}, false},
             {"B", {{{"N", ""}}, {{"K", ""}}}, false},
             {"Z", {{{"M", ""}}, {{"N", ""}}}, true}}};
}

class ProblemReader {
public:
    ProblemReader(const YamlDocument& document, std::vector<std::string>& notes)
        : document_(document), root_({document.root()}), notes_(notes) {}

    std::optional<Einsum> read() {
        const std::optional<TimeloopMap> problem = find_problem();
        if (!problem) {
            return std::nullopt;
        }
        const TimeloopMap::Value* given = problem->find("instance");
        const TimeloopMap instance = given != nullptr ? given->as_map() : *problem;
        const std::optional<ProblemShape> shape = read_shape(*problem, instance);
        if (!shape || !document_.problems().empty()) {
            return std::nullopt;
        }
        if (given == nullptr) {
            used_ = {"shape", "version", "name"};
        }
        for (const std::string& dimension : shape->dimensions) {
            const std::optional<std::uint64_t> size = number(instance, dimension);
            if (!size) {
                instance.node().problem(fmt::format("there is no size for dimension '{}'", printable(dimension)));
            }
            sizes_[dimension] = size.value_or(1);
        }
        for (const auto& [name, otherwise] : shape->coefficients) {
            coefficients_[name] = number(instance, name).value_or(otherwise);
        }
        note_unused(instance);
        Einsum einsum = einsum_of(*shape);
        return document_.problems().empty() ? std::optional(std::move(einsum)) : std::nullopt;
    }

private:
    std::optional<TimeloopMap> find_problem() {
        if (const TimeloopMap::Value* problem = root_.find("problem")) {
            std::vector<std::string> others;
            for (const TimeloopMap::Value& value : root_.values()) {
                if (timeloop_key(value.spelt) != "problem") {
                    others.push_back(printable(value.spelt));
                }
            }
            if (!others.empty()) {
                notes_.push_back(fmt::format("left out: {}", fmt::join(others, ", ")));
            }
            return problem->as_map();
        }
        if (root_.find("shape") == nullptr && root_.find("instance") == nullptr) {
            if (document_.problems().empty()) {
                document_.root().problem("expected a Timeloop problem: a map with the key 'problem'");
            }
            return std::nullopt;
        }
        return root_;
    }

    std::optional<ProblemShape> read_shape(const TimeloopMap& problem, const TimeloopMap& instance) {
        const TimeloopMap::Value* shape = problem.find("shape");
        const bool has_k = instance.find("K") != nullptr;
        const std::string filters = has_k || instance.find("M") == nullptr ? "K" : "M";
        if (shape == nullptr) {
            notes_.emplace_back("no shape is given: taken for cnn-layer, as Timeloop does");
            return cnn_layer(filters);
        }
        if (shape->node().is_text()) {
            const std::string name = timeloop_key(shape->node().as_string());
            if (name == "cnn_layer") {
                return cnn_layer(filters);
            }
            if (name == "gemm" || name == "gemm_abz") {
                return gemm();
            }
            shape->node().problem(fmt::format("expected a shape, or the name of one: cnn-layer or gemm-ABZ; found '{}'",
                                              printable(name)));
            return std::nullopt;
        }
        const TimeloopMap map = shape->as_map();
        ProblemShape read;
        for (const YamlNode& dimension : list(map, "dimensions", true)) {
            read.dimensions.push_back(dimension.as_string());
        }
        for (const YamlNode& node : list(map, "coefficients", false)) {
            const TimeloopMap coefficient({node});
            const TimeloopMap::Value* otherwise = coefficient.find("default");
            read.coefficients[text(coefficient, "name")] =
                otherwise != nullptr ? otherwise->node().as_unsigned(positive) : 1;
        }
        for (const YamlNode& node : list(map, "data_spaces", true)) {
            read.spaces.push_back(read_space(TimeloopMap({node})));
        }
        return read;
    }

    DataSpace read_space(const TimeloopMap& map) {
        DataSpace space;
        space.name = text(map, "name");
        const TimeloopMap::Value* written = map.find("read_write");
        space.written = written != nullptr && truth(written->node());
        for (const YamlNode& index : list(map, "projection", true)) {
            std::vector<Term>& terms = space.projection.emplace_back();
            for (const YamlNode& node : index.as_list()) {
                const std::vector<YamlNode> words = node.as_list();
                if (words.empty() || words.size() > 2) {
                    node.problem(
                        fmt::format("expected a dimension and perhaps a coefficient, found {} words", words.size()));
                    continue;
                }
                terms.push_back({words[0].as_string(), words.size() > 1 ? words[1].as_string() : ""});
            }
            if (terms.empty()) {
                index.problem("expected at least one dimension");
            }
        }
        return space;
    }

    /// Timeloop's own files write "True".
    static bool truth(const YamlNode& node) {
        const std::string word = node.is_text() ? node.as_string() : "";
        return word == "True" || (word != "False" && node.as_bool());
    }

    std::vector<YamlNode> list(const TimeloopMap& map, std::string_view key, bool required) {
        if (const TimeloopMap::Value* value = map.find(key)) {
            return value->node().as_list();
        }
        if (required && map.node().is_map()) {
            map.node().problem(fmt::format("missing key '{}'", key));
        }
        return {};
    }

    std::string text(const TimeloopMap& map, std::string_view key) {
        if (const TimeloopMap::Value* value = map.find(key)) {
            return value->node().as_string();
        }
        if (map.node().is_map()) {
            map.node().problem(fmt::format("missing key '{}'", key));
        }
        return {};
    }

    std::optional<std::uint64_t> number(const TimeloopMap& instance, const std::string& name) {
        const TimeloopMap::Value* value = instance.find(name);
        if (value == nullptr) {
            return std::nullopt;
        }
        used_.insert(value->spelt);
        if (value->spelt != name) {
            notes_.push_back(fmt::format("'{}' is taken for '{}'", printable(value->spelt), printable(name)));
        }
        return value->node().as_unsigned(positive);
    }

    void note_unused(const TimeloopMap& instance) {
        std::vector<std::string> others;
        for (const TimeloopMap::Value& value : instance.values()) {
            if (timeloop_key(value.spelt) == "densities") {
                notes_.emplace_back("densities are left out: all multiply-accumulates are done");
            } else if (!used_.contains(value.spelt)) {
                others.push_back(printable(value.spelt));
            }
        }
        if (!others.empty()) {
            notes_.push_back(fmt::format("left out of the instance: {}", fmt::join(others, ", ")));
        }
    }

    Einsum einsum_of(const ProblemShape& shape) {
        Einsum einsum;
        einsum.sizes = sizes_;
        std::vector<EinsumOperand> inputs;
        std::vector<EinsumOperand> outputs;
        for (const DataSpace& space : shape.spaces) {
            (space.written ? outputs : inputs).push_back(operand_of(space));
        }
        if (inputs.size() != 2 || outputs.size() != 1) {
            document_.root().problem(
                fmt::format("expected two data spaces that are read and one that is written (read_write: true), found "
                            "{} and {}",
                            inputs.size(), outputs.size()));
            return einsum;
        }
        const auto is = [&](std::size_t i, std::string_view name) { return timeloop_key(inputs[i].name) == name; };
        const bool second_left = is(1, "inputs") || (is(0, "weights") && !is(1, "weights"));
        einsum.left = inputs[second_left ? 1 : 0];
        einsum.right = inputs[second_left ? 0 : 1];
        einsum.out = outputs[0];
        return einsum;
    }

    EinsumOperand operand_of(const DataSpace& space) {
        EinsumOperand operand{space.name, {}};
        for (const std::vector<Term>& terms : space.projection) {
            EinsumIndex& index = operand.indices.emplace_back();
            for (const Term& term : terms) {
                const auto factor = coefficients_.find(term.coefficient);
                const bool known = term.coefficient.empty() || factor != coefficients_.end();
                if (!sizes_.contains(term.dimension) || !known) {
                    document_.root().problem(fmt::format(
                        "data space '{}': '{}' is no {} of the shape", printable(space.name),
                        printable(known ? term.dimension : term.coefficient), known ? "dimension" : "coefficient"));
                    continue;
                }
                index.name += (index.name.empty() ? "" : "+") + term.dimension;
                index.terms.push_back({term.dimension, term.coefficient.empty() ? 1 : factor->second});
            }
        }
        return operand;
    }

    const YamlDocument& document_;
    TimeloopMap root_;
    std::vector<std::string>& notes_;
    std::map<std::string, std::uint64_t> sizes_;
    std::map<std::string, std::uint64_t> coefficients_;
    std::set<std::string> used_;  // keys of the instance that were asked for
};

}  // namespace

std::optional<Einsum> read_timeloop_problem(const YamlDocument& document, std::vector<std::string>& notes) {
    if (!document.root().is_map()) {
        static_cast<void>(document.root_map());  // says what is wrong
        return std::nullopt;
    }
    return ProblemReader(document, notes).read();
}

void refuse_jinja(const std::string& text, const std::string& name) {
    std::uint64_t line = 1;
    for (std::size_t begin = 0; begin < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string_view content = std::string_view(text).substr(begin, end - begin);
        for (std::size_t i = content.find('#'); i != std::string_view::npos; i = content.find('#', i + 1)) {
            if (i == 0 || content[i - 1] == ' ' || content[i - 1] == '\t') {
                content = content.substr(0, i);
            }
        }
        const std::size_t template_at = std::min(content.find("{{"), content.find("{%"));
        if (template_at != std::string_view::npos) {
            throw InputError({name, line, template_at + 1},
                             "a jinja template stands here, which is not read; expected plain YAML: write what it "
                             "includes into the file, or import the file that timeloopfe makes of it");
        }
        begin = end + 1;
    }
}

}  // namespace nibble
