// SPDX-License-Identifier: MIT
#include "sim/import/byte_source.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"

namespace nibble {

namespace {

constexpr std::size_t block_bytes = 256 * 1024;

struct CloseArchive {
    void operator()(struct archive* handle) const { archive_read_free(handle); }
};

const char* error_of(struct archive* handle) {
    const char* text = archive_error_string(handle);
    return text != nullptr ? text : "it is damaged";
}

}  // namespace

struct ByteSource::Archive {
    std::unique_ptr<struct archive, CloseArchive> handle{archive_read_new()};
};

ByteSource::ByteSource(std::filesystem::path path, const Wanted& wanted)
    : path_(std::move(path)), archive_(std::make_unique<Archive>()) {
    struct archive* handle = archive_->handle.get();
    archive_read_support_filter_bzip2(handle);
    archive_read_support_filter_gzip(handle);
    archive_read_support_filter_xz(handle);
    archive_read_support_filter_zstd(handle);
    archive_read_support_format_tar(handle);
    archive_read_support_format_zip(handle);
    archive_read_support_format_raw(handle);  // whatever is no archive
    archive_read_support_format_empty(handle);
    if (archive_read_open_filename(handle, path_.c_str(), block_bytes) != ARCHIVE_OK) {
        fail(error_of(handle));
    }
    struct archive_entry* entry = nullptr;
    std::uint64_t skipped = 0;
    for (std::uint64_t members = 0; members <= most_members; ++members) {
        const int status = archive_read_next_header(handle, &entry);
        if (status == ARCHIVE_EOF) {
            if (archive_format(handle) == ARCHIVE_FORMAT_EMPTY) {
                archive_->handle.reset();  // there is nothing that could be asked of it
                return;
            }
            fail(fmt::format("none of the archive's {} members is a trace or a model", members));
        }
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
            fail(error_of(handle));
        }
        if (archive_format(handle) == ARCHIVE_FORMAT_RAW) {
            return;
        }
        const char* name = archive_entry_pathname(entry);
        if (name != nullptr && archive_entry_filetype(entry) == AE_IFREG && wanted(name)) {
            member_ = name;
            return;
        }
        skipped = skip_member(skipped);
    }
    fail(fmt::format("an archive with more than {} members", most_members));
}

ByteSource::ByteSource(ByteSource&&) noexcept = default;
ByteSource& ByteSource::operator=(ByteSource&&) noexcept = default;
ByteSource::~ByteSource() = default;

std::size_t ByteSource::read(std::span<char> to) {
    std::size_t filled = 0;
    while (archive_->handle != nullptr && filled < to.size()) {
        const la_ssize_t got = archive_read_data(archive_->handle.get(), to.data() + filled, to.size() - filled);
        if (got < 0) {
            position_ += filled;
            fail(fmt::format("damaged at byte {}: {}", position_, error_of(archive_->handle.get())));
        }
        if (got == 0) {
            break;
        }
        filled += static_cast<std::size_t>(got);
    }
    position_ += filled;
    check_expansion(position_);
    if (watch_ && archive_->handle != nullptr) {
        watch_(packed());
    }
    return filled;
}

std::uint64_t ByteSource::packed() const {
    constexpr int as_it_lies_in_the_file = -1;
    const la_int64_t bytes = archive_filter_bytes(archive_->handle.get(), as_it_lies_in_the_file);
    return bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

void ByteSource::check_expansion(std::uint64_t unpacked) const {
    if (unpacked > most_bytes) {
        fail(fmt::format("it unpacks to more than {} GiB", most_bytes >> 30U));
    }
    if (unpacked <= always_bytes || archive_->handle == nullptr) {
        return;
    }
    const std::uint64_t packed = this->packed();
    if (packed > 0 && unpacked / most_expansion > packed) {
        fail(fmt::format("it unpacks to more than {} times its size; to read it nevertheless, unpack it first",
                         most_expansion));
    }
}

/// As libarchive itself would do, but watching how much it is, together with `skipped` so far.
std::uint64_t ByteSource::skip_member(std::uint64_t skipped) const {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    while (archive_read_data_block(archive_->handle.get(), &block, &size, &offset) == ARCHIVE_OK) {
        skipped += size;
        check_expansion(skipped);
    }
    return skipped;
}

std::string ByteSource::read_all(std::uint64_t most) {
    std::string all;
    std::size_t got = 0;
    do {
        const std::size_t before = all.size();
        all.resize(before + block_bytes);
        got = read(std::span(all).subspan(before));
        all.resize(before + got);
        if (all.size() > most) {
            fail(fmt::format("larger than the {} MiB that such a file may have", most >> 20U));
        }
    } while (got == block_bytes);
    return all;
}

std::string ByteSource::name() const {
    return member_.empty() ? path_.string() : fmt::format("{} ({})", path_.string(), printable(member_));
}

void ByteSource::fail(const std::string& what) const {
    throw InputError({name(), 0, 0}, what);
}

}  // namespace nibble
