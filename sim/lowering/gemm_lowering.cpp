// SPDX-License-Identifier: MIT
#include "sim/lowering/gemm_lowering.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "models/dram/dram_standard.h"
#include "models/mac_array/tile_values.h"
#include "sim/base/units.h"
#include "sim/lowering/gradient_check.h"
#include "sim/lowering/selection.h"

namespace nibble {

namespace {

constexpr std::size_t tilings_remembered = 4096;
constexpr std::uint32_t result_bits = 16;

// Epilogue steps that only gather sums while the results pass.
bool only_reduces(const VectorStep& step) {
    return step.function == "batch_stats" || step.function == "bias_grad" || step.function == "sawb_stats";
}

double peak_dram_bytes_per_cycle(const MachineParameters& machine) {
    const DramStandard& standard = *find_dram_standard(machine.dram.standard);
    const double bytes_per_ps = static_cast<double>(standard.burst_bytes()) * machine.dram.channels /
                                (static_cast<double>(standard.burst) * standard.clock_period_ps);
    return bytes_per_ps * static_cast<double>(machine.clock_period_ps);
}

}  // namespace

/// An operand in the format in which this GEMM reads it, and the two buffers of its tiles.
struct GemmLowering::Operand {
    TensorId id = 0;
    CopyFormat format = CopyFormat::fp16;
    std::uint32_t bits = 16;
    bool resident = false;
    std::uint64_t address = 0;                  // in DRAM, unless resident
    Dependencies ready{};                       // of the whole operand
    std::optional<Slice> held;                  // tile in the buffer last loaded
    std::array<Dependencies, 2> buffer_free{};  // last users of each buffer
    std::size_t buffer = 0;                     // last loaded
    Dependencies loaded{};                      // that load
};

/// The work on one GEMM.
struct GemmLowering::Job {
    const Operation& operation;
    const GemmProblem& problem;
    Tiling tiling;
    GemmPrecision precision;
    Operand left, right;
    OutputCopies out;
    std::vector<OutputCopies> side_outputs;  // masks, statistics
    std::vector<Operand> side_inputs;        // of the epilogue
    std::uint64_t epilogue_lane_ops = 0;     // for one element
    bool transforms = false;                 // the epilogue changes the results
    Dependencies start{};                    // space for tiles and resident outputs is free
    std::array<Dependencies, 2> out_free{};
    std::size_t out_buffer = 0;
    std::shared_ptr<const std::vector<float>> sums;  // of the reduction in progress, in values mode
};

GemmLowering::GemmLowering(LoweringContext context, GemmValues* values)
    : context_(context), values_(values), dram_bytes_per_cycle_(peak_dram_bytes_per_cycle(context.machine)) {}

GemmLowering::Operand GemmLowering::operand(const Operation& operation, std::size_t input) const {
    Operand operand;
    operand.id = operation.inputs[input];
    const Tensor& tensor = context_.memory.tensor(operand.id);
    operand.format = input_copy(operation, input, tensor.role, context_.recipe, context_.machine.gradient_storage);
    operand.bits = bits_of(operand.format, tensor);
    return operand;
}

void GemmLowering::bring_on_chip(Operand& operand, std::uint64_t access) {
    TensorMemory& memory = context_.memory;
    TensorMemory::Copy& copy = memory.copy(operand.id, operand.format);
    if (context_.machine.ideal_memory) {
        operand.resident = true;
        operand.ready = copy.written;
        return;
    }
    if (!copy.resident) {
        const Dependencies stored = copy.stored;
        const std::uint64_t address = memory.address(operand.id, operand.format);
        if (memory.keep_input(operand.id, operand.format, access)) {
            const Slice whole{.address = address, .run_bytes = copy.bytes};
            context_.emitter.load(whole, later(stored, memory.resident_release()));
            copy.written = context_.emitter.issued(Unit::load);
        }
        operand.address = address;
    }
    operand.resident = copy.resident;
    operand.ready = copy.ready();
}

const Tiling& GemmLowering::tiling(const Operation& operation, const GemmProblem& problem, const TilingInput& input) {
    std::string key = fmt::format("{} {} {} {} {} {} {} {} ", static_cast<int>(operation.phase),
                                  static_cast<int>(input.mode), input.left_bits, input.right_bits, input.out_bits,
                                  input.stored_bits, input.left_resident, input.right_resident);
    if (const auto* c = std::get_if<Convolution>(&operation.work)) {
        key += fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", c->n, c->c, c->h, c->w, c->k, c->r, c->s,
                           c->stride_h, c->stride_w, c->pad_top, c->pad_bottom, c->pad_left, c->pad_right,
                           c->dilation_h, c->dilation_w, c->groups);
    } else {
        const auto& m = std::get<Matmul>(operation.work);
        const TileRange whole{{0, m.batch}, {0, m.m}, {0, m.n}, {0, m.k}};  // smaller where the batch shares an operand
        key += fmt::format("{} {} {} {} {} {} {} {}", m.batch, m.m, m.n, m.k, m.left_transposed, m.right_transposed,
                           problem.left(whole, 8).bytes(), problem.right(whole, 8).bytes());
    }
    const auto found = tilings_.find(key);
    if (found != tilings_.end()) {
        return found->second;
    }
    if (tilings_.size() >= tilings_remembered) {
        tilings_.clear();
    }
    return tilings_.emplace(std::move(key), search_tiling(problem, context_.machine.mac_array, input)).first->second;
}

