// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.h"
#include "sim/import/byte_source.h"
#include "sim/import/pytorch/recorded_call.h"
#include "tests/support/memory_file.h"

namespace nibble::test {

/// What a reader makes of a recording, or what the user would see.
struct Recording {
    std::vector<RecordedCall> calls;
    std::string description, problem;
    std::vector<std::string> notes;

    [[nodiscard]] std::vector<std::string> ops() const {
        std::vector<std::string> all;
        for (const RecordedCall& call : calls) {
            all.push_back(call.op);
        }
        return all;
    }
};

using OpenReader = OpenCalls (*)(OpenBytes);

inline ByteSource open_file(const std::filesystem::path& path) {
    return {path, [](std::string_view member) { return member.ends_with(".json") || member.ends_with(".et"); }};
}

inline Recording read_recording(OpenReader reader, const std::filesystem::path& path) {
    Recording recording;
    try {
        const OpenCalls open = reader([path] { return open_file(path); });
        const std::unique_ptr<CallSource> source = open();
        while (const RecordedCall* call = source->next()) {
            recording.calls.push_back(*call);
        }
        recording.description = source->description();
        recording.notes = source->notes();
    } catch (const InputError& error) {
        recording.problem = error.what();
    }
    return recording;
}

inline Recording read_recording_text(OpenReader reader, const std::string& text) {
    const MemoryFile file(text);
    return read_recording(reader, file.path());
}

/// A file that the project does not ship; tests that need it are skipped where it is absent.
inline std::filesystem::path shared_data(const std::string& name) {
    return std::filesystem::path(NIBBLE_SOURCE_DIR) / "../shared/data" / name;
}

/// One of: a byte replaced, a piece cut out, a piece copied to another place, the end cut off.
inline std::string damaged(std::string text, std::mt19937_64& random) {
    const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
    static const std::string interesting = "{}[]()'\",:0123456789-eE.\n\\ \x80\xff\x01";
    const std::size_t at = below(text.size());
    switch (below(4)) {
        case 0:
            text[at] = interesting[below(interesting.size())];
            break;
        case 1:
            text.erase(at, 1 + below(40));
            break;
        case 2:
            text.insert(below(text.size()), text.substr(at, 1 + below(40)));
            break;
        default:
            text.resize(at);
            break;
    }
    return text;
}

}  // namespace nibble::test
