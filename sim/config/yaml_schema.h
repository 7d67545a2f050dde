// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nibble {

/// Whole numbers from min to max, both included.
struct UnsignedRange {
    std::uint64_t min = 0;
    std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

/// Finite numbers from min to max; max is included, min is unless min_excluded.
struct NumberRange {
    double min = 0;
    double max = std::numeric_limits<double>::max();
    bool min_excluded = false;
};
inline constexpr NumberRange positive_number{0, std::numeric_limits<double>::max(), true};
inline constexpr NumberRange non_negative_number{};

/// The range in words: "a whole number from 1 to 64".
[[nodiscard]] std::string describe(UnsignedRange range);
[[nodiscard]] std::string describe(NumberRange range);

/// A key by which a reader asks for a value, and what people should know of it. Readers that have no reference made
/// from them give the name alone.
struct YamlKey {
    template <std::convertible_to<std::string_view> Name>
    YamlKey(const Name& key) : name(key) {}  // NOLINT(google-explicit-constructor): a name is a key
    YamlKey(std::string_view key, std::string_view meaning, std::string_view measured_in = {},
            std::string_view if_absent = {})
        : name(key), about(meaning), unit(measured_in), otherwise(if_absent) {}

    std::string_view name;
    std::string_view about;      ///< one phrase, Markdown
    std::string_view unit;       ///< of the number
    std::string_view otherwise;  ///< what holds if the key is not given, where the reader's own default does not say it
};

/// What a reader of YAML accepts, key by key in the order in which it asks: recorded by the very calls that read a
/// file (YamlDocument::record). Only what a document has is asked for to the end, so that it takes documents with
/// every key, and one for each way in which keys exclude each other.
class YamlSchema {
public:
    struct Text {};
    struct Boolean {};
    struct List {};
    struct Map {};
    struct Choice {
        std::vector<std::string> words;
    };
    using Kind = std::variant<std::monostate, Text, Boolean, UnsignedRange, NumberRange, Choice, List, Map>;

    struct Entry {
        std::string path;  ///< "scratchpad.banks"; items of a list are "mac_array.dataflows[]"
        std::string name;  ///< the last of it: "banks", "[]"
        std::string about{};
        std::string unit{};
        std::string otherwise{};      ///< what holds if it is not given, in words; empty: default_value
        std::string default_value{};  ///< as a file would give it
        bool required = false;
        Kind kind{};  ///< monostate: the documents do not have it
    };

    [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
    /// The entry of a path; null if no reader asked for it.
    [[nodiscard]] const Entry* find(std::string_view path) const;
    /// Entries right below a path ("": the root): keys of a map, or "[]" of a list.
    [[nodiscard]] std::vector<const Entry*> below(std::string_view path) const;

    /// A key was asked for. What was said the first time counts.
    void asked(const std::string& path, const YamlKey& key, bool required);
    /// What the reader goes on with where an optional key is not given.
    void defaults_to(const std::string& path, std::string value);
    /// A value was read as this.
    void read_as(const std::string& path, Kind kind);
    /// Adds what another document showed. Only keys that both require remain so, or one where the other does not have
    /// the map at all.
    void merge(const YamlSchema& other);

private:
    Entry& entry(const std::string& path);

    std::vector<Entry> entries_;
};

}  // namespace nibble
