// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.h"
#include "sim/import/byte_source.h"

namespace nibble {

/// One request of a request file: 64 bytes, read or written.
struct TimedRequest {
    std::uint64_t cycle;  ///< memory clock at which it is offered
    std::uint64_t address;
    bool write;
    friend bool operator==(const TimedRequest&, const TimedRequest&) = default;
};

/// What the addresses of a request file must lie in.
struct AddressSpace {
    std::uint64_t bytes;
    /// What to say of an address that does not: which memory it is, and which would hold it.
    std::function<std::string(std::uint64_t address)> outside;
};

/// Reads a request file, plain or compressed, one request a line: `CYCLE R|W 0xADDRESS`. CYCLE is a decimal number of
/// memory clocks that never falls from line to line, ADDRESS a multiple of 64 in hexadecimal. Fields are separated by
/// blanks or tabs; lines end in LF or CR LF; empty lines are skipped.
///
/// Memory does not grow with the file. A line that is wrong ends the requests: the rest of the file is then only looked
/// through for more problems, and an InputError with up to 20 of them is thrown, each with line and column.
class RequestReader {
public:
    static constexpr std::uint64_t request_bytes = 64;
    /// Keeps sums of cycles and latencies inside 64 bits.
    static constexpr std::uint64_t largest_cycle = 1'000'000'000'000'000'000;

    /// Throws InputError if the file cannot be read.
    RequestReader(const std::filesystem::path& path, AddressSpace space);

    /// The next request; nothing at the end of the file. Throws InputError if the file is wrong, or holds no request.
    [[nodiscard]] std::optional<TimedRequest> next();

private:
    /// A field of a line and the column of its first character.
    struct Field {
        std::string_view text;
        std::uint64_t column;
    };

    [[nodiscard]] bool read_line();
    [[nodiscard]] bool fill();
    [[nodiscard]] std::vector<Field> fields() const;
    [[nodiscard]] std::optional<TimedRequest> parse_line();
    [[nodiscard]] std::optional<std::uint64_t> parse_cycle(const Field& field);
    [[nodiscard]] std::optional<bool> parse_direction(const Field& field);
    [[nodiscard]] std::optional<std::uint64_t> parse_address(const Field& field);
    void problem(std::uint64_t column, std::string what);

    ByteSource source_;
    AddressSpace space_;
    ProblemList problems_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;  // of what is left in the buffer
    std::size_t end_ = 0;
    std::string line_;  // the current line without its end, cut where it is longer than any sensible one
    std::uint64_t line_number_ = 0;
    std::uint64_t requests_ = 0;
    std::uint64_t last_cycle_ = 0;  // of the last line that states one
};

}  // namespace nibble
