// SPDX-License-Identifier: MIT
#include "sim/input/npy_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/numerics/half.h"
#include "sim/base/error.h"

namespace nibble {

namespace fs = std::filesystem;

namespace {

static_assert(std::endian::native == std::endian::little, "elements are taken from the file as they lie there");

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t version_end = 8;  // the magic string, major and minor version

struct TypeInfo {
    std::string_view name;
    std::size_t bytes;
};
constexpr std::array<TypeInfo, 5> types{{{"<f4", 4}, {"<f2", 2}, {"<f8", 8}, {"|i1", 1}, {"<i4", 4}}};

const TypeInfo& info_of(NpyType type) {
    return types[static_cast<std::size_t>(type)];
}

std::string shape_text(std::span<const std::uint64_t> shape) {
    return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

InputError refusal(const fs::path& path, const std::string& what) {
    constexpr std::size_t longest_path = 4096;
    return {{printable(path.string(), longest_path), 0, 0}, what};
}

/// What the dictionary in the header says.
struct Description {
    std::optional<NpyType> type;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::uint64_t>> shape;
};

/// Reads the dictionary: Python's literals, as far as NumPy writes them. Throws Mismatch.
class DictionaryReader {
public:
    struct Mismatch {
        std::string what;
    };

    explicit DictionaryReader(std::string_view text) : text_(text) {}

    Description read() {
        Description made;
        expect('{');
        while (!accept('}')) {
            read_entry(made);
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_blanks();
        if (at_ != text_.size()) {
            fail("the end of the header");
        }
        const auto require = [](bool present, std::string_view key) {
            if (!present) {
                throw Mismatch{fmt::format("the header lacks the key '{}'", key)};
            }
        };
        require(made.type.has_value(), "descr");
        require(made.fortran_order.has_value(), "fortran_order");
        require(made.shape.has_value(), "shape");
        return made;
    }

private:
    void read_entry(Description& made) {
        const std::string_view key = quoted();
        expect(':');
        const auto once = [&](bool present) {
            if (present) {
                throw Mismatch{fmt::format("the header has the key '{}' twice", key)};
            }
        };
        if (key == "descr") {
            once(made.type.has_value());
            made.type = read_type();
        } else if (key == "fortran_order") {
            once(made.fortran_order.has_value());
            made.fortran_order = read_bool();
        } else if (key == "shape") {
            once(made.shape.has_value());
            made.shape = read_shape();
        } else {
            throw Mismatch{fmt::format("the header has an unknown key '{}'", printable(key))};
        }
    }

    NpyType read_type() {
        skip_blanks();
        if (at_ < text_.size() && text_[at_] == '[') {
            throw Mismatch{"expected an array of numbers, found one of structures"};
        }
        const std::string_view name = quoted();
        if (name.find('O') != std::string_view::npos) {
            throw Mismatch{
                fmt::format("expected an array of numbers, found one of Python objects ('{}')", printable(name))};
        }
        const auto* found = std::ranges::find(types, name, &TypeInfo::name);
        if (found == types.end()) {
            throw Mismatch{fmt::format("expected a type of <f4, <f2, <f8, |i1, <i4, found '{}'", printable(name))};
        }
        return static_cast<NpyType>(found - types.begin());
    }

    bool read_bool() {
        skip_blanks();
        for (const bool value : {false, true}) {
            const std::string_view word = value ? "True" : "False";
            if (text_.substr(at_).starts_with(word)) {
                at_ += word.size();
                return value;
            }
        }
        fail("True or False");
    }

    std::vector<std::uint64_t> read_shape() {
        std::vector<std::uint64_t> shape;
        expect('(');
        while (!accept(')')) {
            if (shape.size() == NpyFile::most_dimensions) {
                throw Mismatch{fmt::format("the array has more than {} dimensions", NpyFile::most_dimensions)};
            }
            shape.push_back(read_number());
            if (accept(',')) {
                continue;
            }
            if (shape.size() == 1) {
                fail("','");  // (3) is a number, (3,) a shape
            }
            expect(')');
            break;
        }
        return shape;
    }

    std::uint64_t read_number() {
        skip_blanks();
        std::uint64_t number = 0;
        const std::size_t begin = at_;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
            if (__builtin_mul_overflow(number, std::uint64_t{10}, &number) ||
                __builtin_add_overflow(number, digit, &number)) {
                throw Mismatch{"a dimension of the array is beyond 64 bits"};
            }
        }
        if (at_ == begin) {
            fail("a whole number");
        }
        return number;
    }

    std::string_view quoted() {
        skip_blanks();
        if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) {
            fail("a quoted word");
        }
        const std::size_t end = text_.find(text_[at_], at_ + 1);
        if (end == std::string_view::npos) {
            fail("a quoted word that ends");
        }
        const std::string_view word = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return word;
    }

    bool accept(char wanted) {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != wanted) {
            return false;
        }
        ++at_;
        return true;
    }

