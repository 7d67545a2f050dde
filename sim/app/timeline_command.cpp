// SPDX-License-Identifier: MIT
#include "sim/app/timeline_command.h"

#include <iostream>
#include <vector>

#include "sim/app/terminal.h"
#include "sim/report/text_table.h"
#include "sim/timeline/timeline_reader.h"
#include "sim/timeline/timeline_text.h"

namespace nibble {

void timeline_command(const TimelineRequest& request) {
    const TextStyle style = terminal_style();
    const std::size_t width = request.width.value_or(style.width);
    TimelineWindow window{.from = request.from, .to = request.to};
    window.columns = width > timeline_margin ? width - timeline_margin : 1;
    const std::vector<MachineTimeline> machines = read_timeline(request.file, window);
    if (request.json) {
        std::cout << timeline_json(machines);
    } else {
        const TextStyle fitting{style.colour, style.unicode, width};
        std::cout << fitted(timeline_text(machines, fitting), fitting);
    }
}

}  // namespace nibble
