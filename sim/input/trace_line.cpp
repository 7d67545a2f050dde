// SPDX-License-Identifier: MIT
#include "sim/input/trace_line.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "sim/config/text_file.h"
#include "sim/input/line_source.h"

namespace nibble {

namespace {

namespace json = simdjson::ondemand;

static_assert(LineSource::padding >= simdjson::SIMDJSON_PADDING);

enum class ValueType : std::uint8_t { number, real, truth, text, numbers, steps, quantization, totals };

/// Where a key may stand: on the line itself, or in the object that is the value of another key.
enum class Place : std::uint8_t { line, inside_quantized, inside_end };

struct KeySpec {
    std::string_view name;
    ValueType type;
    Place place = Place::line;
};

// In the order of TraceKey.
constexpr std::array<KeySpec, trace_key_count> keys{{
    {"nibblesim_trace", ValueType::number},
    {"name", ValueType::text},
    {"batch", ValueType::number},
    {"tensor", ValueType::number},
    {"role", ValueType::text},
    {"shape", ValueType::numbers},
    {"bits", ValueType::number},
    {"values", ValueType::text},
    {"quantized", ValueType::quantization},
    {"clip", ValueType::real, Place::inside_quantized},
    {"signed", ValueType::truth, Place::inside_quantized},
    {"fp4_scale_log2", ValueType::real, Place::inside_quantized},
    {"fp8_scale_log2", ValueType::real, Place::inside_quantized},
    {"op", ValueType::text},
    {"phase", ValueType::text},
    {"layer", ValueType::text},
    {"group", ValueType::text},
    {"position", ValueType::text},
    {"epilogue", ValueType::steps},
    {"operand_bits", ValueType::numbers},
    {"result", ValueType::text},
    {"in", ValueType::numbers},
    {"out", ValueType::numbers},
    {"n", ValueType::number},
    {"c", ValueType::number},
    {"h", ValueType::number},
    {"w", ValueType::number},
    {"k", ValueType::number},
    {"r", ValueType::number},
    {"s", ValueType::number},
    {"stride", ValueType::numbers},
    {"pad", ValueType::numbers},
    {"dilation", ValueType::numbers},
    {"groups", ValueType::number},
    {"transposed", ValueType::truth},
    {"m", ValueType::number},
    {"left", ValueType::text},
    {"right", ValueType::text},
    {"steps", ValueType::steps},
    {"elements", ValueType::number},
    {"end", ValueType::totals},
    {"tensors", ValueType::number, Place::inside_end},
    {"operations", ValueType::number, Place::inside_end},
}};

/// The key of this name, if it may stand there.
std::optional<TraceKey> key_named(std::string_view name, Place place) {
    for (std::size_t i = 0; i < trace_key_count; ++i) {
        if (keys[i].name == name && keys[i].place == place) {
            return static_cast<TraceKey>(i);
        }
    }
    return std::nullopt;
}

/// "inside 'end'", for people.
std::string_view text_of(Place place) {
    switch (place) {
        case Place::inside_quantized:
            return "inside 'quantized'";
        case Place::inside_end:
            return "inside 'end'";
        case Place::line:
            break;
    }
    return "on the line itself";
}

std::vector<std::string> key_names() {
    std::vector<std::string> names;
    names.reserve(keys.size());
    for (const KeySpec& key : keys) {
        names.emplace_back(key.name);
    }
    return names;
}

}  // namespace

std::string_view name_of(TraceKey key) {
    return keys.at(static_cast<std::size_t>(key)).name;
}

struct TraceLine::Parser {
    json::parser simd;
    TraceLine* line = nullptr;
    const char* begin = nullptr;

    [[nodiscard]] std::uint32_t column_of(const char* place) const {
        return static_cast<std::uint32_t>(place - begin) + 1;
    }

