// SPDX-License-Identifier: MIT
#include "sim/base/log.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "sim/base/error.h"

namespace nibble {

const std::vector<std::string>& log_levels() {
    static const std::vector<std::string> levels{"off", "error", "warn", "info", "debug", "trace"};
    return levels;
}

void set_up_logging(const std::string& level) {
    const std::vector<std::string>& levels = log_levels();
    if (std::find(levels.begin(), levels.end(), level) == levels.end()) {
        throw InputError(fmt::format("--log: expected one of {}, found '{}'{}", fmt::join(levels, ", "),
                                     printable(level), suggestion(level, levels)));
    }
    auto logger =
        std::make_shared<spdlog::logger>("nibblesim", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    logger->set_pattern("nibblesim: %^%l%$: %v");
    logger->set_level(spdlog::level::from_str(level));
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace nibble
