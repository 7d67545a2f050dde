// SPDX-License-Identifier: MIT
// What units and DRAM did over the time of the step.
import { axisStyle, figure, legendStyle, textStyle, tip } from "../chart.js";
import { choice, h, section } from "../dom.js";
import { unitOf, units } from "../model.js";
import { axis, bytes, grouped, percent, si } from "../text.js";
import { colour } from "../theme.js";

/** A dashed line across a chart, at what cannot be exceeded. */
const limitLine = (value) => ({
  silent: true,
  symbol: "none",
  data: [{ yAxis: value }],
  label: { show: false },
  lineStyle: { color: colour("muted"), type: "dashed" },
});

/** [name, busy cycles] of units, those that matter most first. */
function unitsInOrder(busyOf) {
  const place = (key) => (units.some((unit) => unit.key === key) ? units.indexOf(unitOf(key)) : Infinity);
  return Object.entries(busyOf).sort(([a], [b]) => place(a) - place(b));
}

/** Turns a list of amounts a bucket into steps: [seconds at which the bucket begins, amount]. */
function steps(run, sideName, values) {
  const { bucket_cycles: bucket } = run.series[sideName];
  const end = run[sideName].totals.cycles;
  const list = values.map((value, i) => [run.seconds(sideName, i * bucket), value]);
  if (list.length > 0)
    list.push([run.seconds(sideName, Math.max(end, (values.length - 1) * bucket)), list[list.length - 1][1]]);
  return list;
}

/** Cycles of each bucket: the last one ends with the run. */
function bucketCycles(run, sideName, count) {
  const { bucket_cycles: bucket } = run.series[sideName];
  const rest = run[sideName].totals.cycles - (count - 1) * bucket;
  return (i) => (i === count - 1 && rest > 0 && rest < bucket ? rest : bucket);
}

function area(values, shade, more = {}) {
  return {
    type: "line",
    step: "end",
    symbol: "none",
    data: values,
    lineStyle: { width: 1, color: colour(shade) },
    itemStyle: { color: colour(shade) },
    areaStyle: { color: colour(shade), opacity: 0.35 },
    ...more,
  };
}

const timeAxis = (run, sideName, index, shownLabels, narrow) =>
  axisStyle({
    type: "value",
    gridIndex: index,
    min: 0,
    max: run.seconds(sideName, run[sideName].totals.cycles),
    splitLine: { show: false },
    splitNumber: narrow ? 3 : 6,
    axisLabel: { show: shownLabels, formatter: (v) => axis(v, "s"), hideOverlap: true, showMaxLabel: false },
  });

function unitsFigure(run, controls, sideName) {
  const rows = () =>
    unitsInOrder(run.series[sideName()].units).map(([unit, busy]) => {
      const cyclesOf = bucketCycles(run, sideName(), busy.length);
      return {
        ...unitOf(unit),
        shares: busy.map((cycles, i) => Math.min(1, cycles / cyclesOf(i))),
        mean: busy.reduce((a, b) => a + b, 0) / run[sideName()].totals.cycles,
      };
    });
  const step = 52;
  return figure({
    id: "units-over-time",
    title: "How busy each unit is",
    note: () =>
      `Share of cycles in which a unit was busy, over ${grouped(run.series[sideName()].bucket_cycles)} cycles each.`,
    controls,
    height: () => rows().length * step + 22,
    describe: () =>
      `Utilisation over time of ${run.sideTitle(sideName())}: ${rows()
        .map(({ title, mean }) => `${title} ${percent(mean)} in the mean`)
        .join(", ")}`,
    option: ({ narrow }) => {
      const list = rows();
      const left = narrow ? 140 : 150;
      return {
        tooltip: {
          trigger: "axis",
          confine: true,
          formatter: (items) =>
            tip(
              `at ${si(items[0].axisValue, "s")}`,
              items.map((item) => [list[item.seriesIndex].title, percent(item.value[1]), item.color]),
            ),
        },
        axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: colour("muted") } },
        grid: list.map((_, i) => ({ left, right: 12, top: 8 + i * step, height: step - 12, outerBoundsMode: "none" })),
        xAxis: list.map((_, i) => timeAxis(run, sideName(), i, i === list.length - 1, narrow)),
        yAxis: list.map(({ title, mean }, i) =>
          axisStyle({
            type: "value",
            gridIndex: i,
            min: 0,
            max: 1,
            interval: 1,
            name: `${title}\n${percent(mean)}`,
            nameLocation: "middle",
            nameRotate: 0,
            nameGap: left - 8,
            nameTextStyle: { align: "left", ...textStyle(11.5), lineHeight: 15 },
            axisLabel: { formatter: (v) => (v === 1 ? "100%" : "0"), fontSize: 9.5 },
          }),
        ),
        series: list.map(({ colour: shade, shares }, i) =>
          area(steps(run, sideName(), shares), shade, { xAxisIndex: i, yAxisIndex: i }),
        ),
      };
    },
    data: () => {
      const list = rows();
      return {
        columns: [{ title: "from" }, ...list.map(({ title }) => ({ title, number: true }))],
        rows: (list[0]?.shares ?? []).map((_, i) => [
          si(run.seconds(sideName(), i * run.series[sideName()].bucket_cycles), "s"),
          ...list.map(({ shares }) => percent(shares[i])),
        ]),
      };
    },
  });
}

