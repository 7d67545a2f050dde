// SPDX-License-Identifier: MIT
#include "sim/report/text_report.h"

#include "sim/report/text_sections.h"

namespace nibble {

std::string text_report(const Result& result, const TextStyle& style) {
    std::string text;
    for (const auto section :
         {setup_section, headline_section, replay_section, phase_section, group_section, cycles_section, energy_section,
          on_chip_section, waterfall_section, value_section, simulation_section}) {
        const std::string part = section(result, style);
        if (!part.empty()) {
            text += (text.empty() ? "" : "\n") + part;
        }
    }
    return text;
}

}  // namespace nibble
