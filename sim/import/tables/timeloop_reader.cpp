// SPDX-License-Identifier: MIT
#include "sim/import/tables/timeloop_reader.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "sim/config/yaml_reader.h"
#include "sim/import/byte_source.h"
#include "sim/import/tables/einsum.h"
#include "sim/import/tables/layer_table.h"
#include "sim/import/tables/timeloop_problem.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

bool is_digit(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// The digits that `text` starts with, without leading zeros; takes them off the text.
std::string_view take_number(std::string_view& text) {
    const auto end = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    std::string_view digits = text.substr(0, end);
    text.remove_prefix(end);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    return digits;
}

GemmWork read_layer(const std::filesystem::path& file, std::vector<std::string>& notes) {
    ByteSource source(file, [](std::string_view) { return true; });
    const std::string text = source.read_all(YamlDocument::most_bytes);
    refuse_jinja(text, source.name());
    const YamlDocument document = YamlDocument::from_text(text, source.name());
    const std::optional<Einsum> einsum = read_timeloop_problem(document, notes);
    document.throw_if_any();
    const EinsumMeaning meaning = meaning_of(einsum.value());
    if (const auto* gemm = std::get_if<EinsumGemm>(&meaning)) {
        return gemm->work;
    }
    const auto* why = std::get_if<std::string>(&meaning);
    throw InputError({source.name()}, fmt::format("expected the projections of a convolution or a matrix product: {}",
                                                  why != nullptr ? *why : "this has no weights, or sums nothing"));
}

}  // namespace

bool comes_before_naturally(std::string_view left, std::string_view right) {
    while (!left.empty() && !right.empty()) {
        if (is_digit(left.front()) && is_digit(right.front())) {
            const std::string_view a = take_number(left);
            const std::string_view b = take_number(right);
            if (a != b) {
                return std::pair(a.size(), a) < std::pair(b.size(), b);
            }
        } else if (left.front() != right.front()) {
            return left.front() < right.front();
        } else {
            left.remove_prefix(1);
            right.remove_prefix(1);
        }
    }
    return left.size() < right.size();
}

StepGraph read_timeloop(std::vector<std::filesystem::path> files, const ImportOptions& options,
                        ImportSummary& summary) {
    std::sort(files.begin(), files.end());
    std::stable_sort(files.begin(), files.end(), [](const std::filesystem::path& a, const std::filesystem::path& b) {
        return comes_before_naturally(a.string(), b.string());
    });
    const std::uint64_t batch = options.batch.value_or(1);
    LayerTable table;
    std::map<std::string, std::uint64_t> notes;  // and in how many files
    bool first = true;
    for (const std::filesystem::path& file : files) {
        std::vector<std::string> of_file;
        GemmWork work = read_layer(file, of_file);
        for (const std::string& note : std::set<std::string>(of_file.begin(), of_file.end())) {
            notes[note] += 1;
        }
        auto* conv = std::get_if<Convolution>(&work);
        if (std::exchange(first, false)) {
            table.set_batch(step_batch(batch, conv != nullptr ? conv->n : 1, file.string()));
        }
        std::uint64_t& repeated = conv != nullptr ? conv->n : std::get<Matmul>(work).m;
        repeated = bounded_product({repeated, batch}, most_elements).value_or(0);
        if (const std::optional<std::string> why = problem_of(work)) {
            throw InputError({file.string()}, *why);
        }
        if (conv != nullptr) {
            work = simplest(*conv);
        }
        table.add({.layer = table.unique(file.stem().string()), .work = work});
    }
    summary.format = "timeloop";
    summary.description = fmt::format("Timeloop, {}", counted(files.size(), "problem"));
    for (const auto& [note, count] : notes) {
        summary.notes.push_back(files.size() == 1 ? note : fmt::format("{} (in {} files)", note, count));
    }
    summary.notes.emplace_back(
        "problems hold no padding: the input of a convolution is what its windows cover; right operands are taken for "
        "weights");
    if (batch != 1) {
        summary.notes.push_back(
            fmt::format("each layer is computed for {} times the batch that it is written for", batch));
    }
    return table.finish();
}

}  // namespace nibble
