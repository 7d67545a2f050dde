// SPDX-License-Identifier: MIT
#include "models/dram/dram_counters.h"

namespace nibble {

DramCounters& DramCounters::operator+=(const DramCounters& other) {
    channel_cycles += other.channel_cycles;
    activates += other.activates;
    reads += other.reads;
    writes += other.writes;
    precharges += other.precharges;
    refreshes += other.refreshes;
    bank_refreshes += other.bank_refreshes;
    row_hits_read += other.row_hits_read;
    row_hits_write += other.row_hits_write;
    row_misses += other.row_misses;
    row_conflicts += other.row_conflicts;
    data_bus_cycles += other.data_bus_cycles;
    bank_open_cycles += other.bank_open_cycles;
    active_standby_cycles += other.active_standby_cycles;
    precharge_standby_cycles += other.precharge_standby_cycles;
    active_power_down_cycles += other.active_power_down_cycles;
    precharge_power_down_cycles += other.precharge_power_down_cycles;
    wait_refresh_cycles += other.wait_refresh_cycles;
    wait_turnaround_cycles += other.wait_turnaround_cycles;
    wait_row_cycles += other.wait_row_cycles;
    wait_column_cycles += other.wait_column_cycles;
    return *this;
}

}  // namespace nibble