void GemmLowering::lower(const Operation& operation, OpRecord record, std::uint64_t first_access) {
    TensorMemory& memory = context_.memory;
    Emitter& emitter = context_.emitter;
    // A weight gradient takes the layer's gradient on the left: its rows are output channels.
    const bool swapped = operation.phase == Phase::dw && std::holds_alternative<Convolution>(operation.work);
    const std::size_t left = swapped ? 1 : 0;
    const std::size_t right = 1 - left;
    const GemmProblem problem(operation, memory.tensor(operation.inputs[left]).elements,
                              memory.tensor(operation.inputs[right]).elements);
    const GemmPrecision precision = context_.recipe.precision_of(operation);

    Job job{
        operation, problem, {}, precision, operand(operation, left), operand(operation, right), {}, {}, {}, 0, false,
        {},        {},      0,  nullptr};
    const std::uint64_t out_access = first_access + operation.inputs.size();
    job.out = place_output(context_, operation.outputs[0], out_access);
    for (std::size_t i = 1; i < operation.outputs.size(); ++i) {
        job.side_outputs.push_back(place_output(context_, operation.outputs[i], out_access + i));
    }
    job.epilogue_lane_ops = lane_ops_of(operation.epilogue);
    job.transforms = !std::all_of(operation.epilogue.begin(), operation.epilogue.end(), only_reduces);

    const auto mode = static_cast<std::size_t>(precision.mode);
    const ArrayGeometry& geometry = *context_.machine.mac_array.modes[mode];
    record.kind = std::holds_alternative<Matmul>(operation.work) ? "matmul" : "conv";
    record.mode = array_mode_names[mode];
    record.batch = problem.batch();
    record.m = problem.m();
    record.n = problem.n();
    record.k = problem.k();
    record.peak_macs_per_cycle = peak_macs_per_cycle(geometry);

    emitter.begin(std::move(record));
    bring_on_chip(job.left, first_access + left);
    bring_on_chip(job.right, first_access + right);
    for (std::size_t i = 2; i < operation.inputs.size(); ++i) {
        Operand side = operand(operation, i);
        TensorMemory::Copy& copy = memory.copy(side.id, side.format);
        side.resident = copy.resident || context_.machine.ideal_memory;
        side.address = side.resident ? 0 : memory.address(side.id, side.format);
        side.ready = copy.ready();
        job.side_inputs.push_back(side);
    }

    TilingInput input;
    input.mode = precision.mode;
    input.left_bits = job.left.bits;
    input.right_bits = job.right.bits;
    input.left_resident = job.left.resident;
    input.right_resident = job.right.resident;
    input.memory_free = context_.machine.ideal_memory;
    input.tile_space_bytes = context_.tiles.capacity();
    input.dram_bytes_per_cycle = dram_bytes_per_cycle_;
    const bool has_result_copy =
        std::find(job.out.formats.begin(), job.out.formats.end(), CopyFormat::fp16) != job.out.formats.end();
    input.out_bits = job.out.bits + (has_result_copy ? 0 : result_bits);
    input.stored_bits = job.out.stored ? job.out.bits : 0;
    for (const OutputCopies& side : job.side_outputs) {
        input.out_bits += side.elements == job.out.elements ? side.bits : 0;
        input.stored_bits += side.stored && side.elements == job.out.elements ? side.bits : 0;
    }
    for (const Operand& side : job.side_inputs) {
        input.out_bits += memory.tensor(side.id).elements == job.out.elements ? side.bits : 0;
    }
    job.tiling = tiling(operation, problem, input);
    job.start = later(context_.tiles.take(tile_space(problem, job.tiling, input)), memory.resident_release());
    emitter.describe(std::string(dataflow_names[static_cast<std::size_t>(job.tiling.dataflow)]),
                     to_string(job.tiling, problem));

    for (Operand& side : job.side_inputs) {
        if (!side.resident && memory.tensor(side.id).elements != job.out.elements) {
            const std::uint64_t bytes = memory.copy(side.id, side.format).bytes;
            emitter.load({.address = side.address, .run_bytes = bytes}, later(job.start, side.ready));
            side.loaded = emitter.issued(Unit::load);
        }
    }
    spdlog::debug("{} {}: {}-stationary, {}", operation.layer, phase_name(operation.phase),
                  dataflow_names[static_cast<std::size_t>(job.tiling.dataflow)], to_string(job.tiling, problem));
    if (values_ != nullptr) {
        values_->begin(operation, problem, job.tiling, precision, memory.tensor(job.left.id),
                       memory.tensor(job.right.id));
    }
    emit_tiles(job);
    for (const OutputCopies& side : job.side_outputs) {
        if (side.elements != job.out.elements && side.stored) {
            for (const CopyFormat format : side.formats) {
                const std::uint64_t address = memory.address(side.id, format);
                emitter.store({.address = address, .run_bytes = memory.copy(side.id, format).bytes},
                              emitter.issued(Unit::vector_unit));
            }
        }
    }
    context_.tiles.release_last(emitter.issued());
    mark_output_complete(context_, job.out);
    for (const OutputCopies& side : job.side_outputs) {
        mark_output_complete(context_, side);
    }
    emitter.end();
}

