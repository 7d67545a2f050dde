// SPDX-License-Identifier: MIT
#include "sim/mapping/mapping_plan.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "sim/lowering/greedy_tiling.h"

namespace nibble {

namespace {

/// GEMMs that several threads take one after the other.
class SharedWork {
public:
    SharedWork(std::vector<PlannedGemm>& planned, std::vector<std::size_t> to_do, const MappingRequest& request)
        : planned_(planned), to_do_(std::move(to_do)), request_(request) {}

    /// Works until nothing is left.
    void run(const MappingSearch& search) {
        try {
            for (std::size_t next = next_++; next < to_do_.size() && !failed_; next = next_++) {
                PlannedGemm& planned = planned_[to_do_[next]];
                planned.mapped = search.search(planned.gemm.task);
                report();
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            failed_ = true;
            // Of several failures the first of the trace would be nicer; any of them is true.
            problem_ = problem_ == nullptr ? std::current_exception() : problem_;
        }
    }

    void rethrow() const {
        if (problem_ != nullptr) {
            std::rethrow_exception(problem_);
        }
    }

private:
    void report() {
        const std::lock_guard lock(mutex_);
        ++done_;
        if (request_.progress) {
            request_.progress(planned_.size() - to_do_.size() + done_, planned_.size());
        }
    }

    std::vector<PlannedGemm>& planned_;
    std::vector<std::size_t> to_do_;
    const MappingRequest& request_;
    std::atomic<std::size_t> next_ = 0;
    std::atomic<bool> failed_ = false;
    std::mutex mutex_;
    std::size_t done_ = 0;
    std::exception_ptr problem_;
};

}  // namespace

std::vector<PlannedGemm> plan_mappings(std::vector<Lowering::ListedGemm> gemms, const MachineParameters& machine,
                                       const MappingRequest& request) {
    std::vector<PlannedGemm> planned;
    std::vector<std::size_t> to_do;
    const MappingSearch search(machine, request.objective, request.price);
    for (Lowering::ListedGemm& gemm : gemms) {
        PlannedGemm one{.gemm = std::move(gemm)};
        const MappedTask* known = request.known ? request.known(one.gemm.task, one.origin) : nullptr;
        if (known != nullptr) {
            one.mapped = one.origin == MappingOrigin::file ? search.evaluate(one.gemm.task, known->tiling) : *known;
        } else if (request.search) {
            one.origin = MappingOrigin::searched;
            to_do.push_back(planned.size());
        } else {
            one.origin = MappingOrigin::greedy;
            one.mapped = search.evaluate(one.gemm.task, greedy_tiling(one.gemm.task, machine));
        }
        if (request.progress && one.origin != MappingOrigin::searched) {
            request.progress(planned.size() + 1 - to_do.size(), gemms.size());
        }
        planned.push_back(std::move(one));
    }
    const std::size_t threads = std::min<std::size_t>(std::max(1U, request.threads), to_do.size());
    SharedWork work(planned, std::move(to_do), request);
    std::vector<std::jthread> helpers;
    for (std::size_t helper = 1; helper < threads; ++helper) {
        helpers.emplace_back([&work, &search] { work.run(search); });
    }
    work.run(search);
    helpers.clear();  // joins
    work.rethrow();
    return planned;
}

MappingTable table_of(const std::vector<PlannedGemm>& planned) {
    MappingTable table;
    for (const PlannedGemm& one : planned) {
        table.set(one.gemm.task.key(),
                  {one.mapped.tiling, static_cast<std::uint64_t>(std::llround(one.mapped.cycles))});
    }
    return table;
}

}  // namespace nibble
