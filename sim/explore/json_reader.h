// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nibble {

/// A value of a JSON file, which knows the file's name and its own place ("points[3].metrics.cycles"), so that whatever
/// is wrong with it can be said. Everything here throws InputError if the value is not what is asked for.
class JsonValue {
public:
    /// Reads a whole file. Refused: files larger than `most_bytes`, text that is no JSON, keys that are there twice,
    /// numbers beyond a double, nesting deeper than most_depth.
    [[nodiscard]] static JsonValue read(const std::filesystem::path& path, std::size_t most_bytes);

    static constexpr int most_depth = 32;

    [[nodiscard]] bool has(std::string_view key) const;
    /// A member of an object, which must be there.
    [[nodiscard]] JsonValue operator[](std::string_view key) const;
    /// Refuses members with other names, with a suggestion.
    void require_only(std::span<const std::string> keys) const;
    /// The members of an object, by their names in rising order.
    [[nodiscard]] std::vector<std::pair<std::string, JsonValue>> members() const;
    /// The items of a list of at most `most`.
    [[nodiscard]] std::vector<JsonValue> items(std::size_t most = SIZE_MAX) const;

    [[nodiscard]] bool is_null() const;
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool truth() const;
    [[nodiscard]] std::uint64_t count() const;
    [[nodiscard]] double number() const;
    /// The place of the text among `names`.
    [[nodiscard]] std::size_t one_of(std::span<const std::string_view> names) const;

    /// Throws InputError: the file, this place, and `what`.
    [[noreturn]] void refuse(const std::string& what) const;

private:
    struct Document;
    JsonValue(std::shared_ptr<const Document> document, const nlohmann::json& value, std::string place);
    [[noreturn]] void expected(std::string_view what) const;

    std::shared_ptr<const Document> document_;
    const nlohmann::json* value_;
    std::string place_;
};

}  // namespace nibble
