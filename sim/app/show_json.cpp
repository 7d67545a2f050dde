// SPDX-License-Identifier: MIT
#include "sim/app/show_json.h"

#include <iostream>

#include <nlohmann/json.hpp>

namespace nibble {

void show_json(const nlohmann::ordered_json& document) {
    std::cout << document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace nibble
