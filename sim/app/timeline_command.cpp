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
    const std::size_t width = request.width.value_or(report_width);
    TimelineWindow window{.from = request.from, .to = request.to};
    window.columns = width > timeline_margin ? width - timeline_margin : 1;
    const std::vector<MachineTimeline> machines = read_timeline(request.file, window);
    std::cout << (request.json ? timeline_json(machines) : timeline_text(machines, terminal_style()));
}

}  // namespace nibble
