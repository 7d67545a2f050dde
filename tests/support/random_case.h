// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/dram/dram_standard.h"
#include "models/machine/machine_params.h"
#include "sim/input/operation_size.h"
#include "sim/input/trace_writer.h"
#include "tests/support/test_machine.h"

namespace nibble::test {

/// Draws small machines and small training steps, all of them valid.
class RandomCase {
public:
    explicit RandomCase(std::uint64_t seed) : random_(seed), bank_random_(seed) {}

    std::uint64_t number(std::uint64_t least, std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>(least, most)(random_);
    }
    template <class T>
    T one_of(const std::vector<T>& values) {
        return values[number(0, values.size() - 1)];
    }
    bool coin() { return number(0, 1) == 1; }

    MachineParameters machine() {
        MachineParameters m = small_machine();
        m.clock_period_ps = one_of<std::uint64_t>({500, 640, 1000, 1250, 1429, 3000});
        m.gradient_storage = one_of<GradientStorage>(
            {GradientStorage::two_codes, GradientStorage::packed_pair, GradientStorage::rerounded});
        m.ideal_memory = number(0, 9) == 0;
        m.sequencer.queue_entries = static_cast<std::uint32_t>(number(1, 12));
        m.dma.max_request_bytes = one_of<std::uint32_t>({64, 256, 1024, 4096});
        m.dma.max_outstanding = static_cast<std::uint32_t>(number(1, 9));
        m.dma.lines_per_cycle = static_cast<std::uint32_t>(number(1, 4));
        m.dram = dram();
        m.scratchpad.banks = static_cast<std::uint32_t>(number(1, 16));
        m.scratchpad.line_bytes = one_of<std::uint32_t>({16, 32, 64});
        m.scratchpad.resident_bytes = one_of<std::uint64_t>({0, 4096, 16384});
        m.scratchpad.buffering = static_cast<std::uint32_t>(number(1, 4));
        if (coin()) {
            const std::uint64_t quarter = (m.scratchpad.capacity_bytes - m.scratchpad.resident_bytes) / 4;
            m.scratchpad.buffers = TileBytes{quarter, quarter, quarter, quarter};
        }
        draw_banks(m.scratchpad);
        draw_ideal_units(m);
        m.log_gradient.lanes = static_cast<std::uint32_t>(number(1, 16));
        m.vector_unit.lanes = static_cast<std::uint32_t>(number(1, 32));
        m.mac_array.overlap = coin();
        const auto rows = one_of<std::uint32_t>({2, 4, 8, 16});
        const auto cols = one_of<std::uint32_t>({2, 4, 8, 16});
        m.mac_array.rows = rows;
        m.mac_array.cols = cols;
        for (auto& mode : m.mac_array.modes) {
            mode =
                ArrayGeometry{rows, cols, one_of<std::uint32_t>({1, 2, 4}), static_cast<std::uint32_t>(number(1, 3))};
        }
        m.mac_array.dataflows = {
            one_of<Dataflow>({Dataflow::output_stationary, Dataflow::weight_stationary, Dataflow::input_stationary})};
        m.mac_array.accumulation.chunk = static_cast<std::uint32_t>(number(1, 16));
        m.mac_array.accumulation.format =
            one_of<AccumulatorFormat>({AccumulatorFormat::fp16, AccumulatorFormat::dlfloat16, AccumulatorFormat::fp32});
        return m;
    }

