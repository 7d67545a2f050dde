// SPDX-License-Identifier: MIT
import { h, section, table } from "../dom.js";
import { unitOf } from "../model.js";
import { bytes, grouped, percent, shown, si } from "../text.js";

const areaTitles = {
  mac_array: "MAC array",
  accumulators: "accumulators",
  log_gradient: "log-gradient unit",
  vector_unit: "vector unit",
  scratchpad: "scratchpad",
  dma: "DMA",
  sequencer: "sequencer",
};

const sum = (object) => Object.values(object).reduce((a, b) => a + b, 0);
const square = (um2) => (um2 === 0 ? "–" : `${(um2 * 1e-6).toPrecision(3)} mm²`);

function facts(run) {
  const row = (title, text) => [title, ...run.sides.map((side) => text(run[side], side))];
  return table(
    "Machines",
    [{ title: "" }, ...run.sides.map((side) => ({ title: run.sideTitle(side) }))],
    [
      row("recipe", (side) => shown(side.recipe)),
      row("technology", (side) => shown(side.technology)),
      row("clock", (side) => si(1e12 / side.clock_period_ps, "Hz")),
      row("peak", (side) =>
        Object.entries(side.peak_macs_per_second)
          .filter(([, peak]) => peak > 0)
          .map(([mode, peak]) => h("div", {}, `${mode}: ${si(peak, "MAC/s")}`)),
      ),
      row("DRAM", (side) => (side.dram_bytes_per_second === null ? "ideal" : si(side.dram_bytes_per_second, "B/s"))),
      row("scratchpad", (side) => si(side.scratchpad_bytes_per_second, "B/s")),
      row("area", (side) => square(sum(side.area_um2))),
      row(
        "kept on chip",
        (side) =>
          `${grouped(side.on_chip.tensors)} tensors, ${bytes(side.on_chip.load_bytes_spared + side.on_chip.store_bytes_spared)} ` +
          "of DRAM traffic spared",
      ),
      row(
        "done as results drain",
        (side) =>
          `${grouped(side.on_chip.fused_steps)} element-wise steps in ${grouped(side.on_chip.fused_gemms)} GEMMs`,
      ),
    ],
  );
}

function areas(run) {
  return table(
    "Area",
    [
      { title: "part" },
      ...run.sides.flatMap((side) => [
        { title: run.sideTitle(side), number: true },
        { title: "of all", number: true },
      ]),
    ],
    Object.keys(run.machine.area_um2).map((part) => [
      areaTitles[part] ?? part,
      ...run.sides.flatMap((side) => {
        const area = run[side].area_um2[part] ?? 0;
        return [square(area), percent(area / sum(run[side].area_um2))];
      }),
    ]),
  );
}

function activity(run) {
  const classes = [
    ["busy", "busy"],
    ["waiting_for_input", "waits for input"],
    ["waiting_for_output", "waits for output"],
    ["idle", "idle"],
  ];
  return run.sides.map((side) =>
    table(
      `What units did: ${run.sideTitle(side)}`,
      [{ title: "unit" }, ...classes.map(([, title]) => ({ title, number: true }))],
      run[side].units.map(({ unit, cycles }) => [
        unitOf(unit).title,
        ...classes.map(([key]) => percent(cycles[key] / run[side].totals.cycles)),
      ]),
    ),
  );
}

export function machineSection(run) {
  const files = run.sides.filter((side) => run.files[side]);
  return section(
    "machine",
    "Machines",
    null,
    facts(run),
    areas(run),
    h("div", { class: "columns even" }, activity(run)),
    files.map((side) =>
      h(
        "details",
        {},
        h("summary", {}, `Machine file of ${run.sideTitle(side)}`),
        h("pre", { tabindex: 0 }, run.files[side].text),
      ),
    ),
  );
}

export function provenanceSection(run, program) {
  const { provenance } = run;
  const fact = (title, text) => [title, text];
  const rows = [
    fact("program", shown(provenance.program)),
    fact("program's hash", provenance.program_hash || "–"),
    fact("trace", shown(provenance.trace, 200)),
    fact("trace's hash", provenance.trace_hash || "–"),
    fact("result", shown(run.name || "run --report", 200)),
    fact("result's hash", run.result_hash),
    ...run.sides
      .filter((side) => run.files[side])
      .map((side) => fact(`hash of ${run.sideTitle(side)}`, run.files[side].hash)),
    fact("batch", grouped(provenance.batch)),
    fact("phases", provenance.phases.replaceAll(",", ", ")),
    fact("layers", shown(provenance.layers, 200)),
    fact("clock", provenance.clock),
    fact("values", provenance.values ? "carried and checked" : "shapes only"),
    ...(provenance.baseline
      ? [
          fact("baseline", `${provenance.baseline.rule || "a machine of its own"}`),
          fact(
            "how it was made",
            h(
              "ul",
              {},
              provenance.baseline.notes.map((note) => h("li", {}, shown(note, 400))),
            ),
          ),
        ]
      : []),
    fact(
      "simulation",
      run.sides
        .map(
          (side) =>
            `${run.sideTitle(side)}: ${si(run[side].simulation.wall_seconds, "s")}, ` +
            `${grouped(run[side].simulation.edges)} clock edges`,
        )
        .join("; "),
    ),
    fact("page", `${shown(program)}; charts by Apache ECharts (licences in the page's source)`),
  ];
  const sources = provenance.energy_sources.map((source) => {
    const [what, ...why] = source.split(": ");
    return h("li", {}, h("code", {}, shown(what, 200)), " ", shown(why.join(": "), 2000));
  });
  return section(
    "provenance",
    "Provenance",
    "Hashes are 128-bit FNV-1a.",
    table("What was run", [{ title: "" }, { title: "" }], rows, { class: "facts" }),
    h("h3", {}, "Sources of the energy numbers"),
    h("ol", { class: "sources" }, sources),
  );
}
