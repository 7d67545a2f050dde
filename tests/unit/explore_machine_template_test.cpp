// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/dram/dram_standard.h"
#include "sim/base/error.h"
#include "sim/config/data_directory.h"
#include "sim/config/machine_config.h"
#include "sim/explore/machine_template.h"

namespace nibble {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(MachineTemplate, WithoutSettingsIsTheMachine) {
    for (const std::string& name : data_names(DataKind::preset)) {
        const MachineTemplate machine(name);
        EXPECT_EQ(effective_yaml(machine.with({})), effective_yaml(load_machine(name)));
    }
}

TEST(MachineTemplate, SettingsChangeWhatTheyNameAndNothingElse) {
    const MachineTemplate machine("edge-int4");
    MachineParameters expected = load_machine("edge-int4");
    expected.dram.channels = 2;
    expected.mac_array.dataflows = {Dataflow::output_stationary};
    expected.sequencer.queue_entries = 3;  // a section that the file does not have
    EXPECT_EQ(effective_yaml(machine.with(
                  {{"dram.channels", "2"}, {"mac_array.dataflows", "[output]"}, {"sequencer.queue_entries", "3"}})),
              effective_yaml(expected));
}

TEST(MachineTemplate, AnotherStandardBringsItsOwnTimings) {
    const MachineParameters machine = MachineTemplate("edge-int4")
                                          .with({{"dram.standard", "HBM2-2000"},
                                                 {"dram.channels", "8"},
                                                 {"dram.capacity_bytes_per_channel", "1073741824"}});
    EXPECT_EQ(machine.dram.read_queue_entries, typical_dram("HBM2-2000").read_queue_entries);
    EXPECT_EQ(machine.dram.address_mapping, typical_dram("HBM2-2000").address_mapping);
}

TEST(MachineTemplate, KnowsEveryParameter) {
    const std::vector<std::string> parameters = MachineTemplate("edge-int4").parameters();
    for (const char* parameter : {"dram.channels", "dram.refresh", "mac_array.modes.int4.macs_per_pe",
                                  "mac_array.dataflows", "sequencer.queue_entries", "clock_period_ps"}) {
        EXPECT_THAT(parameters, Contains(parameter));
    }
    EXPECT_THAT(parameters, Not(Contains("dram")));
}

TEST(MachineTemplate, ImpossibleMachinesSayWhy) {
    try {
        static_cast<void>(MachineTemplate("edge-int4").with({{"dram.channels", "many"}}));
        FAIL() << "was built";
    } catch (const InputError& error) {
        EXPECT_THAT(std::string(error.what()), HasSubstr("dram.channels: expected a whole number"));
        EXPECT_EQ(error.problems().front().where.line, 0U);  // there is no file with such a line
    }
}

}  // namespace
}  // namespace nibble
