// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/import/import_summary.h"
#include "sim/import/step_graph.h"
#include "sim/input/operation_size.h"
#include "sim/input/trace_reader.h"
#include "sim/input/trace_writer.h"

namespace nibble::test {

/// What an importer made of a source.
struct Imported {
    StepGraph graph;
    ImportSummary summary;

    [[nodiscard]] std::vector<Operation> gemms() const {
        std::vector<Operation> found;
        for (const Operation& operation : graph.operations) {
            if (!std::holds_alternative<VectorWork>(operation.work)) {
                found.push_back(operation);
            }
        }
        return found;
    }
    [[nodiscard]] Convolution conv(std::size_t i) const { return std::get<Convolution>(gemms().at(i).work); }
    [[nodiscard]] Matmul matmul(std::size_t i) const { return std::get<Matmul>(gemms().at(i).work); }
    [[nodiscard]] const Tensor& tensor(TensorId id) const { return graph.tensors.at(id); }
    [[nodiscard]] std::vector<std::string> layers() const {
        std::vector<std::string> names;
        for (const Operation& operation : gemms()) {
            names.push_back(operation.layer);
        }
        return names;
    }
    [[nodiscard]] std::uint64_t macs() const {
        std::uint64_t sum = 0;
        for (const Operation& operation : graph.operations) {
            sum += macs_of(operation);
        }
        return sum;
    }
};

/// A folder of files that exists as long as the object.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "nibble_import_XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    std::filesystem::path add(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

/// What the user sees of wrong input: its messages, a line each, files without their folder; "" if nothing is wrong.
template <class Import>
std::string problems_of(const Import& import) {
    try {
        static_cast<void>(import());
    } catch (const InputError& error) {
        std::string all;
        for (const Problem& problem : error.problems()) {
            const std::filesystem::path file = problem.where.file;
            const Problem shown{{file.filename().string(), problem.where.line, problem.where.column}, problem.what};
            all += to_string(shown) + "\n";
        }
        return all;
    }
    return "";
}

/// Checks that a trace can hold the step, and that operands have the sizes that their GEMMs want.
inline void expect_writable(const StepGraph& graph) {
    std::stringstream text;
    TraceWriter writer(text, graph.header);
    for (const Tensor& tensor : graph.tensors) {
        writer.write(tensor);
    }
    for (const Operation& operation : graph.operations) {
        writer.write(operation);
    }
    writer.finish();
    TraceReader reader(text, "written");
    while (const std::optional<TraceItem> item = reader.next()) {
        const auto* operation = std::get_if<Operation>(&*item);
        if (operation == nullptr) {
            continue;
        }
        const std::vector<OperandElements> expected = expected_elements(*operation);
        const std::vector<TensorId> operands{operation->inputs.at(0), operation->inputs.back(),
                                             operation->outputs.at(0)};
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_TRUE(expected[i].allows(graph.tensors.at(operands[i]).elements)) << operation->layer;
        }
    }
}

}  // namespace nibble::test
