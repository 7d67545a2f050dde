// SPDX-License-Identifier: MIT
#include "sim/import/tables/scale_sim_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "sim/import/tables/layer_table.h"
#include "sim/import/tables/scale_sim_table.h"
#include "sim/input/operation_size.h"

namespace nibble {

namespace {

using Column = ScaleSimColumn;

/// Words of a name, in lower case: "resnet_inputGrad2" is "resnet", "inputgrad", "2".
std::vector<std::string> words_of(std::string_view name) {
    std::vector<std::string> words(1);
    const auto kind = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return std::isalpha(byte) != 0 ? 1 : std::isdigit(byte) != 0 ? 2 : 0;
    };
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (i > 0 && kind(name[i]) != kind(name[i - 1])) {
            words.emplace_back();
        }
        words.back().push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(name[i]))));
    }
    std::erase_if(words, [&](const std::string& word) { return word.empty() || kind(word[0]) == 0; });
    return words;
}

/// The phase that a name tells, if it tells one. Not by "dw", which is the usual short form of depthwise.
std::optional<Phase> phase_told_by(std::string_view name) {
    const std::vector<std::string> words = words_of(name);
    const auto is = [](const std::string& word, std::initializer_list<std::string_view> those) {
        return std::find(those.begin(), those.end(), word) != those.end();
    };
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool grad = i + 1 < words.size() && is(words[i + 1], {"grad", "grads", "gradient", "gradients"});
        if (is(words[i], {"inputgrad", "inpgrad", "inputgradient", "dgrad"}) ||
            (grad && is(words[i], {"input", "inp", "ifmap", "activation", "data"}))) {
            return Phase::dx;
        }
        if (is(words[i], {"weightgrad", "wtgrad", "weightgradient", "wgrad"}) ||
            (grad && is(words[i], {"weight", "weights", "wt", "filter"}))) {
            return Phase::dw;
        }
    }
    return std::nullopt;
}

/// A product of the table's M, N and K in the phase that it is for.
Matmul product(Phase phase, std::uint64_t m, std::uint64_t n, std::uint64_t k) {
    Matmul matmul{.m = m, .n = n, .k = k};
    matmul.right_transposed = phase == Phase::forward;  // filters, each side by side
    matmul.left_transposed = phase == Phase::dw;        // the input, as the forward pass wrote it
    return matmul;
}

class Converter {
public:
    Converter(const ScaleSimTable& source, LayerTable& table, ProblemList& problems, std::optional<Phase> told_by_file,
              std::uint64_t batch)
        : source_(source), table_(table), problems_(problems), told_by_file_(told_by_file), batch_(batch) {}

    void run() {
        for (std::size_t i = 0; i < source_.rows.size(); ++i) {
            const ScaleSimRow& row = source_.rows[i];
            const std::optional<Phase> told = phase_told_by(row.name);
            const Phase phase = told ? *told : told_by_file_.value_or(Phase::forward);
            const std::optional<GemmWork> work = work_of(row, phase);
            if (!work) {
                continue;
            }
            table_.add({.layer = table_.unique(row.name), .phase = phase, .work = *work});
            phases_[static_cast<std::size_t>(phase)] += 1;
            told_by_row_ += told ? 1U : 0U;
            sparse_ += row.sparsity.empty() ? 0U : 1U;
            // One filter over many channels, and yet the next layer sees them all.
            const bool one_filter = !source_.products && row.number(Column::filters) == 1 &&
                                    row.number(Column::channels) > 1 && row.number(Column::filter_height) > 1;
            if (one_filter && i + 1 < source_.rows.size() &&
                source_.rows[i + 1].number(Column::channels) == row.number(Column::channels)) {
                perhaps_depthwise_ += 1;
            }
        }
        problems_.throw_if_any();
    }

    void add_notes(std::vector<std::string>& notes) const {
        const auto note = [&](std::uint64_t layers, std::string_view what) {
            if (layers != 0) {
                notes.push_back(fmt::format("{}: {}", counted(layers, "layer"), what));
            }
        };
        note(
            padded_,
            "padded below or at the right, because SCALE-Sim rounds output sizes up; an IFMAP holds all other padding");
        note(depthwise_,
             "depthwise, because of the \"DP\" in the name; each channel has its own filters, as in SCALE-Sim");
        note(perhaps_depthwise_,
             "one filter over channels that the next layer has as well: looks depthwise, and is imported as it is "
             "written, with the same multiply-accumulates; \"DP\" in the name makes it depthwise");
        note(sparse_, "sparsity is left out, all multiply-accumulates are done");
        const auto [forward, dx, dw] = std::tuple(phases_[0], phases_[1], phases_[2]);
        if (dx + dw != 0) {
            notes.push_back(
                fmt::format("a backward pass, as the {} name tells: {} dx, {} dw and {} forward, all as matrix "
                            "products; no backward "
                            "pass is derived",
                            told_by_row_ != 0 ? "rows'" : "file's", counted(dx, "row"), dw, forward));
        }
        if (forward != 0) {
            notes.emplace_back(
                "the table does not tell weights from activations: right operands are taken for weights");
        }
    }

private:
    std::optional<GemmWork> work_of(const ScaleSimRow& row, Phase phase) {
        const auto samples = bounded_product({batch_, row.at(Column::batch).value_or(1)}, most_elements);
        if (!samples) {
            problems_.add(row.line, 0, fmt::format("the batch is more than {}", most_elements));
            return std::nullopt;
        }
        std::optional<GemmWork> work;
        if (source_.products) {
            work = product(phase, row.number(Column::m), row.number(Column::n), row.number(Column::k));
        } else {
            work = convolution(row, phase);
        }
        if (!work) {
            return std::nullopt;
        }
        std::optional<std::string> why = problem_of(*work);
        if (!why) {
            std::uint64_t& repeated = samples_of(*work, phase);
            repeated = bounded_product({repeated, *samples}, most_elements).value_or(0);
            why = problem_of(*work);
        }
        if (why) {
            problems_.add(row.line, 0, fmt::format("layer '{}': {}", printable(row.name), *why));
            return std::nullopt;
        }
        return work;
    }