function dramFigure(run, sideName) {
  const buckets = () => {
    const series = run.series[sideName()];
    const cyclesOf = bucketCycles(run, sideName(), series.dram_bytes_read.length);
    return series.dram_bytes_read.map((read, i) => {
      const seconds = run.seconds(sideName(), cyclesOf(i));
      const accesses = series.dram_row_hits[i] + series.dram_row_misses[i];
      return {
        read: read / seconds,
        written: series.dram_bytes_written[i] / seconds,
        hits: accesses > 0 ? series.dram_row_hits[i] / accesses : null,
      };
    });
  };
  const hitRate = () => {
    const series = run.series[sideName()];
    const hits = series.dram_row_hits.reduce((a, b) => a + b, 0);
    return hits / (hits + series.dram_row_misses.reduce((a, b) => a + b, 0));
  };
  return figure({
    id: "dram-over-time",
    title: "DRAM bandwidth and row hits",
    note: () =>
      `Peak ${si(run[sideName()].dram_bytes_per_second, "B/s")}; ${percent(hitRate())} of accesses hit an open row.`,
    height: 330,
    describe: () => `DRAM of ${run.sideTitle(sideName())} over time; row hits ${percent(hitRate())}`,
    option: ({ narrow }) => {
      const list = buckets();
      const left = narrow ? 58 : 150;
      const peak = run[sideName()].dram_bytes_per_second;
      const grids = [
        { left, right: 12, top: 34, height: 150, outerBoundsMode: "none" },
        { left, right: 12, top: 208, height: 84, outerBoundsMode: "none" },
      ];
      return {
        legend: legendStyle({ data: ["read", "written"] }),
        tooltip: {
          trigger: "axis",
          confine: true,
          formatter: (items) =>
            tip(
              `at ${si(items[0].axisValue, "s")}`,
              items.map((item) => [
                item.seriesName,
                item.seriesIndex < 2 ? si(item.value[1], "B/s") : percent(item.value[1]),
                item.color,
              ]),
            ),
        },
        axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: colour("muted") } },
        grid: grids,
        xAxis: grids.map((_, i) => timeAxis(run, sideName(), i, i === 1, narrow)),
        yAxis: [
          axisStyle({
            type: "value",
            gridIndex: 0,
            min: 0,
            max: peak ? 1.05 * peak : null,
            splitNumber: 3,
            name: narrow ? "" : "bandwidth",
            nameLocation: "middle",
            nameRotate: 0,
            nameGap: left - 8,
            nameTextStyle: { align: "left", ...textStyle(11.5) },
            axisLabel: { formatter: (v) => axis(v, "B/s"), showMaxLabel: false },
          }),
          axisStyle({
            type: "value",
            gridIndex: 1,
            min: 0,
            max: 1,
            interval: 0.5,
            name: narrow ? "" : "row hits",
            nameLocation: "middle",
            nameRotate: 0,
            nameGap: left - 8,
            nameTextStyle: { align: "left", ...textStyle(11.5) },
            axisLabel: { formatter: (v) => percent(v) },
          }),
        ],
        series: [
          area(
            steps(
              run,
              sideName(),
              list.map((bucket) => bucket.read),
            ),
            "p1",
            {
              name: "read",
              stack: "dram",
              markLine: peak ? limitLine(peak) : undefined,
            },
          ),
          area(
            steps(
              run,
              sideName(),
              list.map((bucket) => bucket.written),
            ),
            "p5",
            { name: "written", stack: "dram" },
          ),
          {
            type: "line",
            name: "row hits",
            step: "end",
            symbol: "none",
            xAxisIndex: 1,
            yAxisIndex: 1,
            lineStyle: { width: 1.3, color: colour("p4") },
            itemStyle: { color: colour("p4") },
            data: steps(
              run,
              sideName(),
              list.map((bucket) => bucket.hits),
            ),
          },
        ],
      };
    },
    data: () => ({
      columns: [
        { title: "from" },
        { title: "read", number: true },
        { title: "written", number: true },
        { title: "row hits", number: true },
      ],
      rows: buckets().map((bucket, i) => [
        si(run.seconds(sideName(), i * run.series[sideName()].bucket_cycles), "s"),
        si(bucket.read, "B/s"),
        si(bucket.written, "B/s"),
        bucket.hits === null ? "–" : percent(bucket.hits),
      ]),
    }),
  });
}

