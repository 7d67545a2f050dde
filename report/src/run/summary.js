// SPDX-License-Identifier: MIT
// What a reader wants to know first: how much faster, on how much less energy, and where the promise went.
import { axisStyle, figure, legendStyle, textStyle, tip } from "../chart.js";
import { h, section } from "../dom.js";
import { causes, joules } from "../model.js";
import { axis, grouped, percent, ratio, si } from "../text.js";
import { colour } from "../theme.js";

/** A number with its name; `key` and `exact` are for scripts that read the page. */
function tile(title, key, exact, text, besides) {
  return h("div", { class: "tile" }, h("dt", {}, title),
    h("dd", {}, h("strong", { "data-key": key, "data-value": exact }, text), besides ? h("span", {}, besides) : null));
}

function tiles(run) {
  const { totals } = run.machine;
  const other = run.baseline?.totals;
  const against = (text) => (other ? `baseline ${text(other)}` : null);
  return h("dl", { class: "tiles" },
    other ? tile("Speed-up", "speedup", run.speedup, ratio(run.speedup), `${ratio(run.promised_speedup)} at peak`) : null,
    other ? tile("Energy gain", "energy_gain", run.energy_gain, ratio(run.energy_gain), "less energy a step") : null,
    tile("Time per step", "totals.seconds", totals.seconds, si(totals.seconds, "s"), against((o) => si(o.seconds, "s"))),
    tile("Energy per step", "totals.energy_pj", totals.energy_pj, si(joules(totals.energy_pj), "J"),
      against((o) => si(joules(o.energy_pj), "J"))),
    tile("Power", "totals.watts", totals.watts, si(totals.watts, "W"), against((o) => si(o.watts, "W"))),
    tile("Efficiency", "totals.tops_per_watt", totals.tops_per_watt, si(totals.tops_per_watt * 1e12, "OPS/W"),
      against((o) => si(o.tops_per_watt * 1e12, "OPS/W"))),
    tile("Array utilisation", "totals.utilization", totals.utilization, percent(totals.utilization),
      against((o) => percent(o.utilization))));
}

function waterfall(run) {
  const steps = run.waterfall;
  const ends = (i) => (i === 0 ? [0, steps[0].speedup] : [steps[i - 1].speedup, steps[i].speedup]);
  const rows = [...steps.map((step, i) => ({ title: step.what, factor: step.factor, speedup: step.speedup, ends: ends(i) })),
    { title: "measured", factor: null, speedup: run.speedup, ends: [0, run.speedup] }];
  const shade = (row, i) => (i === 0 ? colour("baseline") : row.factor === null ? colour("machine")
    : row.ends[1] < row.ends[0] ? colour("loss") : colour("gain"));
  return figure({
    id: "waterfall",
    title: "From the promise to the measured speed-up",
    note: "Each step multiplies the speed-up that the step above left. A factor above 1 is one where the baseline loses more.",
    height: 330,
    describe: () => `Waterfall: ${rows.map((row) => `${row.title} ${ratio(row.speedup)}`).join(", ")}`,
    option: ({ narrow }) => ({
      grid: { left: narrow ? 118 : 172, right: narrow ? 84 : 118, top: 6, bottom: 26 },
      xAxis: axisStyle({ type: "value", axisLabel: { formatter: (v) => `${v}×` } }),
      yAxis: axisStyle({ type: "category", inverse: true, data: rows.map((row) => row.title), splitLine: { show: false },
        axisLabel: { width: narrow ? 108 : 162, overflow: "break", lineHeight: 12, color: colour("text") } }),
      tooltip: { trigger: "item", confine: true, formatter: ({ dataIndex: i }) => tip(rows[i].title, [
        ...(rows[i].factor === null ? [] : [["factor", rows[i].factor.toFixed(3)]]), ["speed-up left", ratio(rows[i].speedup)]]) },
      series: [
        { type: "bar", stack: "w", silent: true, itemStyle: { color: "transparent" }, data: rows.map((row) => Math.min(...row.ends)) },
        { type: "bar", stack: "w", barWidth: "62%", data: rows.map((row, i) => ({
          value: Math.max(Math.abs(row.ends[1] - row.ends[0]), 0.004 * steps[0].speedup), itemStyle: { color: shade(row, i) } })),
        label: { show: true, position: "right", ...textStyle(11), formatter: ({ dataIndex: i }) =>
          (i === 0 || rows[i].factor === null ? ratio(rows[i].speedup)
            : narrow ? ratio(rows[i].speedup) : `× ${rows[i].factor.toFixed(2)}  →  ${ratio(rows[i].speedup)}`) } },
      ],
    }),
    data: () => ({ columns: [{ title: "step" }, { title: "factor", number: true }, { title: "speed-up left", number: true }],
      rows: rows.map((row) => [row.title, row.factor === null ? "" : row.factor.toFixed(4), ratio(row.speedup)]) }),
  });
}

