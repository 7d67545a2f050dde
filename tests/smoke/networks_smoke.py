# SPDX-License-Identifier: MIT
"""Whole training steps of real networks run on the presets; every run checks its own conservation laws."""

import json

import smoke

# Multiply-accumulates of one forward pass of one image or sequence, from the literature (He et al. 2016; Sandler et al.
# 2018; torchvision counts a multiplication and an addition as one).
PUBLISHED_FORWARD = {"resnet18": 1.81e9, "resnet50": 4.09e9, "mobilenet_v2": 0.30e9}


class Networks(smoke.Case):
    def step(self, network, machine):
        out, _ = smoke.run("run", network, "--batch", "1", "--machine", machine, "--json")
        return json.loads(out)

    def test_networks_run_on_the_presets(self):
        for machine in ("edge-int4", "server-int4"):
            for network in ("resnet18", "resnet50", "mobilenet_v2", "lstm-ptb"):
                with self.subTest(network=network, machine=machine):
                    result = self.step(network, machine)
                    self.assertGreater(result["speedup"], 1.0)
                    self.assertLess(result["speedup"], result["paper_speedup"])
                    if network in PUBLISHED_FORWARD:
                        forward = sum(op["macs"] for op in result["ops"] if op["phase"] == "forward")
                        self.assertAlmostEqual(forward / PUBLISHED_FORWARD[network], 1.0, delta=0.01)


if __name__ == "__main__":
    smoke.main()