    /// Any standard and any policy, with queues so small that requests wait for room.
    DramParameters dram() {
        DramParameters d = typical_dram(one_of(dram_standard_names()));
        const DramStandard& standard = *find_dram_standard(d.standard);
        d.channels = static_cast<std::uint32_t>(number(1, 4));
        d.ranks = std::min(one_of<std::uint32_t>({1, 1, 2, 4}), 64 / standard.banks());
        d.capacity_bytes_per_channel = d.ranks * standard.typical_rank_bytes;
        d.address_mapping = one_of<std::string>(
            {"permuted", "permuted", "ro-ch-ra-ba-bg-co", "ro-ra-bg-ba-ch-co", "ra-ba-ro-co-ch-bg"});
        if (!set_page_policy(d, one_of<std::string>({"open", "closed", "timeout:1", "timeout:200"})).empty()) {
            throw std::logic_error("a page policy of the test is none");
        }
        d.refresh = standard.has_bank_refresh() && coin() ? RefreshMode::per_bank : RefreshMode::all_bank;
        d.power_down = standard.has_power_down() && coin();
        d.read_queue_entries = static_cast<std::uint32_t>(number(16, 64));
        d.write_queue_entries = static_cast<std::uint32_t>(number(16, 64));
        d.write_high_watermark = static_cast<std::uint32_t>(number(1, d.write_queue_entries));
        d.write_low_watermark = static_cast<std::uint32_t>(number(0, d.write_high_watermark - 1));
        d.age_cap_bursts = static_cast<std::uint32_t>(number(1, 400));
        return d;
    }

    /// A step of one to three independent layers, each with everything that a layer brings along.
    std::string trace() {
        std::ostringstream text;
        TraceWriter writer(text, {"random", 1});
        const std::uint64_t layers = number(1, 3);
        for (std::uint64_t i = 0; i < layers; ++i) {
            const std::string name = "layer" + std::to_string(i);
            coin() ? convolution(writer, name) : matmul(writer, name);
        }
        writer.finish();
        return text.str();
    }

private:
    /// Draws from a generator of its own, so that these options left every other draw of a seed as it was.
    void draw_banks(ScratchpadParameters& scratchpad) {
        const auto draw = [this](std::uint32_t most) {
            return std::uniform_int_distribution<std::uint32_t>(0, most)(bank_random_);
        };
        for (std::uint32_t& banks : scratchpad.buffer_banks) {
            banks = scratchpad.buffers ? draw(4) : 0;
        }
        scratchpad.ports = static_cast<BankPorts>(draw(bank_ports_count - 1));
        scratchpad.arbitration = static_cast<Arbitration>(draw(1));
    }

    /// One unit or another of few machines takes no time. Draws as draw_banks() does.
    void draw_ideal_units(MachineParameters& machine) {
        const std::uint32_t drawn = std::uniform_int_distribution<std::uint32_t>(0, 19)(bank_random_);
        machine.scratchpad.ideal = drawn == 0 || drawn == 4;
        machine.mac_array.ideal = drawn == 1 || drawn == 4;
        machine.log_gradient.ideal = drawn == 2;
        machine.vector_unit.ideal = drawn == 3;
        machine.dma.ideal = drawn == 5;
    }

    TensorId tensor(TraceWriter& writer, TensorRole role, std::uint64_t elements, std::uint32_t bits = 0) {
        Tensor made;
        made.id = next_++;
        made.role = role;
        made.shape = {elements};
        made.elements = elements;
        made.bits = bits;
        writer.write(made);
        return made.id;
    }

    void layer(TraceWriter& writer, Operation forward, Operation dx, Operation dw) {
        const std::vector<OperandElements> sizes = expected_elements(forward);
        const TensorRole right = coin() ? TensorRole::weight : TensorRole::activation;
        const TensorId x = tensor(writer, TensorRole::activation, sizes[0].own);
        const TensorId w = tensor(writer, right, sizes[1].own);
        const TensorId y = tensor(writer, TensorRole::activation, sizes[2].own);
        const TensorId z = tensor(writer, TensorRole::activation, sizes[2].own);
        const TensorId mask = tensor(writer, TensorRole::mask, sizes[2].own, 1);
        const TensorId dy = tensor(writer, TensorRole::gradient, sizes[2].own);
        const TensorId gx = tensor(writer, TensorRole::gradient, sizes[0].own);
        const TensorId gw = tensor(writer, TensorRole::weight_gradient, sizes[1].own);
        const TensorId master = tensor(writer, TensorRole::state, sizes[1].own);

        forward.inputs = {x, w};
        forward.outputs = {y};
        if (coin()) {
            forward.epilogue = {{"batch_stats", 1}};
        }
        writer.write(forward);
        writer.write(vector(forward, Phase::vector, {{"batch_norm", 1}, {"relu", 1}}, sizes[2].own, {y}, {z, mask}));
        writer.write(vector(forward, Phase::vector, {{"relu_grad", 1}}, sizes[2].own, {z, mask}, {dy}));
        dx.inputs = {dy, w};
        dx.outputs = {gx};
        writer.write(dx);
        // A layer before this one: its dx reads the gradient just made.
        Operation earlier = gemm(forward.layer, Phase::dx, Position::middle);
        earlier.work = Matmul{1, 1, 1, sizes[0].own, false, false};
        earlier.inputs = {gx, tensor(writer, TensorRole::weight, sizes[0].own)};
        earlier.outputs = {tensor(writer, TensorRole::gradient, 1)};
        writer.write(earlier);
        dw.inputs =
            std::holds_alternative<Matmul>(dw.work) ? std::vector<TensorId>{dy, x} : std::vector<TensorId>{x, dy};
        dw.outputs = {gw};
        writer.write(dw);
        writer.write(vector(forward, Phase::update, {{"sgd_momentum", 1}}, sizes[1].own, {gw, master}, {master, w}));
    }

