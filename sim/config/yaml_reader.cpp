// SPDX-License-Identifier: MIT
#include "sim/config/yaml_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/text_file.h"

namespace nibble {

struct YamlNode::Document {
    YamlTree tree;
    ProblemList problems;
    YamlSchema* schema = nullptr;  // what readers ask for, if somebody wants to know

    void read_as(const std::string& path, YamlSchema::Kind kind) const {
        if (schema != nullptr) {
            schema->read_as(path, std::move(kind));
        }
    }
};

namespace {

std::string found(const YamlTree::Node& node) {
    switch (node.kind) {
        case YamlTree::Kind::nothing:
            return "nothing";
        case YamlTree::Kind::list:
            return "a list";
        case YamlTree::Kind::map:
            return "a map";
        case YamlTree::Kind::text:
            break;
    }
    return fmt::format("'{}'{}", printable(node.text), node.quoted ? " in quotes" : "");
}

/// What a reader goes on with after a problem: 1, or the number of the range nearest to it.
double harmless(NumberRange range) {
    return std::clamp(1.0, range.min, range.max);
}

template <class Number>
std::optional<Number> parse(const YamlTree::Node& node) {
    if (node.kind != YamlTree::Kind::text || node.quoted) {
        return std::nullopt;
    }
    Number number{};
    const char* end = node.text.data() + node.text.size();
    const auto [stop, error] = std::from_chars(node.text.data(), end, number);
    return error == std::errc{} && stop == end ? std::optional(number) : std::nullopt;
}

bool has_leading_zero(const std::string& text) {
    return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

std::string join(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, printable(key));
}

}  // namespace

// ---- YamlNode

const YamlTree::Node& YamlNode::node() const {
    return document_->tree.nodes[index_];
}

SourceLocation YamlNode::where() const {
    return {document_->problems.file(), node().line, node().column};
}

void YamlNode::problem(const std::string& what) const {
    document_->problems.add(node().line, node().column, path_.empty() ? what : path_ + ": " + what);
}

void YamlNode::expected(const std::string& what, const std::string& hint) const {
    problem(fmt::format("expected {}, found {}{}", what, found(node()), hint));
}

std::string YamlNode::as_string() const {
    document_->read_as(path_, YamlSchema::Text{});
    if (!is_text()) {
        expected("text");
    }
    return node().text;
}

bool YamlNode::as_bool() const {
    document_->read_as(path_, YamlSchema::Boolean{});
    const YamlTree::Node& value = node();
    if (!is_text() || value.quoted || (value.text != "true" && value.text != "false")) {
        expected("true or false");
        return false;
    }
    return value.text == "true";
}

std::uint64_t YamlNode::as_unsigned(UnsignedRange range) const {
    document_->read_as(path_, range);
    const bool leading_zero = has_leading_zero(node().text);
    const std::optional<std::uint64_t> number = parse<std::uint64_t>(node());
    if (!number || leading_zero || *number < range.min || *number > range.max) {
        expected(describe(range), leading_zero ? " (write it without leading zeros)" : "");
        return range.min;
    }
    return *number;
}

double YamlNode::as_number(NumberRange range) const {
    document_->read_as(path_, range);
    const bool leading_zero = has_leading_zero(node().text);
    const std::optional<double> number = parse<double>(node());
    if (!number || leading_zero || !std::isfinite(*number) || *number < range.min || *number > range.max ||
        (range.min_excluded && *number <= range.min)) {
        expected(describe(range), leading_zero ? " (write it without leading zeros)" : "");
        return harmless(range);
    }
    return *number;
}

std::ptrdiff_t YamlNode::choice_index(const std::vector<std::string>& words) const {
    document_->read_as(path_, YamlSchema::Choice{words});
    const auto word = is_text() ? std::find(words.begin(), words.end(), node().text) : words.end();
    if (word == words.end()) {
        expected(fmt::format("one of {}", fmt::join(words, ", ")), suggestion(node().text, words));
        return 0;
    }
    return word - words.begin();
}

std::vector<YamlNode> YamlNode::as_list() const {
    document_->read_as(path_, YamlSchema::List{});
    if (!is_list()) {
        expected("a list");
        return {};
    }
    std::vector<YamlNode> items;
    for (const std::size_t child : node().children) {
        items.push_back(YamlNode(*document_, child, fmt::format("{}[{}]", path_, items.size())));
    }
    return items;
}

YamlMap YamlNode::as_map() const {
    document_->read_as(path_, YamlSchema::Map{});
    if (!is_map()) {
        expected("a map");
        return {};
    }
    return YamlMap(*this);
}

// ---- YamlMap

YamlMap::YamlMap(const YamlNode& self) : self_(self) {
    const std::vector<std::size_t>& children = self.node().children;
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
        const YamlNode name(*self.document_, children[i], self.path());
        if (!name.is_text()) {
            name.expected("a word as key");
            continue;
        }
        const std::string& key = name.node().text;
        const auto earlier =
            std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
        if (earlier != entries_.end()) {
            name.problem(
                fmt::format("duplicate key '{}', first given on line {}", printable(key), earlier->name.where().line));
            continue;
        }
        entries_.push_back({key, name, YamlNode(*self.document_, children[i + 1], join(self.path(), key))});
    }
}

