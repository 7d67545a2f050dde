// SPDX-License-Identifier: MIT
#include "sim/lowering/operation_alone.h"

#include "sim/base/units.h"

namespace nibble {

namespace {

constexpr std::uint64_t page_bytes = 4096;  // tensors begin on pages of their own (DramAllocator)

/// Hands out addresses, one behind the other.
class Pages {
public:
    std::uint64_t take(std::uint64_t bytes) {
        const std::uint64_t address = next_;
        next_ += round_up(bytes, page_bytes);
        return address;
    }
    std::uint64_t take(std::uint64_t elements, std::uint64_t bits) {
        return take(bytes_for(Bits(elements * bits)).count());
    }

private:
    std::uint64_t next_ = 0;
};

std::uint64_t end_of(const Slice& rows) {
    return (rows.outer[2].count - 1) * rows.outer[2].stride_bytes + rows.run_bytes;
}

}  // namespace

GemmPlaces places_alone(const GemmTask& task) {
    GemmPlaces places;
    Pages pages;
    const GemmProblem& p = task.problem;
    places.inputs.push_back({.address = pages.take(p.batch() * p.m() * p.k(), task.left.bits)});
    places.inputs.push_back({.address = pages.take(p.batch() * p.k() * p.n(), task.right.bits)});
    const std::uint64_t outputs = p.batch() * p.m() * p.n();
    for (const GemmTask::Operand& side : task.side_inputs) {
        places.inputs.push_back({.address = pages.take(outputs, side.bits)});
    }
    for (const GemmTask::StoredCopy& copy : task.stored) {
        places.stored.push_back(pages.take(outputs, copy.bits));
    }
    for (const GemmTask::WholeCopy& copy : task.whole_inputs) {
        places.whole_inputs.push_back({.address = pages.take(copy.bytes)});
    }
    for (const GemmTask::WholeCopy& copy : task.whole_outputs) {
        places.whole_outputs.push_back(pages.take(copy.bytes));
    }
    return places;
}

VectorPlaces places_alone(const VectorTask& task) {
    VectorPlaces places;
    Pages pages;
    const auto place = [&](const VectorTask::Stream& stream) {
        return stream.moves ? pages.take(stream.table() ? end_of(stream.rows) : stream.bytes) : 0;
    };
    for (const VectorTask::Stream& stream : task.inputs) {
        places.inputs.push_back({.address = place(stream)});
    }
    for (const VectorTask::Stream& stream : task.results) {
        places.results.push_back(place(stream));
    }
    for (const VectorTask::Stream& stream : task.codes) {
        places.codes.push_back(place(stream));
    }
    return places;
}

OperationAlone::OperationAlone(const OperationTask& operation, const MachineParameters& machine)
    : operation_(operation), emitter_(machine) {
    emitter_.begin(OpRecord{});
    if (const auto* gemm = std::get_if<MappedGemm>(&operation)) {
        auto& emission = emission_.emplace<GemmEmission>(gemm->task, gemm->tiling, places_alone(gemm->task), emitter_);
        for (std::size_t input = 0; input < gemm->task.whole_inputs.size(); ++input) {
            emission.load_whole(input);
        }
    } else {
        const auto& vector = std::get<VectorTask>(operation);
        emission_.emplace<VectorEmission>(vector, places_alone(vector), emitter_);
    }
}

ProgramItem OperationAlone::next() {
    while (emitter_.empty()) {
        if (ended_) {
            return ProgramEnd{};
        }
        if (!step()) {
            emitter_.end();
            ended_ = true;
        }
    }
    return emitter_.pop();
}

bool OperationAlone::step() {
    if (auto* vector = std::get_if<VectorEmission>(&emission_)) {
        if (vector->done()) {
            return false;
        }
        vector->step();
        return true;
    }
    auto& gemm = std::get<GemmEmission>(emission_);
    if (gemm.done()) {
        finish(gemm);
        return false;
    }
    gemm.step();
    return true;
}

void OperationAlone::finish(GemmEmission& emission) {
    const GemmTask& task = std::get<MappedGemm>(operation_).task;
    emission.store_whole();
    for (std::size_t input = 0; input < 2 + task.side_inputs.size(); ++input) {
        const GemmTask::Operand& operand = input == 0   ? task.left
                                           : input == 1 ? task.right
                                                        : task.side_inputs[input - 2];
        if (operand.stay_bytes > 0) {
            emission.load_rest(input);
        }
    }
}

}  // namespace nibble
