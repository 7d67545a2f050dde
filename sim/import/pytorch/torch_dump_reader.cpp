// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/torch_dump_reader.h"

#include <utility>

#include <fmt/format.h>

#include "sim/base/error.h"
#include "sim/config/text_file.h"

namespace nibble {

namespace {

namespace dom = simdjson::dom;

static_assert(ByteWindow::padding >= simdjson::SIMDJSON_PADDING);

}  // namespace

TorchDumpReader::TorchDumpReader(ByteSource source) : window_(std::move(source)), name_(window_.source().name()) {
    read_header();
}

std::optional<std::string_view> TorchDumpReader::cut_line() {
    window_.drop(done_);
    done_ = 0;
    std::size_t searched = 0;
    while (true) {
        const std::string_view bytes = window_.bytes();
        const std::size_t end = bytes.find('\n', searched);
        const bool whole = end != std::string_view::npos;
        if ((whole ? end : bytes.size()) > longest_line) {
            ++line_;
            place().fail(fmt::format("the line is longer than {} KiB", longest_line / 1024));
        }
        if (whole) {
            done_ = end + 1;
            ++line_;
            return bytes.substr(0, end);
        }
        searched = bytes.size();
        if (!window_.grow()) {
            break;
        }
    }
    const std::string_view last = window_.bytes();
    if (last.empty()) {
        return std::nullopt;
    }
    done_ = last.size();
    ++line_;
    return last;
}

std::optional<dom::element> TorchDumpReader::next_line() {
    const std::optional<std::string_view> text = cut_line();
    if (!text) {
        return std::nullopt;
    }
    if (const std::size_t bad = first_byte_not_text(*text); bad != std::string_view::npos) {
        throw InputError({name_, line_, bad + 1}, fmt::format("expected text in UTF-8, found byte 0x{:02x}",
                                                              static_cast<unsigned char>((*text)[bad])));
    }
    dom::element json;
    if (const auto error = parser_.parse(text->data(), text->size(), false).get(json); error != simdjson::SUCCESS) {
        place().fail(fmt::format("expected one JSON object: {}", simdjson::error_message(error)));
    }
    return json;
}

void TorchDumpReader::read_header() {
    const std::optional<dom::element> json = next_line();
    if (!json) {
        throw InputError({name_, 0, 0}, "the file is empty");
    }
    Object line(*json, place());
    if (const std::uint64_t version = line.number("nibblesim_torch"); version != 1) {
        line.place("nibblesim_torch").fail(fmt::format("expected version 1 of the torch dump, found {}", version));
    }
    torch_ = line.text("torch");
    network_ = line.text("name");
    if (line.has("batch")) {
        batch_ = line.number("batch");
        if (*batch_ == 0) {
            line.place("batch").fail("expected at least 1, found 0");
        }
    }
    line.expect_no_more();
}

const RecordedCall* TorchDumpReader::next() {
    while (!ended_) {
        const std::optional<dom::element> json = next_line();
        if (!json) {
            throw InputError({name_, line_, 0},
                             fmt::format(R"(the dump is cut short: {} calls, but no last line {{"end":...}})", calls_));
        }
        Object line(*json, place());
        if (line.has("end")) {
            read_end(line);
            break;
        }
        read_call(line);
        if (treatment_of(call_.op) != CallTreatment::ignored) {
            return &call_;
        }
    }
    return nullptr;
}

void TorchDumpReader::read_call(Object& line) {
    call_ = RecordedCall();
    call_.where = fmt::format("line {}", line_);
    if (const std::uint64_t number = line.number("call"); number != calls_) {
        line.place("call").fail(fmt::format("calls are numbered in order: expected {}, found {}", calls_, number));
    }
    call_.op = line.text("op");
    if (const std::size_t colons = call_.op.find("::");
        colons == std::string::npos || colons == 0 || colons + 2 == call_.op.size()) {
        line.place("op").fail(fmt::format("expected an operator such as aten::mm, found '{}'", printable(call_.op)));
    }
    (void)line.text("overload");  // its arguments tell
    read_phase(line);
    const std::uint64_t step = line.number("step");
    if (step != steps_ && step + 1 != steps_) {
        line.place("step").fail(fmt::format("training steps are numbered in order: expected {}{}, found {}",
                                            steps_ == 0 ? "" : fmt::format("{} or ", steps_ - 1), steps_, step));
    }
    steps_ = step + 1;
    call_.iteration = step;
    call_.layer = line.text("module");
    for (const dom::element json : line.list("in")) {
        call_.inputs.push_back(values_.value(json, line.place("in").at(call_.inputs.size())));
    }
    for (const dom::element json : line.list("out")) {
        RecordedTensor none;
        none.bits = 0;
        call_.outputs.push_back(json.is_null() ? none
                                               : values_.tensor(json, line.place("out").at(call_.outputs.size())));
    }
    line.expect_no_more();
    ++calls_;
}

void TorchDumpReader::read_phase(Object& line) {
    const std::string_view phase = line.text("phase");
    call_.backward = phase == "backward";
    call_.optimizer = phase == "optimizer";
    if (phase != "forward" && !call_.backward && !call_.optimizer) {
        const std::vector<std::string> phases{"forward", "backward", "optimizer"};
        line.place("phase").fail(fmt::format("expected forward, backward or optimizer, found '{}'{}", printable(phase),
                                             suggestion(phase, phases)));
    }
}

void TorchDumpReader::read_end(Object& line) {
    Object end(line.member("end"), line.place("end"));
    const auto expect = [&end](std::string_view key, std::uint64_t counted) {
        if (const std::uint64_t number = end.number(key); number != counted) {
            end.place(key).fail(fmt::format("expected {}, as many as the dump holds, found {}", counted, number));
        }
    };
    expect("calls", calls_);
    expect("steps", steps_);
    expect("storages", values_.storages());
    if (const std::uint64_t calls = end.number("recomputed"); calls != 0) {
        notes_.push_back(fmt::format("{} calls repeat a part of the forward pass during the backward pass", calls));
    }
    if (const std::uint64_t tensors = end.number("values_left_out"); tensors != 0) {
        notes_.push_back(fmt::format("the values of {} operands were not saved, for want of room", tensors));
    }
    end.expect_no_more();
    line.expect_no_more();
    ended_ = true;
    if (cut_line()) {
        place().fail("nothing may follow the line with 'end'");
    }
}

std::string TorchDumpReader::description() const {
    return fmt::format("torch dump, version 1, of PyTorch {}", printable(torch_));
}

}  // namespace nibble
