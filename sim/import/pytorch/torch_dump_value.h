// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "sim/import/pytorch/recorded_call.h"

namespace nibble {

/// The members of one JSON object of a torch dump, each of which must be asked for: an unknown, a missing and a
/// duplicate key are errors. Every error is an InputError that names the file, the line and the key.
class TorchDumpObject {
public:
    /// The place of the object; `path` says where in the line, such as "in[3]", and is empty for the line itself.
    struct Place {
        const std::string& file;
        std::uint64_t line = 0;
        std::string path;

        [[noreturn]] void fail(const std::string& what) const;
        /// "name" or "path.name".
        [[nodiscard]] Place at(std::string_view name) const;
        /// "path[index]".
        [[nodiscard]] Place at(std::size_t index) const;
    };

    TorchDumpObject(simdjson::dom::element object, Place place);

    [[nodiscard]] const Place& place() const { return place_; }
    [[nodiscard]] Place place(std::string_view key) const { return place_.at(key); }
    [[nodiscard]] bool has(std::string_view key) const;

    [[nodiscard]] simdjson::dom::element member(std::string_view key);
    [[nodiscard]] std::uint64_t number(std::string_view key);
    [[nodiscard]] std::string_view text(std::string_view key);  ///< valid until the next line is parsed
    [[nodiscard]] simdjson::dom::array list(std::string_view key);

    /// To be called last: whatever was not asked for is not known.
    void expect_no_more() const;

private:
    simdjson::dom::object object_;
    Place place_;
    std::vector<std::string> asked_;
};

/// Makes tensors and values of what a torch dump says of them, and keeps account of the storages.
class TorchDumpValues {
public:
    /// Lists may lie at most this deep in one another.
    static constexpr unsigned deepest = 8;
    static constexpr std::size_t most_dimensions = 64;  // as in PyTorch

    /// A number, a text, a tensor, a list of such, or nothing.
    [[nodiscard]] RecordedValue value(simdjson::dom::element json, const TorchDumpObject::Place& place,
                                      unsigned depth = 0);
    [[nodiscard]] RecordedTensor tensor(simdjson::dom::element json, const TorchDumpObject::Place& place);

    /// Storages are numbered 1, 2, 3, ... in the order in which they occur: how many there were.
    [[nodiscard]] std::uint64_t storages() const { return storages_; }

private:
    [[nodiscard]] std::uint64_t storage(TorchDumpObject& object);

    std::uint64_t storages_ = 0;
};

}  // namespace nibble
