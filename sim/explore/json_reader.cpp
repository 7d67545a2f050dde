// SPDX-License-Identifier: MIT
#include "sim/explore/json_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/config/text_file.h"

namespace nibble {

namespace {

using Json = nlohmann::json;

SourceLocation location_of(const std::string& file, const std::string& text, std::size_t byte) {
    const std::string_view before = std::string_view(text).substr(0, std::min(byte, text.size()));
    const auto line = static_cast<std::uint64_t>(std::ranges::count(before, '\n')) + 1;
    return {file, line, before.size() - (before.rfind('\n') + 1) + 1};  // npos + 1 == 0: the first line
}

/// What nlohmann's parser lets pass: nesting without end, and keys that are there twice.
class Strictness {
public:
    explicit Strictness(std::string file) : file_(std::move(file)) {}

    bool operator()(int depth, Json::parse_event_t event, const Json& value) {
        if (depth > JsonValue::most_depth) {
            throw InputError({file_}, fmt::format("nested deeper than {} levels", JsonValue::most_depth));
        }
        if (event == Json::parse_event_t::object_start) {
            keys_.emplace_back();
        } else if (event == Json::parse_event_t::object_end) {
            keys_.pop_back();
        } else if (event == Json::parse_event_t::key) {
            const auto& key = value.get_ref<const std::string&>();
            if (!keys_.back().insert(key).second) {
                throw InputError({file_}, fmt::format("key '{}' is there twice in one object", printable(key)));
            }
        }
        return true;
    }

private:
    std::string file_;
    std::vector<std::set<std::string>> keys_;
};

}  // namespace

struct JsonValue::Document {
    std::string file;
    Json root;
};

JsonValue::JsonValue(std::shared_ptr<const Document> document, const Json& value, std::string place)
    : document_(std::move(document)), value_(&value), place_(std::move(place)) {}

JsonValue JsonValue::read(const std::filesystem::path& path, std::size_t most_bytes) {
    const std::string file = path.string();
    const std::string text = read_text_file(path, most_bytes);
    auto document = std::make_shared<Document>(Document{file, {}});
    Strictness strictness(file);
    try {
        document->root = Json::parse(text, std::ref(strictness));
    } catch (const Json::parse_error& error) {
        const SourceLocation where = location_of(file, text, error.byte == 0 ? 0 : error.byte - 1);
        throw InputError(where, "not JSON: unexpected text or end of file");
    } catch (const Json::exception&) {
        throw InputError({file}, "a number is too large");
    }
    const Json& root = document->root;
    return {std::move(document), root, ""};
}

void JsonValue::refuse(const std::string& what) const {
    throw InputError({document_->file}, place_.empty() ? what : printable(place_, 120) + ": " + what);
}

void JsonValue::expected(std::string_view what) const {
    const std::string found = value_->is_structured() ? value_->type_name() : value_->dump();
    refuse(fmt::format("expected {}, found {}", what, printable(found)));
}

bool JsonValue::has(std::string_view key) const {
    return value_->is_object() && value_->contains(key);
}

JsonValue JsonValue::operator[](std::string_view key) const {
    if (!value_->is_object()) {
        expected("an object");
    }
    const auto found = value_->find(key);
    if (found == value_->end()) {
        refuse(fmt::format("'{}' is missing", printable(key)));
    }
    return {document_, *found, place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key)};
}

void JsonValue::require_only(std::span<const std::string> keys) const {
    if (!value_->is_object()) {
        expected("an object");
    }
    const std::set<std::string_view> known(keys.begin(), keys.end());
    for (const auto& [key, value] : value_->items()) {
        if (!known.contains(key)) {
            refuse(fmt::format("unknown key '{}'{}", printable(key), suggestion(key, keys)));
        }
    }
}

std::vector<std::pair<std::string, JsonValue>> JsonValue::members() const {
    if (!value_->is_object()) {
        expected("an object");
    }
    std::vector<std::pair<std::string, JsonValue>> members;
    for (const auto& [key, value] : value_->items()) {
        members.emplace_back(key, (*this)[key]);
    }
    return members;
}

std::vector<JsonValue> JsonValue::items(std::size_t most) const {
    if (!value_->is_array()) {
        expected("a list");
    }
    if (value_->size() > most) {
        refuse(fmt::format("more than {} items", most));
    }
    std::vector<JsonValue> items;
    items.reserve(value_->size());
    for (const Json& item : *value_) {
        items.push_back({document_, item, fmt::format("{}[{}]", place_, items.size())});
    }
    return items;
}

bool JsonValue::is_null() const {
    return value_->is_null();
}

std::string JsonValue::text() const {
    if (!value_->is_string()) {
        expected("text");
    }
    return value_->get<std::string>();
}

bool JsonValue::truth() const {
    if (!value_->is_boolean()) {
        expected("true or false");
    }
    return value_->get<bool>();
}

std::uint64_t JsonValue::count() const {
    if (!value_->is_number_unsigned()) {
        expected("a count");
    }
    return value_->get<std::uint64_t>();
}

double JsonValue::number() const {
    if (!value_->is_number()) {
        expected("a number");
    }
    return value_->get<double>();
}

std::size_t JsonValue::one_of(std::span<const std::string_view> names) const {
    const std::string found = text();
    const auto place = std::ranges::find(names, found);
    if (place == names.end()) {
        const std::vector<std::string> candidates(names.begin(), names.end());
        refuse(fmt::format("expected one of {}, found '{}'{}", fmt::join(names, ", "), printable(found),
                           suggestion(found, candidates)));
    }
    return static_cast<std::size_t>(place - names.begin());
}

}  // namespace nibble
