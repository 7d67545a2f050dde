// SPDX-License-Identifier: MIT
#include "sim/import/pytorch/aten_table.h"

#include <gmock/gmock.h>

#include "models/vector_unit/vector_function.h"

namespace nibble {
namespace {

TEST(AtenTable, FindsOperatorsByTheirFullName) {
    ASSERT_NE(find_aten_operator("aten::addmm"), nullptr);
    EXPECT_EQ(find_aten_operator("aten::addmm")->rule, AtenRule::addmm);
    EXPECT_EQ(find_aten_operator("addmm"), nullptr);
    EXPECT_EQ(find_aten_operator("aten::"), nullptr);
    EXPECT_EQ(find_aten_operator("aten::addmmm"), nullptr);
}

TEST(AtenTable, EveryRuleForAPassNamesAFunctionOfTheVectorUnit) {
    for (const AtenOperator& op : aten_operators()) {
        if (!op.function.empty()) {
            EXPECT_NE(find_vector_function(op.function), nullptr) << op.name << " names " << op.function;
        }
        const bool works = op.treatment == CallTreatment::taken && op.rule == AtenRule::nothing;
        EXPECT_FALSE(works) << op.name << " is taken and nothing becomes of it";
    }
}

TEST(AtenTable, NothingIsLeftOutWithoutAReason) {
    EXPECT_NE(reason_to_leave_out("c10d::allreduce_"), nullptr);
    EXPECT_NE(reason_to_leave_out("triton_poi_fused_0"), nullptr);
    EXPECT_EQ(reason_to_leave_out("aten::addmm"), nullptr);
    EXPECT_EQ(treatment_of("c10d::allreduce_"), CallTreatment::unknown);
}

}  // namespace
}  // namespace nibble
