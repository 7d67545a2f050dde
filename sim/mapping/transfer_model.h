// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "models/dma/slice_walker.h"
#include "models/dram/dram_core.h"
#include "models/machine/machine_params.h"
#include "sim/program/command.h"

namespace nibble {

/// From a unit's request for lines to the scratchpad, and from there with the answer back: a channel each.
inline constexpr std::uint64_t to_the_scratchpad_and_back_cycles = 2;

/// Cycles in which the scratchpad serves lines to a unit with nobody else at work, that can move so many in one; as
/// many as the scratchpad can, if it is not said.
[[nodiscard]] std::uint64_t cycles_of_lines(const ScratchpadParameters& scratchpad, std::uint64_t lines);
[[nodiscard]] std::uint64_t cycles_of_lines(const ScratchpadParameters& scratchpad, std::uint64_t lines,
                                            std::uint64_t lines_per_cycle);

/// The machine's two DMA engines and its DRAM core, without the rest: transfers of each direction in the order in which
/// they are given, from when they are ready. Each engine issues one request a core cycle, has at most max_outstanding
/// of them under way, and each holds its slot while its lines pass the scratchpad. Times are core cycles.
class TransferModel {
public:
    /// `machine` must outlive the model.
    explicit TransferModel(const MachineParameters& machine);

    /// A transfer that begins at `ready`, behind those of its direction that were given before.
    void start(bool write, const Slice& slice, double ready);

    struct Done {
        bool write = false;
        double cycle = 0;  ///< in which the last line is in its place
    };
    /// Simulates until the next transfer is done; nothing if there is none. What is given afterwards must not be ready
    /// before that.
    [[nodiscard]] std::optional<Done> next();

private:
    struct Transfer {
        SliceWalker walker;
        double ready = 0;
        double last = 0;              // end of its requests so far
        std::uint64_t under_way = 0;  // requests
        [[nodiscard]] bool done() const { return walker.done() && under_way == 0; }
    };
    struct Engine {
        std::deque<Transfer> transfers;
        std::size_t issuing = 0;      // the first that has requests to issue
        std::uint64_t begun = 0;      // number of transfers.front() among all
        std::uint64_t slots = 0;      // free ones
        double issue_from = 0;        // the next request
        double pass_end = 0;          // of the last load's lines
        std::deque<double> released;  // when slots are free again, ascending
        [[nodiscard]] std::optional<double> next_at() const;
    };
    struct Request {
        std::uint64_t transfer = 0;  // its number
        std::uint32_t bytes = 0;
        bool write = false;
    };

    void issue(bool write);
    void complete(const DramCompletion& completion);
    [[nodiscard]] double pass_cycles(std::uint32_t bytes) const;
    [[nodiscard]] std::optional<Done> take_done();
    [[nodiscard]] std::uint64_t memory_cycle(double core_cycle) const;

    const MachineParameters& machine_;
    double core_per_memory_cycle_;
    DramCore memory_;
    std::array<Engine, 2> engines_;  // [write]
    std::vector<Request> requests_;  // under way, by id
    std::vector<std::uint64_t> free_ids_;
};

}  // namespace nibble
