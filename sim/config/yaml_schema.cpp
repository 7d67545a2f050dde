// SPDX-License-Identifier: MIT
#include "sim/config/yaml_schema.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace nibble {

namespace {

/// Path without the numbers of list items: all items of a list are alike.
std::string without_numbers(const std::string& path) {
    std::string plain;
    bool inside = false;
    for (const char c : path) {
        inside = c == '[' || (inside && c != ']');
        if (!inside || c == '[') {
            plain += c;
        }
    }
    return plain;
}

/// Where the last word of a path begins.
std::size_t last_word(std::string_view path) {
    const std::size_t split = path.find_last_of(".[");
    return split == std::string_view::npos ? 0 : path[split] == '.' ? split + 1 : split;
}

std::string_view parent_of(std::string_view path) {
    const std::size_t last = last_word(path);
    return path.substr(0, last > 0 && path[last - 1] == '.' ? last - 1 : last);
}

}  // namespace

std::string describe(UnsignedRange range) {
    if (range.max < std::numeric_limits<std::uint64_t>::max()) {
        return fmt::format("a whole number from {} to {}", range.min, range.max);
    }
    return range.min == 0 ? "a whole number" : fmt::format("a whole number of at least {}", range.min);
}

std::string describe(NumberRange range) {
    const bool bounded = range.max < std::numeric_limits<double>::max();
    if (range.min_excluded) {
        return bounded ? fmt::format("a number above {} and at most {}", range.min, range.max)
                       : fmt::format("a number above {}", range.min);
    }
    return bounded ? fmt::format("a number from {} to {}", range.min, range.max)
                   : fmt::format("a number of at least {}", range.min);
}

std::vector<const YamlSchema::Entry*> YamlSchema::below(std::string_view path) const {
    std::vector<const Entry*> children;
    for (const Entry& entry : entries_) {
        if (!entry.path.empty() && parent_of(entry.path) == path) {
            children.push_back(&entry);
        }
    }
    return children;
}

const YamlSchema::Entry* YamlSchema::find(std::string_view path) const {
    const auto found = std::ranges::find(entries_, path, &Entry::path);
    return found == entries_.end() ? nullptr : &*found;
}

YamlSchema::Entry& YamlSchema::entry(const std::string& path) {
    const std::string plain = without_numbers(path);
    const auto known = std::ranges::find(entries_, plain, &Entry::path);
    if (known != entries_.end()) {
        return *known;
    }
    entries_.push_back({.path = plain, .name = plain.substr(last_word(plain))});
    return entries_.back();
}

void YamlSchema::asked(const std::string& path, const YamlKey& key, bool required) {
    if (find(without_numbers(path)) == nullptr) {
        Entry& added = entry(path);
        added.about = key.about;
        added.unit = key.unit;
        added.otherwise = key.otherwise;
        added.required = required;
    }
}

void YamlSchema::defaults_to(const std::string& path, std::string value) {
    entry(path).default_value = std::move(value);
}

void YamlSchema::read_as(const std::string& path, Kind kind) {
    entry(path).kind = std::move(kind);
}

void YamlSchema::merge(const YamlSchema& other) {
    // What only one of them asks for is not required where the other has the map that it belongs to.
    for (Entry& ours : entries_) {
        if (other.find(ours.path) == nullptr && other.find(parent_of(ours.path)) != nullptr) {
            ours.required = false;
        }
    }
    for (const Entry& theirs : other.entries_) {
        const auto ours = std::ranges::find(entries_, theirs.path, &Entry::path);
        if (ours != entries_.end()) {
            ours->required = ours->required && theirs.required;
            ours->kind = ours->kind.index() == 0 ? theirs.kind : ours->kind;
        } else {
            const bool map_is_ours = find(parent_of(theirs.path)) != nullptr;
            entries_.push_back(theirs);
            entries_.back().required = theirs.required && !map_is_ours;
        }
    }
}

}  // namespace nibble