    void expect(char wanted) {
        if (!accept(wanted)) {
            fail(fmt::format("'{}'", wanted));
        }
    }

    void skip_blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) {
            ++at_;
        }
    }

    [[noreturn]] void fail(const std::string& expected) const {
        constexpr std::size_t shown = 20;
        const std::string found =
            at_ < text_.size() ? fmt::format("'{}'", printable(text_.substr(at_), shown)) : "its end";
        throw Mismatch{fmt::format("byte {} of the header: expected {}, found {}", at_, expected, found)};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

template <class Element>
Element element_at(const char* bytes, std::size_t index) {
    Element element;
    std::memcpy(&element, bytes + index * sizeof element, sizeof element);
    return element;
}

/// Element `index` of a run of them, as the number that it is.
double number_at(NpyType type, const char* bytes, std::size_t index) {
    switch (type) {
        case NpyType::float32:
            return static_cast<double>(element_at<float>(bytes, index));
        case NpyType::float16:
            return static_cast<double>(decode_half(Half{element_at<std::uint16_t>(bytes, index)}));
        case NpyType::float64:
            return element_at<double>(bytes, index);
        case NpyType::int8:
            return element_at<std::int8_t>(bytes, index);
        case NpyType::int32:
            break;
    }
    return element_at<std::int32_t>(bytes, index);
}

/// Products of the first 0, 1, 2, ... dimensions, each once; nothing if they are beyond 64 bits. Of two arrays with the
/// same elements in the same order, one's are among the other's if dimensions were only joined, cut or added.
std::optional<std::vector<std::uint64_t>> partial_products(std::span<const std::uint64_t> shape) {
    std::vector<std::uint64_t> products{1};
    for (const std::uint64_t dimension : shape) {
        std::uint64_t product = 0;
        if (__builtin_mul_overflow(products.back(), dimension, &product)) {
            return std::nullopt;
        }
        if (dimension != 1) {
            products.push_back(product);
        }
    }
    return products;
}

}  // namespace

NpyFile::NpyFile(const fs::path& path) : path_(path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) {
        fail("expected a .npy file, found no such file");
    }
    if (error) {
        fail(fmt::format("expected a .npy file: {}", error.message()));
    }
    if (!fs::is_regular_file(status)) {
        fail(
            fmt::format("expected a .npy file, found a {}", fs::is_directory(status) ? "directory" : "device or pipe"));
    }
    const std::uintmax_t bytes = fs::file_size(path, error);
    if (error) {
        fail(error.message());
    }
    read_header(bytes);
}

void NpyFile::fail(const std::string& what) const {
    throw refusal(path_, what);
}

