// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace nibble {

/// The bytes of a file, decompressed as they are read: plain, compressed (gzip, xz, zstd, bzip2), or one member of an
/// archive (tar, zip, compressed or not). Reads once, from the beginning to the end, in constant memory.
class ByteSource {
public:
    /// No file unpacks to more than this: stops archives that are made to be endless.
    static constexpr std::uint64_t most_bytes = std::uint64_t{1} << 36U;
    /// Nor, beyond `always_bytes`, to more than so many times its size: stops them early. Recordings, in which every
    /// number is another one, shrink by 50 to 100.
    static constexpr std::uint64_t most_expansion = 500;
    static constexpr std::uint64_t always_bytes = std::uint64_t{64} << 20U;
    /// No archive may have more members.
    static constexpr std::uint64_t most_members = 100'000;
    /// Does an archive's member of this name hold what is looked for?
    using Wanted = std::function<bool(std::string_view member)>;

    /// Opens the file; of an archive, the first member that is wanted. Throws InputError if the file cannot be read,
    /// is damaged, or is an archive without such a member.
    ByteSource(std::filesystem::path path, const Wanted& wanted);
    ByteSource(ByteSource&&) noexcept;
    ByteSource& operator=(ByteSource&&) noexcept;
    ~ByteSource();

    /// Fills `to` from the front; returns how many bytes, fewer than asked for only at the end. Throws InputError if
    /// the data are damaged or unpack to too much.
    std::size_t read(std::span<char> to);
    /// Everything that is left, up to `most`; throws InputError if there is more.
    [[nodiscard]] std::string read_all(std::uint64_t most);

    /// From now on `watch` is told, block by block, how many bytes of the file have been read, as they lie in it.
    void tell(std::function<void(std::uint64_t)> watch) { watch_ = std::move(watch); }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// Name of the member inside the archive; empty if the file is none.
    [[nodiscard]] const std::string& member() const { return member_; }
    /// How the file is to be named in messages: its path, and the member.
    [[nodiscard]] std::string name() const;
    /// Bytes handed out so far.
    [[nodiscard]] std::uint64_t position() const { return position_; }

private:
    struct Archive;
    [[nodiscard]] std::uint64_t packed() const;
    void check_expansion(std::uint64_t unpacked) const;
    [[nodiscard]] std::uint64_t skip_member(std::uint64_t skipped) const;
    [[noreturn]] void fail(const std::string& what) const;

    std::filesystem::path path_;
    std::string member_;
    std::uint64_t position_ = 0;
    std::unique_ptr<Archive> archive_;
    std::function<void(std::uint64_t)> watch_;
};

/// Opens a file anew, for those who read it several times.
using OpenBytes = std::function<ByteSource()>;

}  // namespace nibble
