// SPDX-License-Identifier: MIT
// What a reader wants to know first: how much faster, on how much less energy, and where the promise went.
import { amountAxis, namesAxis } from "../bars.js";
import { axisStyle, figure, legendHeight, legendStyle, textStyle, tip } from "../chart.js";
import { h, section } from "../dom.js";
import { causes, components, joules } from "../model.js";
import { percent, ratio, si } from "../text.js";
import { colour } from "../theme.js";

/** A number with its name; `key` and `exact` are for scripts that read the page. */
function tile(title, key, exact, text, besides) {
  const [number, unit] = text.split(" ");
  return h(
    "div",
    { class: "tile" },
    h("dt", {}, title),
    h(
      "dd",
      {},
      h("strong", { "data-key": key, "data-value": exact }, number, unit ? h("small", {}, ` ${unit}`) : null),
      besides ? h("span", {}, besides) : null,
    ),
  );
}

function tiles(run) {
  const { totals } = run.machine;
  const other = run.baseline?.totals;
  const against = (text) => (other ? `baseline ${text(other)}` : null);
  return h(
    "dl",
    { class: "tiles" },
    other
      ? tile("Speed-up", "speedup", run.speedup, ratio(run.speedup), `${ratio(run.promised_speedup)} at peak`)
      : null,
    other ? tile("Energy gain", "energy_gain", run.energy_gain, ratio(run.energy_gain), "less energy a step") : null,
    tile(
      "Time per step",
      "totals.seconds",
      totals.seconds,
      si(totals.seconds, "s"),
      against((o) => si(o.seconds, "s")),
    ),
    tile(
      "Energy per step",
      "totals.energy_pj",
      totals.energy_pj,
      si(joules(totals.energy_pj), "J"),
      against((o) => si(joules(o.energy_pj), "J")),
    ),
    tile(
      "Power",
      "totals.watts",
      totals.watts,
      si(totals.watts, "W"),
      against((o) => si(o.watts, "W")),
    ),
    tile(
      "Efficiency",
      "totals.tops_per_watt",
      totals.tops_per_watt,
      si(totals.tops_per_watt * 1e12, "OPS/W"),
      against((o) => si(o.tops_per_watt * 1e12, "OPS/W")),
    ),
    tile(
      "Array utilisation",
      "totals.utilization",
      totals.utilization,
      percent(totals.utilization),
      against((o) => percent(o.utilization)),
    ),
  );
}

function waterfall(run) {
  const steps = run.waterfall;
  const ends = (i) => (i === 0 ? [0, steps[0].speedup] : [steps[i - 1].speedup, steps[i].speedup]);
  const rows = [
    ...steps.map((step, i) => ({ title: step.what, factor: step.factor, speedup: step.speedup, ends: ends(i) })),
    { title: "measured", factor: null, speedup: run.speedup, ends: [0, run.speedup] },
  ];
  const shade = (row, i) =>
    i === 0
      ? colour("p7")
      : row.factor === null
        ? colour("machine")
        : row.ends[1] < row.ends[0]
          ? colour("loss")
          : colour("gain");
  return figure({
    id: "waterfall",
    title: "From the promise to the measured speed-up",
    note: "Each step multiplies what the one above left; above 1, the baseline loses more.",
    height: 366,
    describe: () => `Waterfall: ${rows.map((row) => `${row.title} ${ratio(row.speedup)}`).join(", ")}`,
    option: ({ narrow }) => ({
      grid: { left: narrow ? 118 : 172, right: narrow ? 46 : 60, top: 6, bottom: 26 },
      xAxis: axisStyle({ type: "value", axisLabel: { formatter: (v) => `${v}×` } }),
      yAxis: namesAxis(
        rows.map((row) => row.title),
        narrow ? 108 : 162,
      ),
      tooltip: {
        trigger: "item",
        confine: true,
        formatter: ({ dataIndex: i }) =>
          tip(rows[i].title, [
            ...(rows[i].factor === null ? [] : [["factor", rows[i].factor.toFixed(3)]]),
            ["speed-up left", ratio(rows[i].speedup)],
          ]),
      },
      series: [
        {
          type: "bar",
          stack: "w",
          silent: true,
          itemStyle: { color: "transparent" },
          data: rows.map((row) => Math.min(...row.ends)),
        },
        {
          type: "bar",
          stack: "w",
          barWidth: "62%",
          data: rows.map((row, i) => ({
            value: Math.max(Math.abs(row.ends[1] - row.ends[0]), 0.004 * steps[0].speedup),
            itemStyle: { color: shade(row, i) },
          })),
          label: {
            show: true,
            position: "right",
            ...textStyle(11),
            formatter: ({ dataIndex: i }) =>
              i === 0 || rows[i].factor === null
                ? ratio(rows[i].speedup)
                : narrow
                  ? ratio(rows[i].speedup)
                  : `× ${rows[i].factor.toFixed(2)}  →  ${ratio(rows[i].speedup)}`,
          },
        },
      ],
    }),
    data: () => ({
      columns: [{ title: "step" }, { title: "factor", number: true }, { title: "speed-up left", number: true }],
      rows: rows.map((row) => [row.title, row.factor === null ? "" : row.factor.toFixed(4), ratio(row.speedup)]),
    }),
  });
}