void NpyFile::read_header(std::uint64_t file_bytes) {
    std::ifstream file(path_, std::ios::binary);
    if (!file) {
        fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
    }
    const auto take = [&](std::size_t bytes) {
        std::string taken(bytes, '\0');
        if (!file.read(taken.data(), static_cast<std::streamsize>(bytes))) {
            fail("the file ends within its header");
        }
        return taken;
    };
    const std::string start = take(version_end);
    if (!start.starts_with(magic)) {
        fail("expected a .npy file: it does not start with \\x93NUMPY");
    }
    const auto major = static_cast<unsigned char>(start[magic.size()]);
    const auto minor = static_cast<unsigned char>(start[magic.size() + 1]);
    if (major < 1 || major > 3 || minor != 0) {
        fail(fmt::format("expected version 1.0, 2.0 or 3.0 of the .npy format, found {}.{}", major, minor));
    }
    const std::size_t length_bytes = major == 1 ? 2 : 4;
    std::uint32_t header_bytes = 0;
    std::memcpy(&header_bytes, take(length_bytes).data(), length_bytes);
    if (header_bytes > most_header_bytes) {
        fail(fmt::format("the header has {} bytes, more than {}", header_bytes, most_header_bytes));
    }
    const std::string header = take(header_bytes);
    if (!header.ends_with('\n')) {
        fail("the header does not end with a line feed");
    }

    Description description;
    try {
        description = DictionaryReader(header).read();
    } catch (const DictionaryReader::Mismatch& mismatch) {
        fail(mismatch.what);
    }
    if (*description.fortran_order) {
        fail("expected C order, found Fortran order (numpy.ascontiguousarray makes C order)");
    }
    type_ = *description.type;
    shape_ = *std::move(description.shape);
    for (const std::uint64_t dimension : shape_) {
        if (__builtin_mul_overflow(elements_, dimension, &elements_) || elements_ > most_elements) {
            fail(fmt::format("shape {} has more than {} elements", shape_text(shape_), most_elements));
        }
    }
    data_begin_ = version_end + length_bytes + header_bytes;
    const std::uint64_t expected = elements_ * info_of(type_).bytes;
    if (file_bytes != data_begin_ + expected) {
        fail(fmt::format("shape {} of {} takes {} bytes, found {} after the header", shape_text(shape_),
                         info_of(type_).name, expected, file_bytes - data_begin_));
    }
}

void NpyFile::require_shape(std::span<const std::uint64_t> shape) const {
    const auto wanted = partial_products(shape);
    if (!wanted || wanted->back() != elements_) {
        fail(fmt::format("expected shape {}, found {}", shape_text(shape), shape_text(shape_)));
    }
    const auto found = partial_products(shape_).value();
    if (!std::ranges::includes(*wanted, found) && !std::ranges::includes(found, *wanted)) {
        fail(fmt::format("expected shape {}, found {}", shape_text(shape), shape_text(shape_)));
    }
}

void NpyFile::require_finite() const {
    scan([](std::span<const float> /*run*/) {});
}

std::vector<float> NpyFile::read() const {
    std::vector<float> values;
    values.reserve(elements_);
    scan([&](std::span<const float> run) { values.insert(values.end(), run.begin(), run.end()); });
    return values;
}

void NpyFile::scan(const std::function<void(std::span<const float>)>& visit) const {
    constexpr std::uint64_t run_elements = 65536;
    std::ifstream file(path_, std::ios::binary);
    if (!file.seekg(static_cast<std::streamoff>(data_begin_))) {
        fail(fmt::format("cannot be read: {}", std::strerror(errno)));
    }
    const std::size_t element_bytes = info_of(type_).bytes;
    std::vector<char> bytes(std::min(run_elements, elements_) * element_bytes);
    std::vector<float> run(std::min(run_elements, elements_));
    for (std::uint64_t done = 0; done < elements_; done += run.size()) {
        run.resize(std::min(run_elements, elements_ - done));
        if (!file.read(bytes.data(), static_cast<std::streamsize>(run.size() * element_bytes))) {
            fail("cannot be read to its end");
        }
        for (std::size_t i = 0; i < run.size(); ++i) {
            const double number = number_at(type_, bytes.data(), i);
            run[i] = static_cast<float>(number);
            if (!std::isfinite(run[i])) {
                fail(fmt::format("element {}: expected a finite number in the range of binary32, found {}", done + i,
                                 number));
            }
        }
        visit(run);
    }
}

}  // namespace nibble