void GemmLowering::emit_tiles(Job& job) {
    Emitter& emitter = context_.emitter;
    const auto fetch = [&](Operand& operand, Slice slice) {
        if (operand.resident) {
            return;
        }
        slice.address += operand.address;
        if (operand.held == slice) {
            return;
        }
        operand.held = slice;
        operand.buffer = 1 - operand.buffer;
        emitter.load(slice, later(later(job.start, operand.ready), operand.buffer_free[operand.buffer]));
        operand.loaded = emitter.issued(Unit::load);
    };
    const bool reduction_split = tile_count(job.problem.l(), job.tiling.l) > 1;
    for_each_tile(job.problem, job.tiling, [&](const TileRange& tile, bool first, bool last) {
        fetch(job.left, job.problem.left(tile, job.left.bits));
        fetch(job.right, job.problem.right(tile, job.right.bits));

        MatmulCommand command;
        command.mode = job.precision.mode;
        command.dataflow = job.tiling.dataflow;
        command.left_bits = job.left.bits;
        command.right_bits = job.right.bits;
        command.left_transposed = job.problem.left_transposed();
        command.right_transposed = job.problem.right_transposed();
        command.accumulate = reduction_split && !first;
        command.finish = last;
        command.passes = job.problem.passes(tile);
        if (values_ != nullptr) {
            command.values = values_->tile(tile, first, last);
            job.sums = command.values->sums;
        }
        Dependencies needs = later(job.start, later(job.left.loaded, job.right.loaded));
        needs = later(needs, later(job.left.resident ? job.left.ready : Dependencies{},
                                   job.right.resident ? job.right.ready : Dependencies{}));
        if (last) {
            job.out_buffer = 1 - job.out_buffer;
            needs = later(needs, job.out_free[job.out_buffer]);
        }
        if (!command.passes.empty()) {  // input pixels that no output reaches have nothing to add up: zero as they are
            emitter.matmul(std::move(command), needs);
        }
        job.left.buffer_free[job.left.buffer] = emitter.issued(Unit::mac_array);
        job.right.buffer_free[job.right.buffer] = emitter.issued(Unit::mac_array);
        if (last) {
            finish_tile(job, tile);
        }
    });
}