/** One bar a machine, as long as what the step takes, of parts: {title, colour, amount(side)}. */
function wholeStep(run, { id, title, note, parts, unit }) {
  const total = (side) => parts.reduce((sum, part) => sum + part.amount(side), 0);
  const longest = Math.max(...run.sides.map(total));
  const names = parts.map((part) => part.title);
  return figure({
    id,
    title,
    note,
    height: ({ width }) => legendHeight(names, width) + 26 + 47 * run.sides.length,
    describe: () =>
      run.sides
        .map(
          (side) =>
            `${run.sideTitle(side)}: ${parts
              .map((part) => `${part.title} ${percent(part.amount(side) / total(side))}`)
              .join(", ")}`,
        )
        .join(". "),
    option: ({ width }) => ({
      legend: legendStyle(),
      grid: { left: 4, right: 22, top: legendHeight(names, width), bottom: 24 },
      xAxis: amountAxis(unit, { splitNumber: 4 }),
      yAxis: {
        ...namesAxis(
          run.sides.map((side) => run.sideTitle(side)),
          330,
          { inside: true, verticalAlign: "bottom", padding: [0, 0, 14, -4], overflow: "truncate" },
        ),
        z: 5,
      },
      tooltip: {
        trigger: "item",
        confine: true,
        formatter: ({ name, seriesIndex, dataIndex, color }) => {
          const [side, part] = [run.sides[dataIndex], parts[seriesIndex]];
          return tip(name, [
            [part.title, si(part.amount(side), unit), color],
            ["of the step", percent(part.amount(side) / total(side))],
          ]);
        },
      },
      series: parts.map((part) => ({
        type: "bar",
        stack: "t",
        name: part.title,
        barWidth: 20,
        itemStyle: { color: colour(part.colour) },
        data: run.sides.map((side) => ({ value: part.amount(side), label: { position: "inside" } })),
        label: {
          show: true,
          ...textStyle(11, "on-bar"),
          formatter: ({ dataIndex }) => {
            const amount = part.amount(run.sides[dataIndex]);
            return amount / longest > 0.08 ? percent(amount / total(run.sides[dataIndex])) : "";
          },
        },
      })),
    }),
    data: () => ({
      columns: [
        { title: "part" },
        ...run.sides.flatMap((side) => [
          { title: run.sideTitle(side), number: true },
          { title: "of all", number: true },
        ]),
      ],
      rows: parts.map((part) => [
        part.title,
        ...run.sides.flatMap((side) => [si(part.amount(side), unit), percent(part.amount(side) / total(side))]),
      ]),
    }),
  });
}

const timeFigure = (run) =>
  wholeStep(run, {
    id: "causes",
    title: "Where the time went",
    note: "",
    unit: "s",
    parts: causes.map((cause) => ({
      ...cause,
      amount: (side) => run.seconds(side, run[side].totals.causes[cause.key]),
    })),
  });

const energyFigure = (run) =>
  wholeStep(run, {
    id: "components",
    title: "Where the energy went",
    note: "",
    unit: "J",
    parts: components.map((component) => ({
      ...component,
      amount: (side) => joules(run[side].totals.energy[component.key]),
    })),
  });

export function summarySection(run) {
  return section(
    "summary",
    "Summary",
    null,
    tiles(run),
    h(
      "div",
      { class: "columns" },
      run.waterfall.length > 0 ? waterfall(run) : null,
      h("div", { class: "stack" }, timeFigure(run), energyFigure(run)),
    ),
  );
}
