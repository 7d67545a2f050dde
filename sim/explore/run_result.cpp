// SPDX-License-Identifier: MIT
#include "sim/explore/run_result.h"

#include <cmath>
#include <cstddef>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/report/result_json.h"

namespace nibble {

namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 30;
constexpr std::uint64_t most_cycles = std::uint64_t{1} << 53U;

std::uint64_t cycles_of(const JsonValue& value) {
    const std::uint64_t cycles = value.count();
    if (cycles > most_cycles) {
        value.refuse(fmt::format("more than {} cycles", most_cycles));
    }
    return cycles;
}

double amount_of(const JsonValue& value) {
    const double amount = value.number();
    if (amount < 0) {
        value.refuse("expected no less than 0");
    }
    return amount;
}

std::optional<double> gain_of(const JsonValue& value) {
    return value.is_null() ? std::nullopt : std::optional(amount_of(value));
}

RunCost read_cost(const JsonValue& part) {
    RunCost cost;
    cost.cycles = cycles_of(part["cycles"]);
    cost.energy_pj = amount_of(part["energy_pj"]);
    const JsonValue causes = part["causes"];
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < cause_count; ++i) {
        cost.causes[i] = cycles_of(causes[cause_names[i]]);
        sum += cost.causes[i];
    }
    if (sum != cost.cycles) {
        causes.refuse(fmt::format("damaged: causes sum to {} of {} cycles", sum, cost.cycles));
    }
    return cost;
}

/// Sums parts, and compares them with the whole.
class Sum {
public:
    explicit Sum(const RunCost& whole) : whole_(whole) {}

    void add(const RunCost& part, const JsonValue& where) {
        cycles_ += part.cycles;
        for (std::size_t i = 0; i < cause_count; ++i) {
            causes_[i] += part.causes[i];
        }
        if (cycles_ > whole_.cycles) {
            where.refuse(fmt::format("damaged: more cycles so far than the {} of the run", whole_.cycles));
        }
    }
    void check(const JsonValue& where) const {
        if (cycles_ != whole_.cycles || causes_ != whole_.causes) {
            where.refuse(fmt::format("damaged: {} cycles do not add up to the {} of the run, cause by cause", cycles_,
                                     whole_.cycles));
        }
    }

private:
    const RunCost& whole_;
    std::uint64_t cycles_ = 0;
    CauseCycles causes_{};
};

void read_setup(RunResult& result, const JsonValue& document) {
    const JsonValue provenance = document["provenance"];
    for (const char* key : {"program", "trace", "network"}) {
        result.setup.emplace_back(key, provenance[key].text());
    }
    result.setup.emplace_back("batch", fmt::format("{}", provenance["batch"].count()));
    for (const char* key : {"phases", "layers", "recipe", "technology"}) {
        result.setup.emplace_back(key, provenance[key].text());
    }
    const JsonValue baseline = provenance["baseline"];
    result.setup.emplace_back("baseline", baseline.is_null() ? "none" : baseline["rule"].text());
    result.machine = provenance["machine"].text();
}

void read_energy(RunResult& result, const JsonValue& totals) {
    const JsonValue components = totals["energy"]["by_component"];
    double sum = 0;
    for (std::size_t i = 0; i < energy_component_count; ++i) {
        result.components_pj[i] = amount_of(components[energy_component_names[i]]);
        sum += result.components_pj[i];
    }
    constexpr double rounding = 1e-9;
    if (!(std::abs(sum - result.total.energy_pj) <= rounding * sum)) {
        components.refuse(fmt::format("damaged: {} pJ are not the {} pJ of the run", sum, result.total.energy_pj));
    }
}

}  // namespace

std::filesystem::path result_file(const std::filesystem::path& path) {
    std::error_code error;
    return std::filesystem::is_directory(path, error) ? path / "result.json" : path;
}

JsonValue read_result_document(const std::filesystem::path& file) {
    JsonValue document = JsonValue::read(file, most_bytes);
    if (const JsonValue schema = document["schema"]; schema.text() != result_schema_name) {
        schema.refuse(fmt::format("expected '{}', found '{}'", result_schema_name, printable(schema.text())));
    }
    return document;
}

RunResult read_run_result(const std::filesystem::path& path) {
    const std::filesystem::path file = result_file(path);
    return read_run_result(read_result_document(file), file.string());
}

RunResult read_run_result(const JsonValue& document, const std::string& file) {
    RunResult result;
    result.file = file;
    read_setup(result, document);
    result.speedup = gain_of(document["speedup"]);
    result.energy_gain = gain_of(document["energy_gain"]);
    const JsonValue totals = document["totals"];
    result.total = read_cost(totals);
    result.seconds = amount_of(totals["seconds"]);
    read_energy(result, totals);
    Sum phases(result.total);
    for (const JsonValue& phase : document["phases"].items()) {
        result.phases.push_back({phase["phase"].text(), read_cost(phase)});
        phases.add(result.phases.back().cost, phase);
    }
    phases.check(document["phases"]);
    Sum operations(result.total);
    for (const JsonValue& op : document["ops"].items()) {
        result.operations.push_back(
            {op["index"].count(), op["layer"].text(), op["phase"].text(), op["kind"].text(), read_cost(op)});
        operations.add(result.operations.back().cost, op);
    }
    operations.check(document["ops"]);
    return result;
}

}  // namespace nibble
