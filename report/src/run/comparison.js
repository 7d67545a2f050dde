// SPDX-License-Identifier: MIT
// Several runs side by side: totals, time by cause, and layer by layer.
import { axisStyle, figure, legendHeight, legendStyle, textStyle, tip } from "../chart.js";
import { choice, h, section, table } from "../dom.js";
import { grid } from "../grid.js";
import { causes, joules, phases, sumsBy } from "../model.js";
import { axis, bytes, change, percent, ratio, shown, si } from "../text.js";
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

function causesFigure(runs) {
  const seconds = (run, cause) => run.seconds("machine", run.machine.totals.causes[cause.key]);
  return figure({
    id: "comparison-causes",
    title: "Time by cause",
    note: "",
    height: ({ width }) =>
      34 +
      legendHeight(
        causes.map((cause) => cause.title),
        width,
      ) +
      40 * runs.length,
    describe: () => runs.map((run) => `${run.title}: ${si(run.machine.totals.seconds, "s")}`).join("; "),
    option: ({ narrow, width }) => ({
      legend: legendStyle(),
      grid: {
        left: narrow ? 120 : 210,
        right: 70,
        top: legendHeight(
          causes.map((cause) => cause.title),
          width,
        ),
        bottom: 30,
      },
      xAxis: axisStyle({
        type: "value",
        splitNumber: narrow ? 3 : 6,
        axisLabel: { formatter: (v) => axis(v, "s"), hideOverlap: true },
      }),
      yAxis: axisStyle({
        type: "category",
        inverse: true,
        data: runs.map((run) => run.title),
        splitLine: { show: false },
        axisLabel: { width: narrow ? 110 : 200, overflow: "break", color: colour("text") },
      }),
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "shadow" },
        confine: true,
        formatter: ([{ dataIndex }]) =>
          tip(
            runs[dataIndex].title,
            causes.map((cause) => [cause.title, si(seconds(runs[dataIndex], cause), "s"), colour(cause.colour)]),
          ),
      },
      series: causes.map((cause, i) => ({
        type: "bar",
        stack: "t",
        name: cause.title,
        barWidth: 18,
        itemStyle: { color: colour(cause.colour) },
        data: runs.map((run) => seconds(run, cause)),
        ...(i === causes.length - 1
          ? {
              label: {
                show: true,
                position: "right",
                ...textStyle(11),
                formatter: ({ dataIndex }) => si(runs[dataIndex].machine.totals.seconds, "s"),
              },
            }
          : {}),
      })),
    }),
    data: () => ({
      columns: [{ title: "cause" }, ...runs.map((run) => ({ title: run.title, number: true }))],
      rows: causes.map((cause) => [cause.title, ...runs.map((run) => si(seconds(run, cause), "s"))]),
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
    causesFigure(runs),
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
