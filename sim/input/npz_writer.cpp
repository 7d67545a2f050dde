// SPDX-License-Identifier: MIT
#include "sim/input/npz_writer.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <bit>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/base/error.h"
#include "sim/base/units.h"

namespace nibble {

namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");

constexpr std::uint64_t run_elements = 65536;

/// What precedes the elements. Its length is a multiple of 64, so that they can be mapped into memory.
std::string npy_header(std::string_view type, std::span<const std::uint64_t> shape) {
    constexpr std::size_t alignment = 64;
    constexpr std::size_t start_bytes = 10;  // magic string, version, length of the rest
    std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                                         fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
    const std::size_t bytes = round_up(start_bytes + dictionary.size() + 1, alignment) - start_bytes;
    dictionary.resize(bytes - 1, ' ');
    return std::string("\x93NUMPY\x01") + '\0' + static_cast<char>(bytes & 0xffU) + static_cast<char>(bytes >> 8U) +
           dictionary + '\n';
}

struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

}  // namespace

struct NpzWriter::Archive {
    struct Free {
        void operator()(struct archive* finished) const { archive_write_free(finished); }
    };
    std::unique_ptr<struct archive, Free> handle{archive_write_new()};
};

NpzWriter::NpzWriter(const std::filesystem::path& path) : path_(path), archive_(std::make_unique<Archive>()) {
    struct archive* handle = archive_->handle.get();
    if (archive_write_set_format_zip(handle) != ARCHIVE_OK ||
        archive_write_set_options(handle, "zip:compression=store") != ARCHIVE_OK ||
        archive_write_open_filename(handle, path.c_str()) != ARCHIVE_OK) {
        fail();
    }
}

NpzWriter::~NpzWriter() = default;

void NpzWriter::fail() const {
    constexpr std::size_t longest_path = 4096;
    const char* why = archive_error_string(archive_->handle.get());
    throw InputError({printable(path_.string(), longest_path), 0, 0},
                     fmt::format("cannot be written: {}", why != nullptr ? why : "no reason given"));
}

void NpzWriter::add(const std::string& name, std::string_view type, std::size_t element_bytes,
                    std::span<const std::uint64_t> shape, const Source& source) {
    struct archive* handle = archive_->handle.get();
    const std::string header = npy_header(type, shape);
    std::uint64_t elements = 1;
    for (const std::uint64_t dimension : shape) {
        elements *= dimension;
    }
    constexpr int everybody_reads = 0644;
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), everybody_reads);
    // No time is set, so that the same arrays make the same bytes.
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(header.size() + elements * element_bytes));
    if (archive_write_header(handle, entry.get()) != ARCHIVE_OK) {
        fail();
    }
    const auto write = [&](std::span<const char> bytes) {
        if (archive_write_data(handle, bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size())) {
            fail();
        }
    };
    write(header);
    std::vector<char> bytes(std::min(run_elements, elements) * element_bytes);
    for (std::uint64_t done = 0; done < elements; done += run_elements) {
        const std::span run(bytes.data(), std::min(run_elements, elements - done) * element_bytes);
        source(run);
        write(run);
    }
    if (archive_write_finish_entry(handle) != ARCHIVE_OK) {
        fail();
    }
}

void NpzWriter::finish() {
    if (archive_write_close(archive_->handle.get()) != ARCHIVE_OK) {
        fail();
    }
}

}  // namespace nibble
