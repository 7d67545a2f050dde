// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/explore/study.h"

namespace nibble {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string head = "name: s\nmachines: [edge-int4]\nworkloads: [tiny]\n";

Study parse(const std::string& text) {
    return parse_study(text, "s.yaml", "/studies");
}

std::string problem_of(const std::string& text) {
    try {
        static_cast<void>(parse(text));
    } catch (const InputError& error) {
        return error.what();
    }
    return "no problem";
}

std::vector<std::string> values_of(const Axis& axis) {
    std::vector<std::string> texts;
    for (const Axis::Value& value : axis.values) {
        texts.push_back(value.text());
    }
    return texts;
}

TEST(Study, WhatIsNotSaidIsAGridOfSimulationsForTimeAndEnergy) {
    const Study study = parse(head);
    EXPECT_EQ(study.method, Method::grid);
    EXPECT_EQ(study.fidelity, Fidelity::simulated);
    EXPECT_EQ(study.recipe, "int4-fp4");
    EXPECT_EQ(study.baseline, "iso-mac-area");
    ASSERT_EQ(study.objectives.size(), 2U);
    EXPECT_EQ(study.objectives[0].metric, "cycles");
    EXPECT_EQ(study.objectives[1].metric, "energy_pj");
    EXPECT_TRUE(study.sizes().empty());  // one design
}

TEST(Study, RangesAreLinearOrLogarithmic) {
    // 2 + 3 i; 16 x 4^i; between ends that are not whole, values need not be either.
    const Study study = parse(head +
                              "axes:\n"
                              "  - {parameter: dram.channels, range: {from: 2, to: 11, steps: 4}}\n"
                              "  - {parameter: vector_unit.lanes, range: {from: 16, to: 1024, steps: 4, scale: log}}\n"
                              "  - {parameter: mac_array.pe.fp16, range: {from: 0.25, to: 0.5, steps: 2}}\n"
                              "  - {parameter: log_gradient.lanes, range: {from: 8, to: 8, steps: 1}}\n");
    EXPECT_THAT(values_of(study.axes[0]), ElementsAre("2", "5", "8", "11"));
    EXPECT_THAT(values_of(study.axes[1]), ElementsAre("16", "64", "256", "1024"));
    EXPECT_THAT(values_of(study.axes[2]), ElementsAre("0.25", "0.5"));
    EXPECT_THAT(values_of(study.axes[3]), ElementsAre("8"));
    EXPECT_THAT(study.sizes(), ElementsAre(4U, 4U, 2U, 1U));
}

TEST(Study, ParametersThatMoveTogetherAreOneAxis) {
    const Study study = parse(head +
                              "axes:\n  - zip:\n"
                              "      - {parameter: mac_array.rows, values: [16, 32]}\n"
                              "      - {parameter: mac_array.dataflows, values: [[output], [output, weight]]}\n");
    ASSERT_EQ(study.axes.size(), 1U);
    EXPECT_EQ(study.axes[0].name(), "mac_array.rows / mac_array.dataflows");
    EXPECT_THAT(values_of(study.axes[0]), ElementsAre("16 / [output]", "32 / [output, weight]"));
}

TEST(Study, BaseMachinesAreTheFirstAxis) {
    const Study study = parse(
        "name: s\nmachines: [edge-int4, server-int4]\nworkloads: [tiny]\n"
        "axes: [{parameter: dram.channels, values: [1, 2, 4]}]\n");
    EXPECT_THAT(study.sizes(), ElementsAre(2U, 3U));
}

TEST(Study, PathsBeginInItsFolder) {
    const Study study = parse(
        "name: s\nmachines: [edge-int4]\n"
        "workloads: [resnet18, nets/a.yaml, b.jsonl, {trace: /c.jsonl, batch: 2, weight: 0.5}]\n");
    ASSERT_EQ(study.workloads.size(), 4U);
    EXPECT_EQ(study.workloads[0].trace, "resnet18");
    EXPECT_EQ(study.workloads[1].trace, "/studies/nets/a.yaml");
    EXPECT_EQ(study.workloads[2].trace, "/studies/b.jsonl");
    EXPECT_EQ(study.workloads[3].trace, "/c.jsonl");
    EXPECT_EQ(study.workloads[3].batch, 2U);
    EXPECT_EQ(study.workloads[3].weight, 0.5);
}

TEST(Study, EveryProblemIsShownWithItsPlace) {
    const std::string problems = problem_of(
        "name: s\nmachines: [edge-int4]\nworkloads: []\n"
        "axes:\n  - {parameter: dram.chanels, values: [1]}\n"
        "  - {parameter: dram.channels}\n"
        "objectives: [speed]\nconfirm: 3\nfidelity: predicted\n");
    EXPECT_THAT(problems, HasSubstr("s.yaml:5:17: axes[0].parameter: there is no parameter 'dram.chanels' (did you "
                                    "mean 'dram.channels'?)"));
    EXPECT_THAT(problems, HasSubstr("s.yaml:6:17: axes[1].parameter: expected either values or a range"));
    EXPECT_THAT(problems, HasSubstr("s.yaml:3:12: workloads: expected at least one"));
    EXPECT_THAT(problems, HasSubstr("s.yaml:7:14: objectives[0]: there is no metric 'speed'"));
    EXPECT_THAT(problems, HasSubstr("s.yaml:8:10: confirm: predictions cannot be confirmed by predictions"));
}

TEST(Study, SpacesAreBounded) {
    const std::string four =
        "axes:\n"
        "  - {parameter: dram.channels, range: {from: 1, to: 10000, steps: 10000}}\n"
        "  - {parameter: dram.ranks, range: {from: 1, to: 10000, steps: 10000}}\n"
        "  - {parameter: vector_unit.lanes, range: {from: 1, to: 10000, steps: 10000}}\n"
        "  - {parameter: log_gradient.lanes, range: {from: 1, to: 10000, steps: 10000}}\n";
    EXPECT_THAT(problem_of(head + four), HasSubstr("a grid of 1e+16 designs: expected at most 20000"));
    EXPECT_EQ(problem_of(head + four + "explore: {method: random, designs: 10}\n"), "no problem");
    EXPECT_THAT(problem_of(head + four +
                           "  - {parameter: scratchpad.banks, range: {from: 1, to: 10000, steps: 10000}}\n"
                           "explore: {method: random, designs: 10}\n"),
                HasSubstr("a space of 1e+20 designs"));
}

TEST(Study, MethodsSayHowManyDesignsTheyLookAt) {
    EXPECT_THAT(problem_of(head + "explore: {method: guided}\n"), HasSubstr("missing key 'designs'"));
    EXPECT_THAT(problem_of(head + "explore: {method: grid, designs: 3}\n"), HasSubstr("a grid has all designs"));
    const Study study = parse(head + "explore: {method: latin_hypercube, designs: 12, seed: 9}\n");
    EXPECT_EQ(study.method, Method::latin_hypercube);
    EXPECT_EQ(study.designs, 12U);
    EXPECT_EQ(study.seed, 9U);
}

}  // namespace
}  // namespace nibble
