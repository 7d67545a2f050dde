// SPDX-License-Identifier: MIT
#include "sim/app/trace_info.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/input/operation_names.h"
#include "sim/input/operation_size.h"
#include "sim/input/trace_reader.h"
#include "sim/lowering/copy_format.h"
#include "sim/lowering/gemm_problem.h"
#include "sim/report/number_format.h"
#include "sim/report/safe_text.h"

namespace nibble {

namespace {

constexpr std::size_t name_width = 40;

std::string kind_of_work(const Operation& operation) {
    if (const auto* convolution = std::get_if<Convolution>(&operation.work)) {
        return convolution->depthwise() ? "depthwise" : "conv";
    }
    return std::holds_alternative<Matmul>(operation.work) ? "matmul" : "vector";
}

void add(TraceInfo& info, const Tensor& tensor) {
    TraceInfo::Tensors& of_role = info.tensors[static_cast<std::size_t>(tensor.role)];
    ++of_role.count;
    of_role.elements += tensor.elements;
    of_role.bytes += (tensor.elements * bits_of(vector_copy(tensor.role), tensor) + 7) / 8;
}

void add(TraceInfo& info, const Operation& operation) {
    const std::uint64_t macs = macs_of(operation);
    const auto phase = static_cast<std::size_t>(operation.phase);
    ++info.operations;
    ++info.operations_of[phase];
    ++info.operations_by_kind[kind_of_work(operation)];
    info.macs[phase] += macs;
    if (macs > 0) {
        info.macs_by_kind[kind_of_work(operation)] += macs;
    }
    if (!runs_on_array(operation)) {
        return;
    }
    const auto smaller = [](const TraceInfo::Gemm& a, const TraceInfo::Gemm& b) { return a.macs > b.macs; };
    if (info.gemms.size() < TraceInfo::most_gemms || macs > info.gemms.back().macs) {
        const std::vector<OperandElements> operands = expected_elements(operation);
        const GemmProblem problem(operation, operands[0].own, operands[1].own);
        const TraceInfo::Gemm gemm{
            operation.layer, operation.phase, problem.batch(), problem.m(), problem.n(), problem.k(), macs};
        info.gemms.insert(std::ranges::upper_bound(info.gemms, gemm, smaller), gemm);
        info.gemms.resize(std::min(info.gemms.size(), TraceInfo::most_gemms));
    }
}

double per_sample(std::uint64_t count, const TraceInfo& info) {
    return static_cast<double>(count) / static_cast<double>(info.header.batch);
}

}  // namespace

std::uint64_t TraceInfo::total_macs() const {
    return std::accumulate(macs.begin(), macs.end(), std::uint64_t{0});
}

TraceInfo read_trace_info(const std::string& path) {
    TraceReader reader{std::filesystem::path(path)};
    TraceInfo info;
    info.header = reader.header();
    while (const std::optional<TraceItem> item = reader.next()) {
        std::visit([&](const auto& any) { add(info, any); }, *item);
    }
    return info;
}

nlohmann::ordered_json trace_info_json(const TraceInfo& info) {
    using Json = nlohmann::ordered_json;
    Json json = {{"kind", "trace"},
                 {"name", info.header.name},
                 {"batch", info.header.batch},
                 {"operations", info.operations},
                 {"parameters", info.parameters()}};
    Json macs = Json::object();
    Json per_image = Json::object();
    Json operations = Json::object();
    for (std::size_t i = 0; i < TraceInfo::phase_count; ++i) {
        const std::string phase(name_of(static_cast<Phase>(i)));
        operations[phase] = info.operations_of[i];
        if (static_cast<Phase>(i) != Phase::update) {
            macs[phase] = info.macs[i];
            per_image[phase] = per_sample(info.macs[i], info);
        }
    }
    macs["total"] = info.total_macs();
    per_image["total"] = per_sample(info.total_macs(), info);
    json["macs"] = std::move(macs);
    json["macs_per_sample"] = std::move(per_image);
    json["macs_by_kind"] = info.macs_by_kind;
    json["operations_by_phase"] = std::move(operations);
    json["operations_by_kind"] = info.operations_by_kind;
    Json tensors = Json::object();
    for (std::size_t i = 0; i < TraceInfo::role_count; ++i) {
        const TraceInfo::Tensors& of_role = info.tensors[i];
        tensors[std::string(name_of(static_cast<TensorRole>(i)))] = {
            {"tensors", of_role.count}, {"elements", of_role.elements}, {"bytes", of_role.bytes}};
    }
    json["tensors"] = std::move(tensors);
    Json gemms = Json::array();
    for (const TraceInfo::Gemm& gemm : info.gemms) {
        gemms.push_back({{"layer", gemm.layer},
                         {"phase", name_of(gemm.phase)},
                         {"batch", gemm.batch},
                         {"m", gemm.m},
                         {"n", gemm.n},
                         {"k", gemm.k},
                         {"macs", gemm.macs}});
    }
    json["largest_gemms"] = std::move(gemms);
    return json;
}

std::string trace_info_text(const TraceInfo& info, const TextStyle& style) {
    std::string text = heading(fmt::format("{}: one training step, batch {}",
                                           for_terminal(info.header.name, name_width), grouped(info.header.batch)),
                               style);
    text +=
        fmt::format("  {} operations, {} trained parameters\n\n", grouped(info.operations), grouped(info.parameters()));

    TextTable phases({{"phase"}, {"operations"}, {"MACs"}, {"MACs per sample"}});
    for (std::size_t i = 0; i < TraceInfo::phase_count; ++i) {
        phases.add({std::string(name_of(static_cast<Phase>(i))), grouped(info.operations_of[i]),
                    with_prefix(static_cast<double>(info.macs[i])), with_prefix(per_sample(info.macs[i], info))});
    }
    phases.add_rule();
    phases.add({"all", grouped(info.operations), with_prefix(static_cast<double>(info.total_macs())),
                with_prefix(per_sample(info.total_macs(), info))});
    text += phases.text(style) + "\n";

    TextTable kinds({{"kind"}, {"operations"}, {"MACs"}});
    for (const auto& [kind, count] : info.operations_by_kind) {
        const auto macs = info.macs_by_kind.find(kind);
        kinds.add({kind, grouped(count),
                   with_prefix(macs == info.macs_by_kind.end() ? 0 : static_cast<double>(macs->second))});
    }
    text += kinds.text(style) + "\n";

    TextTable tensors({{"tensors, data in 16 and states in 32 bits"}, {"number"}, {"elements"}, {"size"}});
    for (std::size_t i = 0; i < TraceInfo::role_count; ++i) {
        if (const TraceInfo::Tensors& of_role = info.tensors[i]; of_role.count > 0) {
            tensors.add({std::string(name_of(static_cast<TensorRole>(i))), grouped(of_role.count),
                         grouped(of_role.elements), byte_size(static_cast<double>(of_role.bytes))});
        }
    }
    text += tensors.text(style);
    if (info.gemms.empty()) {
        return text;
    }
    TextTable gemms({{"largest GEMMs"}, {"phase"}, {"batch"}, {"m"}, {"n"}, {"k"}, {"MACs"}, {"of all"}});
    for (const TraceInfo::Gemm& gemm : info.gemms) {
        gemms.add({gemm.layer, std::string(name_of(gemm.phase)), grouped(gemm.batch), grouped(gemm.m), grouped(gemm.n),
                   grouped(gemm.k), with_prefix(static_cast<double>(gemm.macs)),
                   percent(static_cast<double>(gemm.macs) / static_cast<double>(info.total_macs()))});
    }
    return text + "\n" + gemms.text(style);
}

}  // namespace nibble
