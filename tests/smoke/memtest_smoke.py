# SPDX-License-Identifier: MIT
"""nibblesim memtest: request files through a memory alone, good ones and bad ones."""

import gzip
import json
import os

import smoke
from smoke import run

DDR4 = ["--standard", "DDR4-2400"]


def stream(count, kinds="R"):
    return "".join(f"0 {kinds[i % len(kinds)]} {64 * i:#x}\n" for i in range(count))


class Memtest(smoke.Case):
    def measured(self, file, *options):
        return json.loads(run("memtest", file, *options, "--json")[0])

    def refused(self, text, *options, problems=1):
        """What the program says of a file with this text."""
        file = text if os.path.sep in text and "\n" not in text else self.write("bad.trace", text)
        out, errors = run("memtest", file, *(options or DDR4), expect=2)
        self.assertEqual(out, "")
        self.assertEqual(len(errors.splitlines()), problems, errors)
        return errors

    def test_figures_agree_with_one_another(self):
        result = self.measured(self.write("mix.trace", stream(3000, "RRW")), *DDR4, "--channels", 1)
        self.assertEqual((result["reads"], result["writes"]), (2000, 1000))
        commands = result["commands"]
        self.assertEqual((commands["RD"], commands["WR"]), (2000, 1000))  # 64 bytes are one burst
        self.assertEqual(result["row_hits"] + result["row_misses"] + result["row_conflicts"], 3000)
        self.assertAlmostEqual(result["bytes_per_cycle"], 64 * 3000 / result["completion_cycles"])
        self.assertAlmostEqual(result["share_of_peak"], result["bytes_per_cycle"] / 16)  # 8 bytes, twice a clock
        self.assertEqual(result["avg_read_latency_cycles"], result["read_latency_cycles"]["mean"])
        for latency in (result["read_latency_cycles"], result["write_latency_cycles"]):
            self.assertLessEqual(latency["p50"], latency["p90"])
            self.assertLessEqual(latency["p90"], latency["p99"])
            self.assertLessEqual(latency["p99"], latency["max"])
        self.assertAlmostEqual(result["energy_pj"] / sum(result["energy_breakdown_pj"].values()), 1)
        self.assertEqual(sum(result["state_cycles"].values()), 2 * result["completion_cycles"])  # two ranks
        self.assertIn("IDD values of a data sheet", result["energy_prices"])
        self.assertIn("DRAMsim3", result["energy_source"])

    def test_compressed_files_are_the_same(self):
        text = stream(500)
        plain = self.measured(self.write("plain.trace", text), *DDR4)
        with gzip.open(self.path("packed.trace.gz"), "wt") as file:
            file.write(text)
        packed = self.measured(self.path("packed.trace.gz"), *DDR4)
        del plain["file"], packed["file"]
        self.assertEqual(plain, packed)

    def test_every_standard_works_as_it_is_and_says_where_its_prices_come_from(self):
        file = self.write("stream.trace", stream(200))
        names = run("memtest", file, "--standard", "none", expect=2)[1].split("there are: ")[1].split(", ")
        self.assertGreaterEqual(len(names), 6)
        for name in names:
            text, _ = run("memtest", file, "--standard", name.strip())
            for word in [name.strip(), "completion", "bandwidth", "Latency", "Commands", "Energy", "prices:", "source:"]:
                self.assertIn(word, text)
            self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_options_reach_the_memory(self):
        file = self.write("stream.trace", stream(200, "RW"))
        memory = self.measured(file, *DDR4, "--channels", 4, "--ranks", 1, "--address-mapping", "ro-ba-ra-bg-co-ch",
                               "--page", "timeout:50", "--read-queue", 48, "--write-queue", 24, "--write-watermarks",
                               "20:4")["memory"]
        for key, value in {"channels": 4, "ranks": 1, "address_mapping": "ro-ba-ra-bg-co-ch", "page": "timeout:50",
                           "read_queue_entries": 48, "write_queue_entries": 24, "write_high_watermark": 20,
                           "write_low_watermark": 4, "refresh": "all-bank", "capacity_bytes": 4 * 8 << 30}.items():
            self.assertEqual(memory[key], value, key)
        self.assertEqual(self.measured(file, "--standard", "LPDDR5-6400", "--refresh", "per-bank")["memory"]["refresh"],
                         "per-bank")

    def test_a_closed_page_hits_nothing(self):
        apart = self.write("apart.trace", "".join(f"{500 * i} R {64 * i:#x}\n" for i in range(50)))
        self.assertEqual(self.measured(apart, *DDR4, "--page", "closed")["row_hits"], 0)
        # Rows in 4 bank groups of 2 channels, each opened at the start and after each of 2 refreshes.
        self.assertEqual(self.measured(apart, *DDR4, "--page", "open")["row_hits"], 50 - 4 * 2 * 3)

    def test_silence_takes_no_time(self):
        file = self.write("far.trace", "0 R 0x0\n1000000000000000000 R 0x0\n")
        self.assertGreater(self.measured(file, *DDR4)["completion_cycles"], 10**18)

    def test_bad_files(self):
        errors = self.refused("0 R 0x0\n7 Q 0x41\n5 R\n", problems=3)
        path = self.path("bad.trace")
        self.assertIn(f"{path}:2:3: expected R or W, found 'Q'", errors)
        self.assertIn(f"{path}:2:5: address: expected a multiple of 64, found '0x41'", errors)
        self.assertIn(f"{path}:3:4: expected 'CYCLE R|W 0xADDRESS', found nothing after 'R'", errors)
        self.assertIn(":2:1: cycle: expected at least 9", self.refused("9 R 0x0\n8 R 0x0\n"))
        self.assertIn("found no request", self.refused(""))
        self.assertIn("found no request", self.refused("\n\n"))
        self.assertIn("no request file", self.refused("x" * (4 << 20)))
        self.refused("\0" * (4 << 20))
        errors = self.refused("0 R 0x800000000\n", *DDR4)  # 32 GiB
        self.assertIn("lies beyond the 32.0 GiB of 2 channels of DDR4-2400 with 2 ranks; --channels 3 would hold it",
                      errors)
        run("memtest", self.write("big.trace", "0 R 0x800000000\n"), *DDR4, "--channels", 3)
        self.assertIn("no memory of this standard", self.refused("0 R 0xffffffffffffffc0\n", *DDR4))

    def test_files_that_cannot_be_read(self):
        self.assertIn("missing", self.refused(self.path("missing")))
        self.refused(self.directory)
        with open(self.path("cut.gz"), "wb") as file:
            file.write(gzip.compress(stream(5000).encode())[:-2000])
        self.assertIn("cut.gz", self.refused(self.path("cut.gz")))

    def test_bad_flags(self):
        good = self.write("good.trace", stream(3))
        for flags, words in [
                (["--standard", "DDR4-240"], "did you mean 'DDR4-2400'?"),
                ([*DDR4, "--channels", 0], "--channels: expected 1 to 1024"),
                ([*DDR4, "--ranks", 3], "--ranks: expected"),
                ([*DDR4, "--page", "opne"], "did you mean 'open'?"),
                ([*DDR4, "--page", "timeout:0"], "--page: expected timeout:N"),
                ([*DDR4, "--refresh", "sometimes"], "--refresh: expected all-bank or per-bank"),
                ([*DDR4, "--refresh", "per-bank"], "--refresh"),
                ([*DDR4, "--address-mapping", "ro-ch-ra-ba-bg"], "--address-mapping"),
                ([*DDR4, "--write-watermarks", "32"], "--write-watermarks: expected HIGH:LOW"),
                ([*DDR4, "--write-watermarks", "4:8"], "--write-low-watermark: expected less"),
                ([*DDR4, "--read-queue", 100000], "--read-queue"),
                ([*DDR4, "--chanels", 2], "did you mean '--channels'?"),
        ]:
            errors = self.refused(good, *flags)
            self.assertIn(words, errors)
        run("memtest", good, expect=2)


if __name__ == "__main__":
    smoke.main()
