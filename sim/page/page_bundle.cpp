// SPDX-License-Identifier: MIT
#include "sim/page/page_bundle.h"

#include <cstddef>
#include <string_view>

#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/config/text_file.h"
#include "sim/explore/json_reader.h"

namespace nibble {

namespace {

constexpr std::size_t most_bytes = std::size_t{16} << 20U;

/// A part that stands between <tag> and </tag>: the text must not end the element.
std::string read_part(const std::filesystem::path& file, std::string_view end) {
    std::string text = read_text_file(file, most_bytes);
    if (text.find(end) != std::string::npos) {
        throw InputError({file.string()}, "damaged: it would end the element that it is put into");
    }
    return text;
}

/// "sha256-" and the 44 characters of base64 that hold 32 bytes.
std::string read_hash(const JsonValue& value) {
    std::string hash = value.text();
    constexpr std::string_view prefix = "sha256-";
    constexpr std::string_view base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    if (!hash.starts_with(prefix) || hash.size() != prefix.size() + 44 ||
        hash.find_first_not_of(base64, prefix.size()) != std::string::npos) {
        value.refuse("expected sha256- and 44 characters of base64");
    }
    return hash;
}

}  // namespace

PageBundle read_page_bundle(const std::filesystem::path& folder) {
    const JsonValue hashes = JsonValue::read(folder / "bundle.json", most_bytes);
    return {read_part(folder / "report.js", "</script"), read_part(folder / "report.css", "</style"),
            read_hash(hashes["script"]), read_hash(hashes["style"])};
}

PageBundle load_page_bundle() {
    return read_page_bundle(data_folder(DataKind::report_page));
}

}  // namespace nibble
