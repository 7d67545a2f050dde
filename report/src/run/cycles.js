// SPDX-License-Identifier: MIT
import { section } from "../dom.js";
import { causes } from "../model.js";
import { si } from "../text.js";
import { stackedFigure } from "./stacked.js";

export function cyclesSection(run) {
  // Where both clocks are the same, cycles compare as they are.
  const [unit, symbol, amount, text] = run.sameClock
    ? ["cycles", "", (side, value) => value, (value) => si(value)]
    : ["time", "s", run.seconds, (value) => si(value, "s")];
  return section(
    "cycles",
    "Where the cycles go",
    "Operations retire in order: the cycles of one are those from the end of the one before it to its own end, " +
      "so that they add up to the step.",
    stackedFigure(run, {
      id: "cycles-chart",
      title: run.sameClock ? "Cycles by cause" : "Time by cause",
      note: "",
      parts: causes,
      partsOf: (sum) => sum.causes,
      amount,
      unit,
      symbol,
      text,
    }),
  );
}