    static Operation vector(const Operation& of, Phase phase, std::vector<VectorStep> steps, std::uint64_t elements,
                            std::vector<TensorId> inputs, std::vector<TensorId> outputs) {
        Operation made;
        made.layer = of.layer;
        made.group = of.group;
        made.phase = phase;
        made.work = VectorWork{elements, std::move(steps)};
        made.inputs = std::move(inputs);
        made.outputs = std::move(outputs);
        return made;
    }

    Operation gemm(const std::string& name, Phase phase, Position position) {
        Operation made;
        made.layer = name;
        made.group = "all";
        made.phase = phase;
        made.position = position;
        return made;
    }

    void convolution(TraceWriter& writer, const std::string& name) {
        Convolution c;
        c.groups = one_of<std::uint64_t>({1, 1, 1, 2, 3});
        const std::uint64_t channels = number(1, 6);
        const bool depthwise = number(0, 5) == 0;
        c.c = depthwise ? c.groups * channels : c.groups * channels;
        c.k = c.groups * number(1, 6);
        if (depthwise) {
            c.groups = c.c;
            c.k = c.c;
        }
        c.n = number(1, 3);
        c.r = number(1, 4);
        c.s = number(1, 4);
        c.dilation_h = number(1, 2);
        c.dilation_w = number(1, 2);
        c.stride_h = number(1, 3);
        c.stride_w = number(1, 3);
        c.pad_top = number(0, 2);
        c.pad_bottom = number(0, 2);
        c.pad_left = number(0, 2);
        c.pad_right = number(0, 2);
        c.h = c.dilation_h * (c.r - 1) + 1 + number(0, 7);
        c.w = c.dilation_w * (c.s - 1) + 1 + number(0, 7);
        c.transposed = number(0, 2) == 0;
        const Position position = one_of<Position>({Position::first, Position::middle, Position::last});
        Operation forward = gemm(name, Phase::forward, position);
        Operation dx = gemm(name, Phase::dx, position);
        Operation dw = gemm(name, Phase::dw, position);
        forward.work = c;
        dx.work = c;
        dw.work = c;
        layer(writer, forward, dx, dw);
    }

    void matmul(TraceWriter& writer, const std::string& name) {
        const std::uint64_t batch = one_of<std::uint64_t>({1, 1, 2, 5});
        const std::uint64_t m = number(1, 40);
        const std::uint64_t n = number(1, 40);
        const std::uint64_t k = number(1, 40);
        const Position position = one_of<Position>({Position::first, Position::middle, Position::last});
        Operation forward = gemm(name, Phase::forward, position);
        Operation dx = gemm(name, Phase::dx, position);
        Operation dw = gemm(name, Phase::dw, position);
        // y = x w^T; dx = dy w; dw = dy^T x.
        forward.work = Matmul{batch, m, n, k, false, true};
        dx.work = Matmul{batch, m, k, n, false, false};
        dw.work = Matmul{batch, n, k, m, true, false};
        layer(writer, forward, dx, dw);
    }

    std::mt19937_64 random_;
    std::mt19937_64 bank_random_;
    TensorId next_ = 0;
};

}  // namespace nibble::test