void GemmLowering::finish_tile(Job& job, const TileRange& tile) {
    Emitter& emitter = context_.emitter;
    TensorMemory& memory = context_.memory;
    const std::uint64_t elements = job.problem.out_elements(tile);
    const auto bytes = [&](std::uint64_t bits) { return bytes_for(Bits(elements * bits)).count(); };
    Dependencies made = emitter.issued(Unit::mac_array);

    std::uint64_t side_bits_read = 0;
    for (const Operand& side : job.side_inputs) {
        const bool whole = memory.tensor(side.id).elements != job.out.elements;
        if (!side.resident && !whole) {
            Slice slice = job.problem.out(tile, side.bits);
            slice.address += side.address;
            emitter.load(slice, later(later(job.start, side.ready), job.out_free[job.out_buffer]));
            made = later(made, emitter.issued(Unit::load));
        }
        made = later(made, side.resident ? side.ready : side.loaded);
        side_bits_read += whole ? 0 : side.bits;
    }
    std::uint64_t side_bits_written = 0;
    for (const OutputCopies& side : job.side_outputs) {
        side_bits_written += side.elements == job.out.elements ? side.bits : 0;
    }

    const std::uint64_t lane_ops = (job.epilogue_lane_ops + job.out.quantize_lane_ops) * elements;
    if (lane_ops > 0) {
        // Results that the epilogue changes go back as 16 bits where somebody, or the log-gradient unit, reads them so.
        const bool keeps_result = (memory.formats(job.out.id) & bit_of(CopyFormat::fp16)) != 0;
        const bool rewrites = job.transforms && (keeps_result || job.out.code_bits > 0);
        const std::uint64_t quantized_bits = job.out.bits - job.out.code_bits - (keeps_result ? result_bits : 0);
        emitter.vector({.lane_ops = lane_ops,
                        .read_bytes = bytes(result_bits + side_bits_read),
                        .write_bytes = bytes(quantized_bits + side_bits_written + (rewrites ? result_bits : 0))},
                       made);
        made = emitter.issued(Unit::vector_unit);
    }
    if (job.out.code_bits > 0) {
        ConvertCommand conversion{.elements = elements, .code_bits = job.out.code_bits, .values = nullptr};
        if (job.sums != nullptr) {
            conversion.values =
                gradients_to_convert(job.sums, job.problem.k(), job.operation.layer, gradients_checked_);
        }
        emitter.convert(conversion, made);
        made = later(made, emitter.issued(Unit::log_gradient));
    }
    const auto store_copies = [&](const OutputCopies& output) {
        if (!output.stored || output.elements != job.out.elements || context_.machine.ideal_memory) {
            return;
        }
        for (const CopyFormat format : output.formats) {
            Slice slice = job.problem.out(tile, bits_of(format, memory.tensor(output.id)));
            slice.address += memory.address(output.id, format);
            emitter.store(slice, made);
        }
    };
    store_copies(job.out);
    for (const OutputCopies& side : job.side_outputs) {
        store_copies(side);
    }
    job.out_free[job.out_buffer] = later(made, emitter.issued(Unit::store));
}

}  // namespace nibble
