// SPDX-License-Identifier: MIT
#include "sim/app/show_json.h"

#include <iostream>

#include <nlohmann/json.hpp>

namespace nibble {

void show_json(const char* schema, const nlohmann::ordered_json& document) {
    nlohmann::ordered_json named = {{"schema", schema}};
    named.update(document);
    std::cout << named.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace nibble