function whereCyclesWent(run) {
  const total = (side) => run[side].totals;
  const share = (side, cause) => total(side).causes[cause.key] / total(side).cycles;
  return figure({
    id: "causes",
    title: "Where the time went",
    note: "Every cycle has one cause. Bars are as long as the step takes.",
    height: run.baseline ? 210 : 150,
    describe: () => run.sides.map((side) => `${run.sideTitle(side)}: ${causes.map((cause) =>
      `${cause.title} ${percent(share(side, cause))}`).join(", ")}`).join(". "),
    option: () => ({
      legend: legendStyle(),
      grid: { left: 4, right: 18, top: 66, bottom: 24 },
      xAxis: axisStyle({ type: "value", axisLabel: { formatter: (v) => axis(v, "s"), hideOverlap: true }, splitNumber: 4 }),
      yAxis: axisStyle({ type: "category", inverse: true, data: run.sides.map((side) => run.sideTitle(side)),
        splitLine: { show: false }, axisLabel: { inside: true, verticalAlign: "bottom", padding: [0, 0, run.baseline ? 20 : 26, -4],
          color: colour("text"), width: 330, overflow: "truncate" }, z: 5 }),
      tooltip: { trigger: "item", confine: true, formatter: ({ name, seriesIndex, dataIndex, color }) => {
        const side = run.sides[dataIndex];
        const cycles = total(side).causes[causes[seriesIndex].key];
        return tip(name, [[causes[seriesIndex].title, si(run.seconds(side, cycles), "s"), color], ["of the step",
          percent(share(side, causes[seriesIndex]))], ["cycles", grouped(cycles)]]);
      } },
      series: causes.map((cause) => ({ type: "bar", stack: "t", name: cause.title, barWidth: 22, itemStyle: { color: colour(cause.colour) },
        data: run.sides.map((side) => run.seconds(side, total(side).causes[cause.key])),
        label: { show: true, ...textStyle(11, "on-bar"), formatter: ({ dataIndex }) => {
          const part = share(run.sides[dataIndex], cause);
          const length = run.seconds(run.sides[dataIndex], total(run.sides[dataIndex]).causes[cause.key])
            / Math.max(...run.sides.map((side) => total(side).seconds));
          return length > 0.08 ? percent(part) : "";
        } } })),
    }),
    data: () => ({ columns: [{ title: "cause" }, ...run.sides.flatMap((side) => [
      { title: `cycles, ${run.sideTitle(side)}`, number: true }, { title: "of all", number: true }])],
    rows: causes.map((cause) => [cause.title, ...run.sides.flatMap((side) =>
      [grouped(total(side).causes[cause.key]), percent(share(side, cause))])]) }),
  });
}

export function summarySection(run) {
  const lead = run.baseline
    ? `${run.sideTitle("machine")} takes ${si(run.machine.totals.seconds, "s")} and ${si(joules(run.machine.totals.energy_pj), "J")} for the step, `
      + `${run.sideTitle("baseline")} ${si(run.baseline.totals.seconds, "s")} and ${si(joules(run.baseline.totals.energy_pj), "J")}.`
    : `${run.sideTitle("machine")} takes ${si(run.machine.totals.seconds, "s")} and ${si(joules(run.machine.totals.energy_pj), "J")} for the step.`;
  return section("summary", "Summary", lead, tiles(run), h("div", { class: "columns" },
    run.waterfall.length > 0 ? waterfall(run) : null, whereCyclesWent(run)));
}
