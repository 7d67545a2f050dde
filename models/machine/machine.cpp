// SPDX-License-Identifier: MIT
#include "models/machine/machine.h"

#include <chrono>
#include <string>
#include <utility>

namespace nibble {

namespace {

// Two slots: the least that lets a beat move in every cycle.
constexpr std::size_t channel_depth = 2;

}  // namespace

template <class T>
Channel<T>& Machine::channel(const std::string& name, MachineUnit client, MachineUnit server) {
    const auto made = std::make_shared<Channel<T>>(name.c_str(), channel_depth);
    channels_.push_back(made);
    watched_.push_back({name, client, server, made.get()});
    return *made;
}

Machine::Machine(const MachineParameters& params, ProgramSource& program, Ledger& ledger, const RunOptions& options)
    : ledger_(ledger), clock_("clock", params.clock_period_ps, options.skipping) {
    for (const std::uint8_t unit : options.construction_order) {
        build(unit, params, program);
    }
    bind();
    account_ = std::make_unique<CycleAccount>(*sequencer_, *mac_array_, *log_gradient_, *vector_unit_, *load_, *store_,
                                              ledger);
    clock_.set_observer(*account_);
    if (options.probe != nullptr || options.wave) {
        watch(params, options);
    }
}

std::array<ClockedModule*, machine_unit_count> Machine::units() const {
    return {sequencer_.get(),  load_.get(),      store_.get(),        dram_.get(),
            scratchpad_.get(), mac_array_.get(), log_gradient_.get(), vector_unit_.get()};
}

void Machine::watch(const MachineParameters& params, const RunOptions& options) {
    MachineWatch::Units watched{};
    for (std::size_t unit = 0; unit < machine_unit_count; ++unit) {
        units()[unit]->set_probe(options.probe, static_cast<MachineUnit>(unit));
        watched[unit] = units()[unit];
    }
    ledger_.set_probe(options.probe);
    std::unique_ptr<WaveRecorder> wave;
    if (options.wave) {
        wave = std::make_unique<WaveRecorder>(*options.wave, params.name, params.clock_period_ps, watched_);
    }
    watch_ = std::make_unique<MachineWatch>(clock_, watched, *sequencer_, *mac_array_, *account_, options.probe,
                                            std::move(wave));
    clock_.set_observer(*watch_);
}

void Machine::build(std::uint8_t unit, const MachineParameters& params, ProgramSource& program) {
    const std::uint32_t line_bytes = params.scratchpad.line_bytes;
    const std::uint32_t burst_bytes = find_dram_standard(params.dram.standard)->burst_bytes();
    switch (unit) {
        case 0:
            sequencer_ = std::make_unique<Sequencer>("sequencer", clock_, params.sequencer, program, ledger_);
            break;
        case 1:
            load_ = std::make_unique<DmaEngine>("load", clock_, TransferDirection::load, params.dma, line_bytes,
                                                burst_bytes, ledger_);
            break;
        case 2:
            store_ = std::make_unique<DmaEngine>("store", clock_, TransferDirection::store, params.dma, line_bytes,
                                                 burst_bytes, ledger_);
            break;
        case 3:
            dram_ = std::make_unique<Dram>("dram", clock_, params.dram, params.clock_period_ps, ledger_);
            break;
        case 4:
            scratchpad_ = std::make_unique<Scratchpad>("scratchpad", clock_, params.scratchpad, ledger_);
            break;
        case 5:
            mac_array_ = std::make_unique<MacArray>("mac_array", clock_, params.mac_array, line_bytes, ledger_);
            break;
        case 6:
            log_gradient_ =
                std::make_unique<LogGradient>("log_gradient", clock_, params.log_gradient, params.scratchpad, ledger_);
            break;
        default:
            vector_unit_ =
                std::make_unique<VectorUnit>("vector_unit", clock_, params.vector_unit, params.scratchpad, ledger_);
            break;
    }
}

template <class Engine>
void Machine::bind_commands(Unit unit, MachineUnit place, Engine& engine) {
    const auto u = static_cast<std::size_t>(unit);
    const std::string name(unit_names[u]);
    auto& commands = channel<CommandPtr>(name + "_commands", place, MachineUnit::sequencer);
    (*sequencer_->command_out[u])(commands);
    engine.command_in(commands);
    auto& completions = channel<Completion>(name + "_completions", place, MachineUnit::sequencer);
    engine.completion_out(completions);
    (*sequencer_->completion_in[u])(completions);
}

template <class Engine>
void Machine::bind_scratchpad(ScratchpadClient client, MachineUnit place, Engine& engine) {
    const auto c = static_cast<std::size_t>(client);
    const std::string name(scratchpad_client_names[c]);
    auto& requests = channel<ScratchpadRequest>(name + "_line_requests", place, MachineUnit::scratchpad);
    engine.scratchpad_request_out(requests);
    (*scratchpad_->request_in[c])(requests);
    auto& done = channel<ScratchpadDone>(name + "_lines_done", place, MachineUnit::scratchpad);
    (*scratchpad_->done_out[c])(done);
    engine.scratchpad_done_in(done);
}

void Machine::bind_memory(Dram::Client client, MachineUnit place, DmaEngine& engine) {
    const auto c = static_cast<std::size_t>(client);
    const std::string name = engine.basename();
    auto& requests = channel<MemoryRequest>(name + "_memory_requests", place, MachineUnit::dram);
    engine.memory_request_out(requests);
    (*dram_->request_in[c])(requests);
    auto& responses = channel<MemoryResponse>(name + "_memory_responses", place, MachineUnit::dram);
    (*dram_->response_out[c])(responses);
    engine.memory_response_in(responses);
}

void Machine::bind() {
    bind_commands(Unit::load, MachineUnit::load, *load_);
    bind_commands(Unit::mac_array, MachineUnit::mac_array, *mac_array_);
    bind_commands(Unit::log_gradient, MachineUnit::log_gradient, *log_gradient_);
    bind_commands(Unit::vector_unit, MachineUnit::vector_unit, *vector_unit_);
    bind_commands(Unit::store, MachineUnit::store, *store_);
    bind_scratchpad(ScratchpadClient::mac_array, MachineUnit::mac_array, *mac_array_);
    bind_scratchpad(ScratchpadClient::log_gradient, MachineUnit::log_gradient, *log_gradient_);
    bind_scratchpad(ScratchpadClient::vector_unit, MachineUnit::vector_unit, *vector_unit_);
    bind_scratchpad(ScratchpadClient::load, MachineUnit::load, *load_);
    bind_scratchpad(ScratchpadClient::store, MachineUnit::store, *store_);
    bind_memory(Dram::Client::load, MachineUnit::load, *load_);
    bind_memory(Dram::Client::store, MachineUnit::store, *store_);
}

RunSummary Machine::run() {
    const auto begin = std::chrono::steady_clock::now();
    clock_.run();
    RunSummary summary;
    summary.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    summary.operations = ledger_.retired();
    summary.cycles = clock_.now() + 1;
    summary.edges = clock_.edges();
    summary.causes = ledger_.causes();
    summary.counters = ledger_.counters();
    for (const ClockedModule* unit : units()) {
        summary.units.push_back({unit->basename(), unit->activity_cycles()});
    }
    if (watch_ != nullptr) {
        dram_->tell_rest(summary.cycles);
        watch_->finish(summary.cycles);
    }
    return summary;
}

}  // namespace nibble