    static std::uint64_t& samples_of(GemmWork& work, Phase phase) {
        if (auto* conv = std::get_if<Convolution>(&work)) {
            return conv->n;
        }
        auto& matmul = std::get<Matmul>(work);
        return phase == Phase::dw ? matmul.k : matmul.m;
    }

    std::optional<GemmWork> convolution(const ScaleSimRow& row, Phase phase) {
        Convolution conv;
        conv.h = row.number(Column::ifmap_height);
        conv.w = row.number(Column::ifmap_width);
        conv.r = row.number(Column::filter_height);
        conv.s = row.number(Column::filter_width);
        conv.c = row.number(Column::channels);
        conv.k = row.number(Column::filters);
        conv.stride_h = row.number(Column::stride);
        conv.stride_w = row.at(Column::stride_width).value_or(conv.stride_h);
        if (conv.r > conv.h || conv.s > conv.w) {
            problems_.add(row.line, 0,
                          fmt::format("layer '{}': a filter of {} x {} does not fit an IFMAP of {} x {}",
                                      printable(row.name), conv.r, conv.s, conv.h, conv.w));
            return std::nullopt;
        }
        if (row.name.find("DP") != std::string::npos) {
            conv.groups = conv.c;
            conv.k = bounded_product({conv.c, conv.k}, most_elements).value_or(0);  // 0 is found to be impossible
            depthwise_ += 1;
        }
        const bool covers = conv.r == conv.h && conv.s == conv.w;
        const bool flat = conv.r == 1 && conv.s == conv.w && conv.c == 1 && conv.stride_h == 1;
        if (phase == Phase::forward && (conv.groups > 1 || !(covers || flat))) {
            conv.pad_bottom = rounding(conv.h, conv.r, conv.stride_h);
            conv.pad_right = rounding(conv.w, conv.s, conv.stride_w);
            padded_ += conv.pad_bottom + conv.pad_right > 0 ? 1U : 0U;
            return conv;
        }
        const auto outputs = [](std::uint64_t in, std::uint64_t filter, std::uint64_t stride) {
            return (in - filter) / stride + ((in - filter) % stride == 0 ? 1 : 2);
        };
        const std::uint64_t p = outputs(conv.h, conv.r, conv.stride_h);
        const std::uint64_t q = outputs(conv.w, conv.s, conv.stride_w);
        const std::uint64_t channels = conv.c / conv.groups;
        Matmul matmul = product(phase, bounded_product({p, q}, most_elements).value_or(0), conv.k / conv.groups,
                                bounded_product({conv.r, conv.s, channels}, most_elements).value_or(0));
        matmul.batch = conv.groups;
        return matmul;
    }

    /// By how much an input must grow for the last window, which SCALE-Sim counts though it is cut short.
    static std::uint64_t rounding(std::uint64_t in, std::uint64_t filter, std::uint64_t stride) {
        return (stride - (in - filter) % stride) % stride;
    }

    const ScaleSimTable& source_;
    LayerTable& table_;
    ProblemList& problems_;
    std::optional<Phase> told_by_file_;
    std::uint64_t batch_;
    std::array<std::uint64_t, 3> phases_{};  // rows of forward, dx, dw
    std::uint64_t told_by_row_ = 0, sparse_ = 0, padded_ = 0, depthwise_ = 0, perhaps_depthwise_ = 0;
};

/// Samples in one row of the table, if all rows agree.
std::uint64_t common_batch(const ScaleSimTable& table, std::vector<std::string>& notes) {
    const std::uint64_t first = table.rows.front().at(Column::batch).value_or(1);
    for (const ScaleSimRow& row : table.rows) {
        if (row.at(Column::batch).value_or(1) != first) {
            notes.emplace_back("layers have batches of different sizes: the step's batch is given as that of --batch");
            return 1;
        }
    }
    return first;
}

}  // namespace

StepGraph read_scale_sim(ByteSource& source, const ImportOptions& options, ImportSummary& summary) {
    ProblemList problems(source.name());
    const ScaleSimTable topology = parse_scale_sim_table(source.read_all(most_scale_sim_bytes), problems);
    problems.throw_if_any();
    const std::uint64_t batch = options.batch.value_or(1);
    summary.format = "scale-sim";
    summary.description = fmt::format(
        "SCALE-Sim topology, {}", counted(topology.rows.size(), topology.products ? "matrix product" : "convolution"));
    summary.notes.insert(summary.notes.end(), topology.notes.begin(), topology.notes.end());
    const std::uint64_t in_row = common_batch(topology, summary.notes);
    LayerTable table;
    table.set_batch(step_batch(batch, in_row, source.name()));
    const std::string file = source.member().empty() ? source.path().filename().string() : source.member();
    Converter converter(topology, table, problems, phase_told_by(file), batch);
    converter.run();
    converter.add_notes(summary.notes);
    if (batch != 1) {
        summary.notes.push_back(fmt::format(
            "each layer is computed for {} samples: batch of convolutions, rows of products, reduction of dw", batch));
    }
    return table.finish();
}

}  // namespace nibble
