// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/error.h"
#include "sim/config/yaml_schema.h"
#include "sim/config/yaml_tree.h"

namespace nibble {

class YamlMap;

/// A word of the file and what it stands for.
template <class E>
using YamlChoices = std::initializer_list<std::pair<std::string_view, E>>;

/// One value of the document with the path that leads to it ("dram.timings[2].name").
/// Its readers never throw: they add a problem to the document and return a harmless value, so that one run
/// shows every problem. Valid as long as the document.
class YamlNode {
public:
    [[nodiscard]] std::string as_string() const;  ///< quoted or not; "" after a problem
    [[nodiscard]] bool as_bool() const;           ///< true or false, nothing else; false after a problem
    [[nodiscard]] std::uint64_t as_unsigned(UnsignedRange range = {}) const;  ///< range.min after a problem
    [[nodiscard]] double as_number(
        NumberRange range = positive_number) const;       ///< 1, or nearest to it, after a problem
    [[nodiscard]] YamlMap as_map() const;                 ///< an absent map after a problem
    [[nodiscard]] std::vector<YamlNode> as_list() const;  ///< empty after a problem
    /// The value that belongs to the word; the first one after a problem.
    template <class E>
    [[nodiscard]] E as_choice(YamlChoices<E> choices) const {
        std::vector<std::string> words;
        for (const auto& choice : choices) {
            words.emplace_back(choice.first);
        }
        return (choices.begin() + choice_index(words))->second;
    }

    [[nodiscard]] bool is_text() const { return node().kind == YamlTree::Kind::text; }
    [[nodiscard]] bool is_list() const { return node().kind == YamlTree::Kind::list; }
    [[nodiscard]] bool is_map() const { return node().kind == YamlTree::Kind::map; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] SourceLocation where() const;

    /// Adds "path: what" at the place of this value: for rules that no reader here knows.
    void problem(const std::string& what) const;

private:
    friend class YamlDocument;
    friend class YamlMap;
    struct Document;

    YamlNode(Document& document, std::size_t index, std::string path)
        : document_(&document), index_(index), path_(std::move(path)) {}
    [[nodiscard]] const YamlTree::Node& node() const;
    [[nodiscard]] std::ptrdiff_t choice_index(const std::vector<std::string>& words) const;
    void expected(const std::string& what, const std::string& hint = {}) const;

    Document* document_;
    std::size_t index_;
    std::string path_;
};

/// A map that knows which of its keys were asked for. After the last one call finish(), which reports missing and
/// unknown keys; duplicate keys are reported at once. An absent map (optional and not given, or already reported as
/// a problem) answers every question with a harmless value or the default and reports nothing.
class YamlMap {
public:
    [[nodiscard]] bool present() const { return self_.has_value(); }
    [[nodiscard]] bool has(std::string_view key);

    [[nodiscard]] std::string required_string(const YamlKey& key);
    [[nodiscard]] std::string optional_string(const YamlKey& key, std::string otherwise);
    [[nodiscard]] bool required_bool(const YamlKey& key);
    [[nodiscard]] bool optional_bool(const YamlKey& key, bool otherwise);
    [[nodiscard]] std::uint64_t required_unsigned(const YamlKey& key, UnsignedRange range = {});
    [[nodiscard]] std::uint64_t optional_unsigned(const YamlKey& key, std::uint64_t otherwise,
                                                  UnsignedRange range = {});
    [[nodiscard]] double required_number(const YamlKey& key, NumberRange range = positive_number);
    [[nodiscard]] double optional_number(const YamlKey& key, double otherwise, NumberRange range = positive_number);
    [[nodiscard]] YamlMap required_map(const YamlKey& key);
    [[nodiscard]] YamlMap optional_map(const YamlKey& key);
    [[nodiscard]] std::vector<YamlNode> required_list(const YamlKey& key);
    [[nodiscard]] std::vector<YamlNode> optional_list(const YamlKey& key);
    template <class E>
    [[nodiscard]] E required_choice(const YamlKey& key, YamlChoices<E> choices) {
        const std::optional<YamlNode> value = required(key);
        return value ? value->as_choice<E>(choices) : choices.begin()->second;
    }
    template <class E>
    [[nodiscard]] E optional_choice(const YamlKey& key, E otherwise, YamlChoices<E> choices) {
        const std::optional<YamlNode> value = find(key);
        const auto* const word = std::find_if(choices.begin(), choices.end(),
                                              [&](const auto& choice) { return choice.second == otherwise; });
        if (word != choices.end()) {
            note_default(key, word->first);
        }
        return value ? value->as_choice<E>(choices) : otherwise;
    }

    /// The value of a key, if the file gives it; if not and it is required, finish() reports it as missing.
    [[nodiscard]] std::optional<YamlNode> find(const YamlKey& key);
    [[nodiscard]] std::optional<YamlNode> required(const YamlKey& key);
    /// Every entry, for maps whose keys are names chosen by the user; none of them counts as unknown.
    [[nodiscard]] std::vector<std::pair<std::string, YamlNode>> entries();

    /// Adds "path: what" at the place of a key's value, or of the map itself if the key is not given.
    void problem(std::string_view key, const std::string& what);

    void finish();

private:
    friend class YamlNode;
    struct Entry {
        std::string key;
        YamlNode name;  // the key, for its place
        YamlNode value;
        bool asked = false;
    };

    YamlMap() = default;
    explicit YamlMap(const YamlNode& self);
    [[nodiscard]] std::optional<YamlNode> look_up(std::string_view key);
    void note(const YamlKey& key, bool required);
    void note_default(const YamlKey& key, std::string_view value);

    std::optional<YamlNode> self_;
    std::vector<Entry> entries_;
    std::vector<std::string> absent_;   // keys asked for and not given
    std::vector<std::string> missing_;  // those of them that are required
};

/// Text as a double-quoted YAML scalar.
[[nodiscard]] std::string yaml_text(std::string_view text);

/// A YAML file read strictly: one document of at most 1 MiB of UTF-8, no tags, aliases bounded. Whatever makes the
/// file unreadable as a whole is thrown at once; everything else is collected and thrown by throw_if_any().
class YamlDocument {
public:
    static constexpr std::size_t most_bytes = 1024 * 1024;

    [[nodiscard]] static YamlDocument from_file(const std::filesystem::path& path);
    /// `name` stands for the file in messages.
    [[nodiscard]] static YamlDocument from_text(const std::string& text, const std::string& name);
    YamlDocument(YamlDocument&&) noexcept;
    YamlDocument& operator=(YamlDocument&&) noexcept;
    ~YamlDocument();

    [[nodiscard]] YamlNode root() const;
    [[nodiscard]] YamlMap root_map() const { return root().as_map(); }
    /// For readers that check more than the accessors can.
    [[nodiscard]] ProblemList& problems() const;
    void throw_if_any() const { problems().throw_if_any(); }
    /// From now on, whatever readers ask for is added to `schema`, which must outlive the reading.
    void record(YamlSchema& schema);

private:
    YamlDocument(YamlTree tree, const std::string& name);
    std::unique_ptr<YamlNode::Document> document_;
};

}  // namespace nibble