std::optional<YamlNode> YamlMap::look_up(std::string_view key) {
    for (Entry& entry : entries_) {
        if (entry.key == key) {
            entry.asked = true;
            return entry.value;
        }
    }
    if (std::find(absent_.begin(), absent_.end(), key) == absent_.end()) {
        absent_.emplace_back(key);
    }
    return std::nullopt;
}

std::optional<YamlNode> YamlMap::find(const YamlKey& key) {
    note(key, false);
    return look_up(key.name);
}

std::optional<YamlNode> YamlMap::required(const YamlKey& key) {
    note(key, true);
    std::optional<YamlNode> value = look_up(key.name);
    if (!value) {
        missing_.emplace_back(key.name);
    }
    return value;
}

void YamlMap::note(const YamlKey& key, bool required) {
    if (self_ && self_->document_->schema != nullptr) {
        self_->document_->schema->asked(join(self_->path(), key.name), key, required);
    }
}

void YamlMap::note_default(const YamlKey& key, std::string_view value) {
    if (self_ && self_->document_->schema != nullptr) {
        self_->document_->schema->defaults_to(join(self_->path(), key.name), std::string(value));
    }
}

bool YamlMap::has(std::string_view key) {
    return look_up(key).has_value();
}

std::string YamlMap::required_string(const YamlKey& key) {
    const std::optional<YamlNode> value = required(key);
    return value ? value->as_string() : std::string{};
}

std::string YamlMap::optional_string(const YamlKey& key, std::string otherwise) {
    const std::optional<YamlNode> value = find(key);
    note_default(key, otherwise);
    return value ? value->as_string() : std::move(otherwise);
}

bool YamlMap::required_bool(const YamlKey& key) {
    const std::optional<YamlNode> value = required(key);
    return value && value->as_bool();
}

bool YamlMap::optional_bool(const YamlKey& key, bool otherwise) {
    const std::optional<YamlNode> value = find(key);
    note_default(key, otherwise ? "true" : "false");
    return value ? value->as_bool() : otherwise;
}

std::uint64_t YamlMap::required_unsigned(const YamlKey& key, UnsignedRange range) {
    const std::optional<YamlNode> value = required(key);
    return value ? value->as_unsigned(range) : range.min;
}

std::uint64_t YamlMap::optional_unsigned(const YamlKey& key, std::uint64_t otherwise, UnsignedRange range) {
    const std::optional<YamlNode> value = find(key);
    note_default(key, fmt::to_string(otherwise));
    return value ? value->as_unsigned(range) : otherwise;
}

double YamlMap::required_number(const YamlKey& key, NumberRange range) {
    const std::optional<YamlNode> value = required(key);
    return value ? value->as_number(range) : harmless(range);
}

double YamlMap::optional_number(const YamlKey& key, double otherwise, NumberRange range) {
    const std::optional<YamlNode> value = find(key);
    note_default(key, fmt::to_string(otherwise));
    return value ? value->as_number(range) : otherwise;
}

