// SPDX-License-Identifier: MIT
// The data of a page as charts and tables want them.
import { shown } from "./text.js";

export const causes = [
  { key: "compute", title: "array streams", colour: "p1" },
  { key: "fill_drain", title: "fill and drain", colour: "p2" },
  { key: "gradient_conversion", title: "gradient conversion", colour: "p3" },
  { key: "vector", title: "element-wise work", colour: "p4" },
  { key: "memory", title: "waiting for DRAM", colour: "p5" },
  { key: "control", title: "control", colour: "p7" },
];

export const components = [
  { key: "mac_array", title: "MAC array", colour: "p1" },
  { key: "log_gradient", title: "log-gradient unit", colour: "p3" },
  { key: "vector_unit", title: "vector unit", colour: "p4" },
  { key: "scratchpad", title: "scratchpad", colour: "p6" },
  { key: "dma", title: "DMA", colour: "p2" },
  { key: "dram", title: "DRAM", colour: "p5" },
  { key: "sequencer", title: "sequencer", colour: "p7" },
  { key: "static", title: "leakage", colour: "p8" },
];

export const units = [
  { key: "mac_array", title: "MAC array", colour: "p1" },
  { key: "vector_unit", title: "vector unit", colour: "p4" },
  { key: "log_gradient", title: "log-gradient unit", colour: "p3" },
  { key: "scratchpad", title: "scratchpad", colour: "p6" },
  { key: "dram", title: "DRAM", colour: "p5" },
  { key: "load", title: "load", colour: "p2" },
  { key: "store", title: "store", colour: "p2" },
  { key: "sequencer", title: "sequencer", colour: "p7" },
];

/** A unit's title and colour; its own name if it is not known here. */
export const unitOf = (key) => units.find((unit) => unit.key === key) ?? { key, title: key, colour: "p7" };

export const phases = ["forward", "dx", "dw", "vector", "update"];

/** Joules of what result.json calls energy_pj. */
export const joules = (picojoules) => picojoules * 1e-12;

const measured = [
  "mode",
  "dataflow",
  "cycles",
  "utilization",
  "energy_pj",
  "dram_bytes_read",
  "dram_bytes_written",
  "scratchpad_bytes",
  "predicted_cycles",
];

function unpackOperations({ columns, text_columns: textColumns, texts, rows }) {
  const place = new Map(columns.map((name, i) => [name, i]));
  const isText = new Set(textColumns);
  const value = (row, name) => (isText.has(name) ? texts[row[place.get(name)]] : row[place.get(name)]);
  const side = (row, prefix) => ({
    ...Object.fromEntries(measured.map((name) => [name, value(row, prefix + name)])),
    mapping: value(row, `${prefix}mapping`),
    causes: causes.map(({ key }) => value(row, `${prefix}causes.${key}`)),
    energy: components.map(({ key }) => value(row, `${prefix}energy.${key}`)),
  });
  const withBaseline = place.has("baseline.cycles");
  return rows.map((row) => ({
    ...Object.fromEntries(
      ["index", "layer", "group", "phase", "kind", "batch", "m", "n", "k", "macs"].map((name) => [
        name,
        value(row, name),
      ]),
    ),
    machine: side(row, ""),
    baseline: withBaseline ? side(row, "baseline.") : null,
  }));
}

/** A run, with its operations unpacked and titles for it and its two machines. */
export function runModel(data, place, several) {
  const network = shown(data.provenance.network || "step");
  const run = { ...data, operations: unpackOperations(data.ops), network };
  run.title = `${several ? `${place + 1}. ` : ""}${network} on ${shown(data.machine.name)}`;
  run.sides = ["machine", ...(data.baseline ? ["baseline"] : [])];
  run.sideTitle = (side) => shown(run[side].name);
  run.seconds = (side, cycles) => cycles * run[side].clock_period_ps * 1e-12;
  // Cycles are compared where they are the same time, seconds otherwise.
  run.sameClock = !data.baseline || data.baseline.clock_period_ps === data.machine.clock_period_ps;
  return run;
}

const nothing = () => ({ cycles: 0, energy: 0, causes: causes.map(() => 0), components: components.map(() => 0) });

function addTo(sum, side) {
  sum.cycles += side.cycles;
  sum.energy += side.energy_pj;
  side.causes.forEach((value, i) => {
    sum.causes[i] += value;
  });
  side.energy.forEach((value, i) => {
    sum.components[i] += value;
  });
}

/** Sums of operations by a key, in order of first appearance: [{key, machine, baseline}]. */
export function sumsBy(run, keyOf, keep = () => true) {
  const sums = new Map();
  for (const operation of run.operations) {
    if (!keep(operation)) continue;
    const key = keyOf(operation);
    if (!sums.has(key)) sums.set(key, { key, machine: nothing(), baseline: nothing() });
    for (const side of run.sides) addTo(sums.get(key)[side], operation[side]);
  }
  return [...sums.values()];
}

/** The `most` largest sums in their order, and all others as one. */
export function largest(sums, most, sizeOf) {
  if (sums.length <= most) return sums;
  const kept = new Set([...sums].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, most - 1));
  const others = { key: null, machine: nothing(), baseline: nothing(), count: 0 };
  for (const sum of sums) {
    if (kept.has(sum)) continue;
    others.count += 1;
    for (const side of ["machine", "baseline"]) {
      others[side].cycles += sum[side].cycles;
      others[side].energy += sum[side].energy;
      sum[side].causes.forEach((value, i) => {
        others[side].causes[i] += value;
      });
      sum[side].components.forEach((value, i) => {
        others[side].components[i] += value;
      });
    }
  }
  return [...sums.filter((sum) => kept.has(sum)), others];
}
