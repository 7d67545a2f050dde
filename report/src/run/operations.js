// SPDX-License-Identifier: MIT
import { section } from "../dom.js";
import { grid } from "../grid.js";
import { causes, joules } from "../model.js";
import { bytes, grouped, percent, ratio, shown, si } from "../text.js";

const mainCause = (part) => causes[part.causes.indexOf(Math.max(...part.causes))].title;

export function operationsSection(run) {
  const total = run.machine.totals.cycles;
  const speedup = (op) =>
    op.machine.cycles > 0
      ? run.seconds("baseline", op.baseline.cycles) / run.seconds("machine", op.machine.cycles)
      : NaN;
  const columns = [
    { title: "#", value: (op) => op.index, text: (op) => String(op.index), number: true },
    { title: "Layer", value: (op) => op.layer, text: (op) => shown(op.layer) },
    { title: "Group", value: (op) => op.group, text: (op) => shown(op.group) },
    { title: "Phase", value: (op) => op.phase, text: (op) => op.phase },
    { title: "Kind", value: (op) => op.kind, text: (op) => op.kind },
    { title: "Mode", value: (op) => op.machine.mode, text: (op) => op.machine.mode },
    { title: "MACs", value: (op) => op.macs, text: (op) => si(op.macs), number: true },
    { title: "Cycles", value: (op) => op.machine.cycles, text: (op) => grouped(op.machine.cycles), number: true },
    {
      title: "Share",
      value: (op) => op.machine.cycles,
      text: (op) => percent(op.machine.cycles / total),
      number: true,
    },
    ...(run.baseline
      ? [
          {
            title: "Baseline",
            value: (op) => op.baseline.cycles,
            text: (op) => grouped(op.baseline.cycles),
            number: true,
          },
          { title: "Speed-up", value: speedup, text: (op) => ratio(speedup(op)), number: true },
        ]
      : []),
    {
      title: "Util.",
      value: (op) => op.machine.utilization,
      text: (op) => percent(op.machine.utilization),
      number: true,
    },
    {
      title: "Energy",
      value: (op) => op.machine.energy_pj,
      text: (op) => si(joules(op.machine.energy_pj), "J"),
      number: true,
    },
    ...(run.baseline
      ? [
          {
            title: "Energy gain",
            value: (op) => op.baseline.energy_pj / op.machine.energy_pj,
            text: (op) => ratio(op.baseline.energy_pj / op.machine.energy_pj),
            number: true,
          },
        ]
      : []),
    {
      title: "DRAM",
      value: (op) => op.machine.dram_bytes_read + op.machine.dram_bytes_written,
      number: true,
      text: (op) => bytes(op.machine.dram_bytes_read + op.machine.dram_bytes_written),
    },
    { title: "Main cause", value: (op) => mainCause(op.machine), text: (op) => mainCause(op.machine) },
  ];
  return section(
    "operations",
    "All operations",
    null,
    grid({
      id: "operations-grid",
      caption: `Operations of the step on ${run.sideTitle("machine")}`,
      what: "operations",
      columns,
      rows: run.operations,
      filters: [
        { title: "Phase", value: (op) => op.phase },
        { title: "Mode", value: (op) => op.machine.mode },
        { title: "Main cause", value: (op) => mainCause(op.machine) },
      ],
    }),
  );
}
