// SPDX-License-Identifier: MIT
// Importing a PyTorch execution trace of 25 MB, against what only parsing its JSON takes.
#include <cstddef>
#include <ostream>
#include <streambuf>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include "sim/import/import_trace.h"
#include "tests/support/memory_file.h"

namespace nibble {
namespace {

/// A chain of small products, as schema 1.1.0 writes them.
std::string execution_trace() {
    constexpr std::size_t bytes = 25'000'000;
    const auto value = [](std::size_t storage) { return fmt::format(R"([{0},{0},0,256,4,"cuda:0"])", storage); };
    std::string text = R"({"schema":"1.1.0-chakra.0.0.4","pid":1,"nodes":[)";
    for (std::size_t i = 0; text.size() < bytes; ++i) {
        text += fmt::format(
            R"-({{"id":{},"name":"aten::mm","ctrl_deps":1,"inputs":{{"values":[{},{}],"shapes":[[16,16],[16,16]],)-"
            R"-("types":["Tensor(float)","Tensor(float)"]}},"outputs":{{"values":[{}],"shapes":[[16,16]],)-"
            R"-("types":["Tensor(float)"]}},"attrs":[{{"name":"rf_id","type":"uint64","value":{}}},)-"
            R"-({{"name":"fw_parent","type":"uint64","value":0}},{{"name":"seq_id","type":"int64","value":{}}},)-"
            R"-({{"name":"scope","type":"uint64","value":7}},{{"name":"tid","type":"uint64","value":1}},)-"
            R"-({{"name":"fw_tid","type":"uint64","value":0}},{{"name":"op_schema","type":"string",)-"
            R"-("value":"aten::mm(Tensor self, Tensor mat2) -> Tensor"}}]}},)-"
            "\n",
            i + 2, value(i + 2), value(1), value(i + 3), i, i);
    }
    return text + R"({"id":1,"name":"root","ctrl_deps":1,"inputs":[],"outputs":[],"attrs":[]}],"finish_ts":2})";
}

/// Takes whatever is written to it.
class Nowhere : public std::streambuf {
    int_type overflow(int_type c) override { return traits_type::not_eof(c); }
    std::streamsize xsputn(const char*, std::streamsize count) override { return count; }
};

void import_execution_trace(benchmark::State& state) {
    const std::string text = execution_trace();
    const test::MemoryFile file(text);
    Nowhere nowhere;
    std::ostream out(&nowhere);
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            import_trace(file.path(), SourceFormat::pytorch_et, {.training = Training::as_recorded}, out));
    }
    state.counters["MB/s"] =
        benchmark::Counter(1e-6 * static_cast<double>(text.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(import_execution_trace)->Unit(benchmark::kMillisecond);

void parse_execution_trace(benchmark::State& state) {
    const simdjson::padded_string text(execution_trace());
    simdjson::dom::parser parser;
    for (auto _ : state) {
        benchmark::DoNotOptimize(parser.parse(text).error());
    }
    state.counters["MB/s"] =
        benchmark::Counter(1e-6 * static_cast<double>(text.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(parse_execution_trace)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nibble
