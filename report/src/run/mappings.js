// SPDX-License-Identifier: MIT
import { choice, h, section } from "../dom.js";
import { grid } from "../grid.js";
import { bytes, change, grouped, percent, shown } from "../text.js";

const all = (counts) => counts.batch * counts.i * counts.j * counts.l;
/** "28 × 64 × 3", with the products in front where a tile could have several. */
const sizes = (mapping, what) =>
  `${mapping.extent.batch > 1 ? `${mapping[what].batch} × ` : ""}` +
  `${mapping[what].i} × ${mapping[what].j} × ${mapping[what].l}`;

const buffers = ({ buffers: { left, right, output } }) => `${left} ${right} ${output}`;

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
  { title: "Stays", value: (op) => op[side].dataflow, text: (op) => op[side].dataflow },
  {
    title: "Tile i × j × l",
    value: (op) => all(op[side].mapping.tile),
    text: (op) => sizes(op[side].mapping, "tile"),
    number: true,
  },
  {
    title: "of",
    value: (op) => all(op[side].mapping.extent),
    text: (op) => sizes(op[side].mapping, "extent"),
    number: true,
  },
  {
    title: "Tiles",
    value: (op) => all(op[side].mapping.tiles),
    text: (op) => grouped(all(op[side].mapping.tiles)),
    number: true,
  },
  { title: "Loops", value: (op) => op[side].mapping.order, text: (op) => shown(op[side].mapping.order, 8) },
  {
    title: "Buffers",
    value: (op) => buffers(op[side].mapping),
    text: (op) => buffers(op[side].mapping),
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
    title: "Util.",
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
      rows: run.operations.filter((op) => op[side].mapping !== null),
      filters: [
        { title: "Phase", value: (op) => op.phase },
        { title: "Dataflow", value: (op) => op[side].dataflow },
      ],
    });
  const place = h("div", {}, tableOf("machine"));
  return section(
    "mappings",
    "Mappings",
    "A tile's rows (i), columns (j) and terms of the reduction (l), of how many there are in all; a convolution is cut " +
      "by rows of images and by channels. Loops from the outermost; tiles of the left operand, the right one and the " +
      "result that have room at once. Cycles expected are of the GEMM alone: in a step it overlaps with its neighbours.",
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