/** Bytes of the scratchpad that were taken, in the mean of each bucket. */
function scratchpadFigure(run, sideName) {
  const scratchpad = () => run.series[sideName()].scratchpad;
  const held = (byteCycles) => {
    const cyclesOf = bucketCycles(run, sideName(), byteCycles.length);
    return byteCycles.map((amount, i) => Math.round(amount / cyclesOf(i)));
  };
  const kinds = () => [
    { name: "tiles", shade: "p2", values: held(scratchpad().tile_byte_cycles), of: scratchpad().tile_byte_cycles },
    {
      name: "tensors that stay",
      shade: "p4",
      values: held(scratchpad().resident_byte_cycles),
      of: scratchpad().resident_byte_cycles,
    },
  ];
  const mean = (byteCycles) => byteCycles.reduce((a, b) => a + b, 0) / run[sideName()].totals.cycles;
  const means = () =>
    kinds()
      .map(({ name, of }) => `${bytes(Math.round(mean(of)))} of ${name}`)
      .join(", ");
  return figure({
    id: "scratchpad-over-time",
    title: "How full the scratchpad is",
    note: () =>
      `${bytes(scratchpad().capacity_bytes)}, of which ${bytes(scratchpad().resident_capacity_bytes)} for tensors that ` +
      `stay from one operation to a later one; in the mean ${means()}.`,
    height: 240,
    describe: () => `Scratchpad of ${run.sideTitle(sideName())} over time: in the mean ${means()}`,
    option: ({ narrow }) => {
      const left = narrow ? 66 : 150;
      const { capacity_bytes: capacity } = scratchpad();
      return {
        legend: legendStyle({ data: kinds().map(({ name }) => name) }),
        tooltip: {
          trigger: "axis",
          confine: true,
          formatter: (items) =>
            tip(
              `at ${si(items[0].axisValue, "s")}`,
              items.map((item) => [item.seriesName, bytes(item.value[1]), item.color]),
            ),
        },
        grid: { left, right: 12, top: 34, bottom: 30, outerBoundsMode: "none" },
        xAxis: timeAxis(run, sideName(), 0, true, narrow),
        yAxis: axisStyle({
          type: "value",
          min: 0,
          max: 1.05 * capacity,
          interval: capacity / 4,
          axisLabel: { formatter: (v) => (v === 0 ? "0" : bytes(v)), showMaxLabel: false },
        }),
        series: kinds().map(({ name, shade, values }, i) =>
          area(steps(run, sideName(), values), shade, {
            name,
            stack: "scratchpad",
            markLine: i === 0 ? limitLine(capacity) : undefined,
          }),
        ),
      };
    },
    data: () => {
      const list = kinds();
      return {
        columns: [{ title: "from" }, ...list.map(({ name }) => ({ title: name, number: true }))],
        rows: list[0].values.map((_, i) => [
          si(run.seconds(sideName(), i * run.series[sideName()].bucket_cycles), "s"),
          ...list.map(({ values }) => bytes(values[i])),
        ]),
      };
    },
  });
}

export function seriesSection(run) {
  if (!run.series) {
    return section(
      "time",
      "Over time",
      "This result has no series over time. A run with --series records them: " +
        "what each unit and the DRAM did in every part of the step.",
    );
  }
  let side = "machine";
  const sides = run.sides.filter((one) => run.series[one]);
  const control =
    sides.length > 1
      ? [
          choice(
            "Machine",
            sides.map((one) => [one, run.sideTitle(one)]),
            side,
            (value) => {
              side = value;
              figures.forEach((one) => one.update());
            },
          ),
        ]
      : [];
  const figures = [unitsFigure(run, control, () => side)];
  if (run.series.machine.dram_bytes_read.length > 0) figures.push(dramFigure(run, () => side));
  if (run.series.machine.scratchpad) figures.push(scratchpadFigure(run, () => side));
  return section("time", "Over time", null, h("div", { class: "stack" }, figures));
}