    void expected(TraceKey key, std::string_view what, json::value value) const {
        std::string_view found = value.raw_json_token();
        found = found.substr(0, found.find_last_not_of(" \t\r\n") + 1);
        const bool list = found.starts_with('[');
        const bool map = found.starts_with('{');
        line->problem(column_of(found.data()), fmt::format("{}: expected {}, found {}", name_of(key), what,
                                                           list  ? "a list"
                                                           : map ? "an object"
                                                                 : printable(found)));
        line->unreadable_[index(key)] = true;
    }

    static bool is(json::value& value, json::json_type type) {
        json::json_type actual{};
        return value.type().get(actual) == simdjson::SUCCESS && actual == type;
    }

    std::optional<std::uint64_t> read_number(TraceKey key, json::value value) {
        std::uint64_t number = 0;
        if (!is(value, json::json_type::number) || value.get_uint64().get(number) != simdjson::SUCCESS) {
            expected(key, "a whole number", value);
            return std::nullopt;
        }
        return number;
    }

    std::optional<double> read_real(TraceKey key, json::value value) {
        double number = 0;
        if (!is(value, json::json_type::number) || value.get_double().get(number) != simdjson::SUCCESS) {
            expected(key, "a number", value);
            return std::nullopt;
        }
        return number;
    }

    bool read_truth(TraceKey key, json::value value) {
        bool truth = false;
        if (!is(value, json::json_type::boolean) || value.get_bool().get(truth) != simdjson::SUCCESS) {
            expected(key, "true or false", value);
        }
        return truth;
    }

    void read_numbers(TraceKey key, json::value value) {
        json::array list;
        if (!is(value, json::json_type::array) || value.get_array().get(list) != simdjson::SUCCESS) {
            expected(key, "a list of whole numbers", value);
            return;
        }
        Numbers& numbers = line->lists_[index(key)];
        for (json::value item : list) {
            numbers.columns.push_back(column_of(item.raw_json_token().data()));
            numbers.values.push_back(read_number(key, item).value_or(0));
        }
    }

    void read_steps(TraceKey key, json::value value) {
        json::array list;
        if (!is(value, json::json_type::array) || value.get_array().get(list) != simdjson::SUCCESS) {
            expected(key, "a list of steps", value);
            return;
        }
        Steps& steps = line->steps_[index(key)];
        for (json::value item : list) {
            steps.columns.push_back(column_of(item.raw_json_token().data()));
            steps.values.push_back(read_step(key, item));
        }
    }

    /// "function" or ["function", repeat].
    VectorStep read_step(TraceKey key, json::value value) {
        constexpr std::string_view form = R"(a step, "function" or ["function",repeat])";
        VectorStep step;
        std::string_view function;
        if (is(value, json::json_type::string) && value.get_string().get(function) == simdjson::SUCCESS) {
            step.function = function;
            return step;
        }
        json::array pair;
        if (!is(value, json::json_type::array) || value.get_array().get(pair) != simdjson::SUCCESS) {
            expected(key, form, value);
            return step;
        }
        std::size_t at = 0;
        for (json::value item : pair) {
            if (at == 0 && is(item, json::json_type::string) && item.get_string().get(function) == simdjson::SUCCESS) {
                step.function = function;
            } else if (at == 1 && is(item, json::json_type::number) &&
                       item.get_uint64().get(step.repeat) == simdjson::SUCCESS) {
            } else if (!line->unreadable_[index(key)]) {
                expected(key, form, item);
            }
            ++at;
        }
        if (at != 2 && !line->unreadable_[index(key)]) {
            expected(key, form, value);
        }
        return step;
    }

    void read_text(TraceKey key, json::value value) {
        std::string_view text;
        if (!is(value, json::json_type::string) || value.get_string().get(text) != simdjson::SUCCESS) {
            expected(key, "text in quotes", value);
            return;
        }
        line->texts_[index(key)] = text;
    }

