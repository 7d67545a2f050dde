// SPDX-License-Identifier: MIT
#include "sim/import/derive/gradient_rules.h"

#include <algorithm>

namespace nibble {

GradientRule find_gradient_rule(std::string_view function) {
    for (const auto& rules : {elementwise_rules(), movement_rules(), normalisation_rules(), resizing_rules()}) {
        const auto found = std::ranges::find(rules, function, &NamedRule::function);
        if (found != rules.end()) {
            return found->rule;
        }
    }
    return nullptr;
}

}  // namespace nibble
