// SPDX-License-Identifier: MIT
#include "sim/energy/sram_model.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"
#include "sim/energy/least_squares.h"

namespace nibble {

namespace {

// Exponents and the factor of the first node; the other nodes' follow.
constexpr std::size_t shared_features = 4;

std::vector<double> features_of(const SramRow& row, const std::vector<std::uint64_t>& nodes) {
    std::vector<double> features{1, std::log(static_cast<double>(row.macro.capacity_bytes)),
                                 std::log(static_cast<double>(row.macro.line_bytes)),
                                 std::log(static_cast<double>(row.macro.banks))};
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        features.push_back(row.node_nm == nodes[i] ? 1 : 0);
    }
    return features;
}

}  // namespace

SramModel::SramModel(const SramTable& table, std::uint64_t node_nm, const SramFactors& scale) : empty_(false) {
    std::set<std::uint64_t> distinct;
    std::vector<std::vector<double>> features;
    for (const SramRow& row : table.rows) {
        distinct.insert(row.node_nm);
    }
    const std::vector<std::uint64_t> nodes(distinct.begin(), distinct.end());
    const auto node = std::ranges::find(nodes, node_nm);
    if (node == nodes.end()) {
        throw InputError(
            fmt::format("the SRAM table has no row at {} nm; its nodes are: {}", node_nm, fmt::join(nodes, ", ")));
    }
    for (const SramRow& row : table.rows) {
        features.push_back(features_of(row, nodes));
    }
    const auto fit = [&](const std::function<double(const SramCost&)>& figure) {
        std::vector<double> logarithms;
        for (const SramRow& row : table.rows) {
            logarithms.push_back(std::log(figure(row.cost)));
        }
        const std::optional<std::vector<double>> found = least_squares(features, logarithms);
        if (!found) {
            throw InputError(
                "the rows of the SRAM table do not tell the effects of capacity, line width, banks and "
                "node apart");
        }
        const auto index = static_cast<std::size_t>(node - nodes.begin());
        const double of_node = index == 0 ? 0 : (*found)[shared_features + index - 1];
        return Law{(*found)[0] + of_node, (*found)[1], (*found)[2], (*found)[3]};
    };
    read_ = fit([](const SramCost& cost) { return cost.read.count(); });
    write_ = fit([](const SramCost& cost) { return cost.write.count(); });
    leakage_ = fit([](const SramCost& cost) { return cost.leakage_mw; });
    area_ = fit([](const SramCost& cost) { return cost.area.count(); });
    for (std::size_t i = 0; i < bank_ports_count; ++i) {
        const SramFactors& ports = table.ports[i];
        factors_[i] = {ports.read * scale.read, ports.write * scale.write, ports.leakage * scale.leakage,
                       ports.area * scale.area};
    }
}

double SramModel::value(const Law& law, const SramMacro& macro) {
    return std::exp(law.log_factor + law.capacity * std::log(static_cast<double>(macro.capacity_bytes)) +
                    law.line_bytes * std::log(static_cast<double>(macro.line_bytes)) +
                    law.banks * std::log(static_cast<double>(macro.banks)));
}

SramCost SramModel::cost(const SramMacro& macro) const {
    if (empty_ || macro.capacity_bytes == 0) {
        return {};
    }
    const SramFactors& factors = factors_[static_cast<std::size_t>(macro.ports)];
    return {Picojoules(value(read_, macro) * factors.read), Picojoules(value(write_, macro) * factors.write),
            value(leakage_, macro) * factors.leakage, SquareMicrometres(value(area_, macro) * factors.area)};
}

std::vector<SramMacro> scratchpad_memories(const MachineParameters& machine) {
    const ScratchpadParameters& scratchpad = machine.scratchpad;
    if (!scratchpad.buffers) {
        return {memory_of(scratchpad, ScratchpadPart::left)};
    }
    std::vector<SramMacro> memories;
    for (std::size_t part = 0; part < scratchpad_part_count; ++part) {
        const SramMacro memory = memory_of(scratchpad, static_cast<ScratchpadPart>(part));
        if (memory.capacity_bytes > 0) {
            memories.push_back(memory);
        }
    }
    return memories;
}

}  // namespace nibble
