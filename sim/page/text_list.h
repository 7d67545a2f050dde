// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace nibble {

/// Different texts, each kept once: rows of a table refer to them by their places.
class TextList {
public:
    /// The place of a text, which is added if it is new.
    std::size_t place_of(const std::string& text) {
        const auto [place, added] = places_.try_emplace(text, texts_.size());
        if (added) {
            texts_.push_back(text);
        }
        return place->second;
    }
    [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

private:
    std::vector<std::string> texts_;
    std::map<std::string, std::size_t> places_;
};

}  // namespace nibble
