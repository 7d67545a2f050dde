// SPDX-License-Identifier: MIT
// Several runs side by side: totals, time by cause, energy by component, and layer by layer.
import { amountAxis, endLabel, namesAxis, rowTip } from "../bars.js";
import { figure, legendHeight, legendStyle } from "../chart.js";
import { choice, h, section, table } from "../dom.js";
import { grid } from "../grid.js";
import { causes, components, joules, phases, sumsBy } from "../model.js";
import { bytes, change, percent, ratio, shown, si } from "../text.js";
import { colour } from "../theme.js";

const totals = [
  ["time per step", (run) => run.machine.totals.seconds, (v) => si(v, "s")],
  ["energy per step", (run) => joules(run.machine.totals.energy_pj), (v) => si(v, "J")],
  ["speed-up over its baseline", (run) => run.speedup, ratio],
  ["energy gain over its baseline", (run) => run.energy_gain, ratio],
  ["throughput", (run) => run.machine.totals.samples_per_second, (v) => si(v, "samples/s")],
  ["power", (run) => run.machine.totals.watts, (v) => si(v, "W")],
  ["efficiency", (run) => run.machine.totals.tops_per_watt * 1e12, (v) => si(v, "OPS/W")],
  ["array utilisation", (run) => run.machine.totals.utilization, percent],
  ["DRAM traffic", (run) => run.machine.totals.dram_bytes_read + run.machine.totals.dram_bytes_written, bytes],
  [
    "area",
    (run) => Object.values(run.machine.area_um2).reduce((a, b) => a + b, 0) * 1e-6,
    (v) => `${v.toPrecision(3)} mm²`,
  ],
];

function totalsTable(runs) {
  return table(
    "Totals, and how far they are from the first run's",
    [{ title: "" }, ...runs.map((run) => ({ title: run.title, number: true }))],
    totals.map(([title, value, text]) => [
      title,
      ...runs.map((run, i) => {
        const own = value(run);
        if (own === null || own === undefined) return "–";
        const first = value(runs[0]);
        return [text(own), i > 0 && first ? h("small", {}, ` ${change(own / first - 1)}`) : null];
      }),
    ]),
  );
}

/** A bar a run, as long as its step takes, of parts: {title, colour}; `amount(run, part)` in `symbol`. */
function wholeSteps(runs, { id, title, symbol, parts, amount }) {
  const total = (run) => parts.reduce((sum, part) => sum + amount(run, part), 0);
  const names = parts.map((part) => part.title);
  return figure({
    id,
    title,
    note: "",
    height: ({ width }) => 34 + legendHeight(names, width) + 40 * runs.length,
    describe: () => runs.map((run) => `${run.title}: ${si(total(run), symbol)}`).join("; "),
    option: ({ narrow, width }) => {
      const labels = narrow ? 110 : 150;
      return {
        legend: legendStyle(),
        grid: { left: labels + 10, right: 66, top: legendHeight(names, width), bottom: 30 },
        xAxis: amountAxis(symbol, { splitNumber: width < 800 ? 3 : 6 }),
        yAxis: namesAxis(
          runs.map((run) => run.title),
          labels,
        ),
        tooltip: rowTip((place) => [
          runs[place].title,
          parts.map((part) => [part.title, si(amount(runs[place], part), symbol), colour(part.colour)]),
        ]),
        series: parts.map((part, i) => ({
          type: "bar",
          stack: "t",
          name: part.title,
          barWidth: 18,
          itemStyle: { color: colour(part.colour) },
          data: runs.map((run) => amount(run, part)),
          ...(i === parts.length - 1
            ? { label: endLabel(({ dataIndex }) => si(total(runs[dataIndex]), symbol), "text", 11) }
            : {}),
        })),
      };
    },
    data: () => ({
      columns: [{ title: "part" }, ...runs.map((run) => ({ title: run.title, number: true }))],
      rows: parts.map((part) => [part.title, ...runs.map((run) => si(amount(run, part), symbol))]),
    }),
  });
}

function layersGrid(runs, phase) {
  const layers = new Map();
  runs.forEach((run, i) => {
    for (const sum of sumsBy(run, (op) => op.layer, phase === "" ? undefined : (op) => op.phase === phase)) {
      if (!layers.has(sum.key))
        layers.set(sum.key, { layer: sum.key, place: layers.size, sides: runs.map(() => null) });
      layers.get(sum.key).sides[i] = {
        seconds: run.seconds("machine", sum.machine.cycles),
        energy: joules(sum.machine.energy),
      };
    }
  });
  const of = (i, key) => (row) => row.sides[i]?.[key] ?? null;
  const difference = (i, key) => (row) => (row.sides[0] && row.sides[i] ? row.sides[i][key] - row.sides[0][key] : null);
  const text = (value, unit) => (row) => (value(row) === null ? "–" : si(value(row), unit));
  const signed = (value, unit) => (row) =>
    value(row) === null ? "–" : (value(row) > 0 ? "+" : "") + si(value(row), unit).replace("-", "−");
  const columns = [
    { title: "Layer", value: (row) => row.place, text: (row) => shown(row.layer) },
    ...[
      ["time", "seconds", "s"],
      ["energy", "energy", "J"],
    ].flatMap(([title, key, unit]) => [
      ...runs.map((run, i) => ({
        title: `${i + 1}. ${title}`,
        value: of(i, key),
        text: text(of(i, key), unit),
        number: true,
      })),
      ...runs.slice(1).map((run, i) => ({
        title: `${i + 2} − 1, ${title}`,
        value: difference(i + 1, key),
        text: signed(difference(i + 1, key), unit),
        number: true,
      })),
    ]),
  ];
  return grid({
    id: "comparison-grid",
    caption: "Layer by layer; layers are matched by name",
    what: "layers",
    columns,
    rows: [...layers.values()],
  });
}

export function comparisonSection(runs) {
  const place = h("div", {}, layersGrid(runs, ""));
  const present = phases.filter((phase) => runs.some((run) => run.operations.some((op) => op.phase === phase)));
  return section(
    "comparison",
    "Runs side by side",
    null,
    totalsTable(runs),
    h(
      "div",
      { class: "columns even" },
      wholeSteps(runs, {
        id: "comparison-causes",
        title: "Time by cause",
        symbol: "s",
        parts: causes,
        amount: (run, cause) => run.seconds("machine", run.machine.totals.causes[cause.key]),
      }),
      wholeSteps(runs, {
        id: "comparison-components",
        title: "Energy by component",
        symbol: "J",
        parts: components,
        amount: (run, component) => joules(run.machine.totals.energy[component.key]),
      }),
    ),
    h(
      "div",
      { class: "controls" },
      choice("Phase", [["", "all"], ...present.map((phase) => [phase, phase])], "", (phase) =>
        place.replaceChildren(layersGrid(runs, phase)),
      ),
    ),
    place,
  );
}
