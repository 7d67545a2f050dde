// SPDX-License-Identifier: MIT
#include "sim/app/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>

namespace nibble {

void write_to_parent(int pipe, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(pipe, text.data(), text.size());
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            _exit(1);
        }
    }
}

std::string signal_text(int signal) {
    return fmt::format("signal {} ({}){}", signal, strsignal(signal),
                       signal == SIGKILL ? ", perhaps for want of memory" : "");
}

}  // namespace nibble
