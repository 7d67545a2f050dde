#include <gtest/gtest.h>
#include "tests/support/run_trace.h"
#include "tests/support/test_machine.h"
using namespace nibble;
TEST(Smoke, Runs) {
    const test::TraceFile trace(R"({"nibblesim_trace":1,"name":"t","batch":1}
{"tensor":0,"name":"x","role":"activation","shape":[1,16,14,14]}
{"tensor":1,"name":"w","role":"weight","shape":[32,16,3,3]}
{"tensor":2,"name":"y","role":"activation","shape":[1,32,7,7]}
{"tensor":3,"name":"z","role":"activation","shape":[1,32,7,7]}
{"tensor":4,"name":"dz","role":"gradient","shape":[1,32,7,7]}
{"tensor":5,"name":"dx","role":"gradient","shape":[1,16,14,14]}
{"tensor":6,"name":"dw","role":"weight_gradient","shape":[32,16,3,3]}
{"op":"conv","phase":"forward","layer":"c","group":"g","n":1,"c":16,"h":14,"w":14,"k":32,"r":3,"s":3,"stride":[2,2],"pad":[1,1,1,1],"in":[0,1],"out":[2]}
{"op":"vector","phase":"vector","layer":"r","group":"g","steps":["relu"],"elements":1568,"in":[2],"out":[3]}
{"op":"vector","phase":"vector","layer":"l","group":"g","steps":["relu"],"elements":1568,"in":[3],"out":[4]}
{"op":"conv","phase":"dx","layer":"c","group":"g","n":1,"c":16,"h":14,"w":14,"k":32,"r":3,"s":3,"stride":[2,2],"pad":[1,1,1,1],"in":[4,1],"out":[5]}
{"op":"conv","phase":"dw","layer":"c","group":"g","n":1,"c":16,"h":14,"w":14,"k":32,"r":3,"s":3,"stride":[2,2],"pad":[1,1,1,1],"in":[0,4],"out":[6]}
{"end":{"tensors":7,"operations":5}}
)");
    for (const bool skipping : {true, false}) {
        for (const bool values : {false, true}) {
        std::string s = test::simulate([&] {
            LoweringOptions o; o.recipe = find_recipe("int4-fp4"); o.values = values;
            auto r = test::run_here(trace.path(), test::small_machine(), o, {.skipping = skipping});
            return test::story(r) + fmt::format("edges {}\n", r.summary.edges);
        });
        std::puts(s.c_str());
        }
    }
}
