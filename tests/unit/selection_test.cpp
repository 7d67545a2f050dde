// SPDX-License-Identifier: MIT
#include "sim/lowering/selection.h"

#include <string>

#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace nibble {
namespace {

Operation operation(Phase phase, std::string layer) {
    Operation made;
    made.phase = phase;
    made.layer = std::move(layer);
    return made;
}

std::string complaint(const std::string& list) {
    try {
        static_cast<void>(parse_phases(list));
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(Selection, HoldsEverythingToBeginWith) {
    for (const Phase phase : {Phase::forward, Phase::dx, Phase::dw, Phase::vector, Phase::update}) {
        EXPECT_TRUE(Selection{}.contains(operation(phase, "layer1.0.conv1")));
    }
}

TEST(Selection, ChoosesPhases) {
    const Selection selection{.phases = parse_phases("dx,update")};
    EXPECT_FALSE(selection.contains(operation(Phase::forward, "a")));
    EXPECT_TRUE(selection.contains(operation(Phase::dx, "a")));
    EXPECT_FALSE(selection.contains(operation(Phase::dw, "a")));
    EXPECT_FALSE(selection.contains(operation(Phase::vector, "a")));
    EXPECT_TRUE(selection.contains(operation(Phase::update, "a")));
}

TEST(Selection, ChoosesLayersByPattern) {
    const Selection selection{.layers = "layer[12].*"};
    EXPECT_TRUE(selection.contains(operation(Phase::dx, "layer1.0.conv1")));
    EXPECT_TRUE(selection.contains(operation(Phase::dx, "layer2.1")));
    EXPECT_FALSE(selection.contains(operation(Phase::dx, "layer3.0.conv1")));
    EXPECT_FALSE(selection.contains(operation(Phase::dx, "fc")));
}

TEST(Selection, BothMustHold) {
    const Selection selection{.phases = parse_phases("dw"), .layers = "fc"};
    EXPECT_TRUE(selection.contains(operation(Phase::dw, "fc")));
    EXPECT_FALSE(selection.contains(operation(Phase::dx, "fc")));
    EXPECT_FALSE(selection.contains(operation(Phase::dw, "conv1")));
}

TEST(ParsePhases, IsTheInverseOfPhaseName) {
    std::string all;
    for (const Phase phase : {Phase::forward, Phase::dx, Phase::dw, Phase::vector, Phase::update}) {
        EXPECT_EQ(parse_phases(phase_name(phase)), 1U << static_cast<unsigned>(phase));
        all += phase_name(phase) + (phase == Phase::update ? "" : ",");
    }
    EXPECT_EQ(all, "forward,dx,dw,vector,update");
    EXPECT_EQ(parse_phases(all), Selection::every_phase);
    EXPECT_EQ(parse_phases("dx,dx"), parse_phases("dx"));
}

TEST(ParsePhases, NamesThePartThatIsNoPhase) {
    EXPECT_EQ(complaint("dx,foward"),
              "--phases: expected a list of forward, dx, dw, vector, update, found 'foward' (did you mean 'forward'?)");
    EXPECT_EQ(complaint("dx,,dw"), "--phases: expected a list of forward, dx, dw, vector, update, found ''");
    EXPECT_EQ(complaint(""), "--phases: expected at least one of forward, dx, dw, vector, update");
}

}  // namespace
}  // namespace nibble