    void read_value(TraceKey key, json::value value) {
        switch (keys[index(key)].type) {
            case ValueType::number:
                line->numbers_[index(key)] = read_number(key, value).value_or(0);
                break;
            case ValueType::real:
                line->reals_[index(key)] = read_real(key, value).value_or(0);
                break;
            case ValueType::truth:
                line->numbers_[index(key)] = read_truth(key, value) ? 1 : 0;
                break;
            case ValueType::text:
                read_text(key, value);
                break;
            case ValueType::numbers:
                read_numbers(key, value);
                break;
            case ValueType::steps:
                read_steps(key, value);
                break;
            case ValueType::quantization:
                read_inside(key, value, Place::inside_quantized, R"(an object such as {"clip":1.25})");
                break;
            case ValueType::totals:
                read_inside(key, value, Place::inside_end, R"({"tensors":...,"operations":...})");
                break;
        }
    }

    void read_inside(TraceKey key, json::value value, Place place, std::string_view form) {
        json::object object;
        if (!is(value, json::json_type::object) || value.get_object().get(object) != simdjson::SUCCESS) {
            expected(key, form, value);
            return;
        }
        read_object(object, place);
    }

    /// Throws simdjson_error where the text stops being JSON.
    void read_object(json::object object, Place place) {
        for (json::field field : object) {
            const std::uint32_t key_column = column_of(field.key().raw()) - 1;  // of the quote
            const std::string_view name = field.unescaped_key();
            const std::optional<TraceKey> key = key_named(name, place);
            if (!key) {
                const auto* const misplaced = std::ranges::find(keys, name, &KeySpec::name);
                static const std::vector<std::string> names = key_names();
                line->problem(key_column,
                              misplaced != keys.end()
                                  ? fmt::format("key '{}' belongs {}", name, text_of(misplaced->place))
                                  : fmt::format("unknown key '{}'{}", printable(name), suggestion(name, names)));
                continue;
            }
            if (line->has(*key)) {
                line->problem(key_column,
                              fmt::format("duplicate key '{}', first given in column {}", name, line->column(*key)));
                continue;
            }
            json::value value = field.value();
            line->columns_[index(*key)] = column_of(value.raw_json_token().data());
            read_value(*key, value);
        }
    }
};

TraceLine::TraceLine(ProblemList& problems) : parser_(std::make_unique<Parser>()), problems_(problems) {}
TraceLine::~TraceLine() = default;

void TraceLine::problem(std::uint64_t column, std::string what) {
    sound_ = false;
    problems_.add(line_, column, std::move(what));
}

void TraceLine::problem(TraceKey key, const std::string& what) {
    problem(column(key), fmt::format("{}: {}", name_of(key), what));
}

void TraceLine::clear() {
    sound_ = true;
    for (std::size_t i = 0; i < trace_key_count; ++i) {
        if (columns_[i] != 0) {
            lists_[i].values.clear();
            lists_[i].columns.clear();
            steps_[i].values.clear();
            steps_[i].columns.clear();
        }
    }
    columns_.fill(0);
    unreadable_.fill(false);
    numbers_.fill(0);
    texts_.fill({});
}

bool TraceLine::parse(std::string_view line, std::uint64_t number) {
    clear();
    line_ = number;
    parser_->line = this;
    parser_->begin = line.data();
    if (const std::size_t bad = first_byte_not_text(line); bad != std::string_view::npos) {
        problem(bad + 1,
                fmt::format("expected text in UTF-8, found byte 0x{:02x}", static_cast<unsigned char>(line[bad])));
        return false;
    }
    json::document document;
    simdjson::error_code error =
        parser_->simd.iterate(line.data(), line.size(), line.size() + LineSource::padding).get(document);
    const char* place = line.data();
    if (error == simdjson::SUCCESS) {
        try {
            json::object object = document.get_object();
            parser_->read_object(object, Place::line);
            if (document.current_location().get(place) != simdjson::SUCCESS) {
                return true;
            }
            error = simdjson::TRAILING_CONTENT;
        } catch (const simdjson::simdjson_error& e) {
            error = e.error();
            if (document.current_location().get(place) != simdjson::SUCCESS) {
                place = line.data() + line.size();
            }
        }
    }
    problem(parser_->column_of(place), fmt::format("expected one JSON object: {}", simdjson::error_message(error)));
    return false;
}

}  // namespace nibble
