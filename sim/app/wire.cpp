// SPDX-License-Identifier: MIT
#include "sim/app/wire.h"

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace nibble {

namespace {

/// Writes the fields of a message one after the other.
class Encoder {
public:
    template <class T>
    requires std::is_trivially_copyable_v<T>
    void field(const T& value) {
        const std::size_t at = bytes_.size();
        bytes_.resize(at + sizeof value);
        std::memcpy(bytes_.data() + at, &value, sizeof value);
    }
    void field(const std::string& text) {
        field(text.size());
        bytes_ += text;
    }
    [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

/// Reads them back in the same order.
class Decoder {
public:
    explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

    template <class T>
    requires std::is_trivially_copyable_v<T>
    void field(T& value) {
        const std::string_view raw = take(sizeof value);
        std::memcpy(&value, raw.data(), sizeof value);
    }
    void field(std::string& text) {
        std::size_t size = 0;
        field(size);
        text = take(size);
    }

private:
    std::string_view take(std::size_t size) {
        if (size > bytes_.size()) {
            throw ModelError("a message from the machine's process is too short");
        }
        const std::string_view taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }

    std::string_view bytes_;
};

// One list of fields a type, for both directions.

template <class Coder, class Record>
void code_record(Coder& coder, Record& record) {
    coder.field(record.index);
    coder.field(record.layer);
    coder.field(record.group);
    coder.field(record.phase);
    coder.field(record.kind);
    coder.field(record.mode);
    coder.field(record.dataflow);
    for (auto* cut : {&record.mapping.batch, &record.mapping.i, &record.mapping.j, &record.mapping.l}) {
        coder.field(*cut);
    }
    coder.field(record.mapping.order);
    coder.field(record.mapping.left_buffers);
    coder.field(record.mapping.right_buffers);
    coder.field(record.mapping.output_buffers);
    coder.field(record.batch);
    coder.field(record.m);
    coder.field(record.n);
    coder.field(record.k);
    coder.field(record.macs);
    coder.field(record.peak_macs_per_cycle);
    coder.field(record.predicted_dram_bytes_read);
    coder.field(record.predicted_dram_bytes_written);
    coder.field(record.predicted_cycles);
    coder.field(record.causes);
    coder.field(record.counters);
}

template <class Coder, class Values>
void code_values(Coder& coder, Values& values) {
    for (auto& operand : values.operands) {
        coder.field(operand.name);
        coder.field(operand.on_left);
        coder.field(operand.format);
        coder.field(operand.recorded);
    }
    coder.field(values.output);
    coder.field(values.result);
}

template <class Coder, class Summary>
void code_summary(Coder& coder, Summary& summary) {
    coder.field(summary.operations);
    coder.field(summary.cycles);
    coder.field(summary.edges);
    coder.field(summary.wall_seconds);
    coder.field(summary.causes);
    coder.field(summary.counters);
    coder.field(summary.on_chip);
    coder.field(summary.values_checked);
}

template <class Coder, class Unit>
void code_unit(Coder& coder, Unit& unit) {
    coder.field(unit.unit);
    coder.field(unit.cycles);
}

template <class Coder, class AnyProblem>
void code_problem(Coder& coder, AnyProblem& problem) {
    coder.field(problem.where.file);
    coder.field(problem.where.line);
    coder.field(problem.where.column);
    coder.field(problem.what);
}

}  // namespace

std::string encode(const OpRecord& record) {
    Encoder encoder;
    code_record(encoder, record);
    encoder.field(record.values != nullptr);
    if (record.values != nullptr) {
        code_values(encoder, *record.values);
    }
    return encoder.take();
}

OpRecord decode_record(std::string_view bytes) {
    Decoder decoder(bytes);
    OpRecord record;
    code_record(decoder, record);
    bool has_values = false;
    decoder.field(has_values);
    if (has_values) {
        ValueRecord values;
        code_values(decoder, values);
        record.values = std::make_shared<const ValueRecord>(std::move(values));
    }
    return record;
}

std::string encode(const RunSummary& summary) {
    Encoder encoder;
    code_summary(encoder, summary);
    encoder.field(summary.units.size());
    for (const UnitActivity& unit : summary.units) {
        code_unit(encoder, unit);
    }
    encoder.field(summary.series != nullptr);
    if (summary.series != nullptr) {
        encoder.field(summary.series->bucket_cycles);
        encoder.field(summary.series->buckets.size());
        for (const SeriesBucket& bucket : summary.series->buckets) {
            encoder.field(bucket);
        }
    }
    return encoder.take();
}

RunSummary decode_summary(std::string_view bytes) {
    Decoder decoder(bytes);
    RunSummary summary;
    code_summary(decoder, summary);
    std::size_t units = 0;
    decoder.field(units);
    for (std::size_t i = 0; i < units; ++i) {
        code_unit(decoder, summary.units.emplace_back());
    }
    bool has_series = false;
    decoder.field(has_series);
    if (has_series) {
        Series series;
        decoder.field(series.bucket_cycles);
        std::size_t buckets = 0;
        decoder.field(buckets);
        for (std::size_t i = 0; i < buckets; ++i) {
            decoder.field(series.buckets.emplace_back());
        }
        summary.series = std::make_shared<const Series>(std::move(series));
    }
    return summary;
}

std::string encode(const std::vector<Problem>& problems) {
    Encoder encoder;
    encoder.field(problems.size());
    for (const Problem& problem : problems) {
        code_problem(encoder, problem);
    }
    return encoder.take();
}

std::vector<Problem> decode_problems(std::string_view bytes) {
    Decoder decoder(bytes);
    std::size_t count = 0;
    decoder.field(count);
    std::vector<Problem> problems;
    for (std::size_t i = 0; i < count; ++i) {
        code_problem(decoder, problems.emplace_back());
    }
    return problems;
}

std::string framed(MessageKind kind, std::string_view body) {
    Encoder encoder;
    encoder.field(std::uint64_t{body.size()});
    encoder.field(kind);
    return encoder.take().append(body);
}

bool MessageSplitter::next(Message& message) {
    constexpr std::size_t header_bytes = sizeof(std::uint64_t) + sizeof(MessageKind);
    const std::string_view rest = std::string_view(bytes_).substr(begin_);
    std::uint64_t size = 0;
    if (rest.size() >= header_bytes) {
        Decoder decoder(rest);
        decoder.field(size);
        decoder.field(message.kind);
    }
    if (rest.size() < header_bytes || rest.size() - header_bytes < size) {
        bytes_.erase(0, begin_);  // what is left is less than one message
        begin_ = 0;
        return false;
    }
    message.body = rest.substr(header_bytes, size);
    begin_ += header_bytes + size;
    return true;
}

}  // namespace nibble
