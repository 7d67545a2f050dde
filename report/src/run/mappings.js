// SPDX-License-Identifier: MIT
import { choice, h, section } from "../dom.js";
import { grid } from "../grid.js";
import { bytes, change, grouped, percent, shown } from "../text.js";

/** "i 28/112, j 64/64, l 3/3 · ijl · 2 2 2" of "i 28 of 112, j 64 of 64, l 3 of 3, order ijl, buffers 2 2 2". */
const brief = (tiling) => tiling.replaceAll(" of ", "/").replace(", order ", " · ").replace(", buffers ", " · ");

const columns = (side) => [
  { title: "GEMM", value: (op) => op.index, text: (op) => shown(op.layer) },
  { title: "Phase", value: (op) => op.phase, text: (op) => op.phase },
  {
    title: "m × n × k",
    value: (op) => op.macs,
    text: (op) => `${op.batch > 1 ? `${op.batch} × ` : ""}${op.m} × ${op.n} × ${op.k}`,
    number: true,
  },
  { title: "Mode", value: (op) => op[side].mode, text: (op) => op[side].mode },
  { title: "Stationary", value: (op) => op[side].dataflow, text: (op) => op[side].dataflow },
  {
    title: "Tiles · loops · buffers",
    value: (op) => op[side].tiling,
    text: (op) => shown(brief(op[side].tiling), 120),
  },
  {
    title: "Expected",
    value: (op) => op[side].predicted_cycles || null,
    number: true,
    text: (op) => (op[side].predicted_cycles ? grouped(op[side].predicted_cycles) : "–"),
  },
  { title: "In the step", value: (op) => op[side].cycles, text: (op) => grouped(op[side].cycles), number: true },
  {
    title: "Off",
    value: (op) => (op[side].predicted_cycles ? op[side].cycles / op[side].predicted_cycles - 1 : null),
    number: true,
    text: (op) => (op[side].predicted_cycles ? change(op[side].cycles / op[side].predicted_cycles - 1) : "–"),
  },
  {
    title: "Utilisation",
    value: (op) => op[side].utilization,
    text: (op) => percent(op[side].utilization),
    number: true,
  },
  {
    title: "DRAM",
    value: (op) => op[side].dram_bytes_read + op[side].dram_bytes_written,
    number: true,
    text: (op) => bytes(op[side].dram_bytes_read + op[side].dram_bytes_written),
  },
];

/** How every GEMM was cut, ordered and buffered. */
export function mappingsSection(run) {
  const tableOf = (side) =>
    grid({
      id: "mappings-grid",
      caption: `Mapping of every GEMM on ${run.sideTitle(side)}`,
      what: "GEMMs",
      columns: columns(side),
      rows: run.operations.filter((op) => op[side].tiling !== ""),
      filters: [
        { title: "Phase", value: (op) => op.phase },
        { title: "Dataflow", value: (op) => op[side].dataflow },
      ],
    });
  const place = h("div", {}, tableOf("machine"));
  return section(
    "mappings",
    "Mappings",
    "Rows (i), columns (j) and reduction (l) of a tile, of how many there are in all (in rows of images where a " +
      "convolution is cut by those); the order of " +
      "loops; tiles of the left operand, the right one and the result that have room at once. " +
      "Cycles expected are of the GEMM alone: in a step it overlaps with its neighbours.",
    run.baseline
      ? h(
          "div",
          { class: "controls" },
          choice(
            "Machine",
            run.sides.map((side) => [side, run.sideTitle(side)]),
            "machine",
            (side) => place.replaceChildren(tableOf(side)),
          ),
        )
      : null,
    place,
  );
}