YamlMap YamlMap::required_map(const YamlKey& key) {
    const std::optional<YamlNode> value = required(key);
    return value ? value->as_map() : YamlMap{};
}

YamlMap YamlMap::optional_map(const YamlKey& key) {
    const std::optional<YamlNode> value = find(key);
    return value ? value->as_map() : YamlMap{};
}

std::vector<YamlNode> YamlMap::required_list(const YamlKey& key) {
    const std::optional<YamlNode> value = required(key);
    return value ? value->as_list() : std::vector<YamlNode>{};
}

std::vector<YamlNode> YamlMap::optional_list(const YamlKey& key) {
    const std::optional<YamlNode> value = find(key);
    return value ? value->as_list() : std::vector<YamlNode>{};
}

std::vector<std::pair<std::string, YamlNode>> YamlMap::entries() {
    std::vector<std::pair<std::string, YamlNode>> all;
    for (Entry& entry : entries_) {
        entry.asked = true;
        all.emplace_back(entry.key, entry.value);
    }
    return all;
}

void YamlMap::problem(std::string_view key, const std::string& what) {
    if (const std::optional<YamlNode> value = look_up(key)) {
        value->problem(what);
    } else if (self_) {
        self_->problem(fmt::format("{}: {}", key, what));
    }
}

void YamlMap::finish() {
    if (!self_) {
        return;
    }
    for (const Entry& entry : entries_) {
        if (entry.asked) {
            continue;
        }
        const std::string hint = suggestion(entry.key, absent_);
        entry.name.problem(fmt::format("unknown key '{}'{}", printable(entry.key), hint));
        // A misspelt key is one mistake, not two: the key it was meant to be does not count as missing as well.
        std::erase_if(missing_,
                      [&](const std::string& key) { return hint.find('\'' + key + '\'') != std::string::npos; });
    }
    for (const std::string& key : missing_) {
        self_->problem(fmt::format("missing key '{}'", key));
    }
    missing_.clear();
}

// ---- YamlDocument

YamlDocument::YamlDocument(YamlTree tree, const std::string& name)
    : document_(std::make_unique<YamlNode::Document>(YamlNode::Document{std::move(tree), ProblemList(name)})) {}
YamlDocument::YamlDocument(YamlDocument&&) noexcept = default;
YamlDocument& YamlDocument::operator=(YamlDocument&&) noexcept = default;
YamlDocument::~YamlDocument() = default;

YamlDocument YamlDocument::from_file(const std::filesystem::path& path) {
    return from_text(read_text_file(path, most_bytes), path.string());
}

YamlDocument YamlDocument::from_text(const std::string& text, const std::string& name) {
    if (text.size() > most_bytes) {
        throw InputError({name}, fmt::format("the text is larger than {} KiB", most_bytes / 1024));
    }
    require_text(text, name);
    return {parse_yaml_tree(text, name), name};
}

YamlNode YamlDocument::root() const {
    return {*document_, document_->tree.root, ""};
}

void YamlDocument::record(YamlSchema& schema) {
    document_->schema = &schema;
}

ProblemList& YamlDocument::problems() const {
    return document_->problems;
}

std::string yaml_text(std::string_view text) {
    // With the line breaks of YAML 1.1 beyond ASCII. Other controls up to U+009F are escaped by their number.
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"\"", "\\\""}, {"\\", "\\\\"}, {"\n", "\\n"}, {"\t", "\\t"}, {"\u2028", "\\L"}, {"\u2029", "\\P"}};
    std::string out = "\"";
    while (!text.empty()) {
        std::size_t length = 1;
        const auto byte = static_cast<unsigned char>(text[0]);
        const auto* const named =
            std::ranges::find_if(names, [&](const auto& one) { return text.starts_with(one.first); });
        if (named != std::end(names)) {
            out += named->second;
            length = named->first.size();
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else if (byte == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[1]));
            length = 2;
        } else {
            out += text[0];
        }
        text.remove_prefix(length);
    }
    return out + '"';
}

}  // namespace nibble
