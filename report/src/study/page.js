// SPDX-License-Identifier: MIT
// A study: its front, what its axes do, and all of its points.
import { amountAxis, endLabel, namesAxis, rowTip } from "../bars.js";
import { axisStyle, figure, legendStyle, textStyle, tip } from "../chart.js";
import { choice, h, section } from "../dom.js";
import { grid } from "../grid.js";
import { axis, grouped, percent, shown } from "../text.js";
import { colour } from "../theme.js";
import { axisName, candidates, frontOf, studyModel } from "./model.js";

const axisTitle = (study, i, most = 48) => shown(axisName(study.axes[i]), most);

function settings(study, row) {
  return study.varying.map((i) => [axisTitle(study, i), shown(row.values[i], 40)]);
}

function frontFigure(study, state, refresh) {
  const names = () => [state.x, state.y];
  const parts = () => {
    const all = candidates(study, state.workload, names());
    const front = frontOf(study, all, names());
    return { all, front, rest: all.filter((row) => !front.includes(row)) };
  };
  const list = study.metrics.map((metric) => [metric.name, shown(metric.quantity, 40)]);
  const change = (key) => (value) => {
    state[key] = value;
    refresh();
  };
  const sense = (name) => (study.maximize(name) ? "more is better" : "less is better");
  return figure({
    id: "front-chart",
    title: "Pareto front",
    note: () => {
      const { all, front } = parts();
      return (
        `${front.length} of ${grouped(all.length)} points are beaten by no other in both ` +
        `${study.title(state.x)} (${sense(state.x)}) and ` +
        `${study.title(state.y)} (${sense(state.y)}).`
      );
    },
    controls: [
      study.workloads.length > 1
        ? choice(
            "Workload",
            study.workloads.map((name) => [name, name === allOfThem ? "all together" : shown(name, 40)]),
            state.workload,
            change("workload"),
          )
        : null,
      choice("Across", list, state.x, change("x")),
      choice("Up", list, state.y, change("y")),
    ],
    height: ({ narrow }) => (narrow ? 400 : 480),
    describe: () => {
      const { all, front } = parts();
      return `Pareto front of ${study.title(state.x)} and ${study.title(state.y)}: ${front.length} of ${all.length} points`;
    },
    option: ({ narrow }) => {
      const { front, rest } = parts();
      const point = (row) => ({ value: [study.value(row, state.x), study.value(row, state.y)], row });
      const scale = (name) => {
        const values = [...front, ...rest].map((row) => study.value(row, name));
        return Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 20 ? "log" : "value";
      };
      const range = (name) => {
        const values = [...front, ...rest].map((row) => study.value(row, name));
        const [low, high] = [Math.min(...values), Math.max(...values)];
        if (scale(name) === "log") return { min: low / 1.15, max: high * 1.15 };
        const room = 0.05 * (high - low || Math.abs(high) || 1);
        return { min: low >= 0 ? Math.max(0, low - room) : low - room, max: high + room };
      };
      const side = (name, more) =>
        axisStyle({
          type: scale(name),
          ...range(name),
          name: study.title(name),
          nameLocation: "middle",
          axisLabel: {
            formatter: (v) => study.text(name, v).replace(/\.0+(?= |$)/, ""),
            hideOverlap: true,
            showMinLabel: false,
            showMaxLabel: false,
          },
          ...more,
        });
      return {
        legend: legendStyle({
          data: [
            { name: "on the front", icon: "circle" },
            { name: "beaten", icon: "circle" },
          ],
        }),
        grid: { left: narrow ? 66 : 84, right: 18, top: 30, bottom: 48 },
        xAxis: side(state.x, { nameGap: 30, splitNumber: narrow ? 3 : 6 }),
        yAxis: side(state.y, { nameGap: narrow ? 50 : 66 }),
        tooltip: {
          trigger: "item",
          confine: true,
          formatter: ({ data }) =>
            tip(`design ${data.row.design}, ${shown(data.row.workload, 40)}`, [
              ...study.objectives.map(({ metric }) => [
                study.title(metric),
                study.text(metric, study.value(data.row, metric)),
              ]),
              ...names()
                .filter((name) => !study.objectives.some(({ metric }) => metric === name))
                .map((name) => [study.title(name), study.text(name, study.value(data.row, name))]),
              ["machine", shown(data.row.machine, 40)],
              ["fidelity", study.fidelityTitle(data.row)],
              ...settings(study, data.row),
            ]),
        },
        series: [
          {
            type: "scatter",
            name: "beaten",
            symbolSize: 7,
            z: 2,
            itemStyle: { color: colour("muted"), opacity: 0.4 },
            data: rest.map(point),
          },
          {
            type: "line",
            name: "on the front",
            step: "end",
            z: 3,
            symbol: "circle",
            symbolSize: 10,
            showAllSymbol: true,
            lineStyle: { color: colour("machine"), width: 1.5 },
            itemStyle: { color: colour("machine"), borderColor: colour("card"), borderWidth: 1 },
            data: [...front].sort((a, b) => study.value(a, state.x) - study.value(b, state.x)).map(point),
          },
        ],
      };
    },
    data: () => ({
      columns: [
        { title: "design" },
        { title: "workload" },
        ...study.varying.map((i) => ({ title: axisTitle(study, i) })),
        ...names().map((name) => ({ title: study.title(name), number: true })),
      ],
      rows: parts().front.map((row) => [
        String(row.design),
        shown(row.workload),
        ...study.varying.map((i) => shown(row.values[i])),
        ...names().map((name) => study.text(name, study.value(row, name))),
      ]),
    }),
  });
}

/** The workload of rows that are a design's sums over all of its workloads. */
const allOfThem = "all";
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const counted = (count, one, several) => `${grouped(count)} ${count === 1 ? one : several}`;

const mostLines = 1500;

/** Labels that stay legible where lines run through them. */
const label = () => ({ ...textStyle(10.5), backgroundColor: colour("card"), padding: [1, 3], borderRadius: 2 });

function parallelFigure(study, state) {
  const dimensions = () => {
    const metrics = [...new Set([...study.objectives.map(({ metric }) => metric), state.x, state.y])];
    return [
      ...study.varying.map((i) => ({ title: axisTitle(study, i), value: (row) => row.values[i], text: true })),
      ...metrics.map((name) => ({ title: study.title(name), value: (row) => study.value(row, name), metric: name })),
    ];
  };
  const rows = () => candidates(study, state.workload, [state.x, state.y]);
  const inOrder = (values) =>
    [...new Set(values)].sort((a, b) => Number(a) - Number(b) || String(a).localeCompare(String(b)));
  return figure({
    id: "parallel-chart",
    title: "Settings and what they lead to",
    note: () =>
      "A line is a point; those on the front are drawn strong." +
      `${rows().length > mostLines ? ` ${grouped(mostLines)} of ${grouped(rows().length)} are drawn.` : ""}`,
    height: ({ narrow }) => (narrow ? 120 + dimensions().length * 74 : 400),
    describe: () =>
      `Parallel coordinates of ${dimensions()
        .map(({ title }) => title)
        .join(", ")}`,
    option: ({ narrow }) => {
      const list = dimensions();
      const front = new Set(frontOf(study, rows(), [state.x, state.y]));
      const drawn = [
        ...rows()
          .filter((row) => !front.has(row))
          .slice(0, mostLines),
        ...front,
      ];
      const values = (row) => list.map(({ value, text }) => (text ? String(value(row)) : value(row)));
      return {
        tooltip: { show: false },
        parallel: {
          layout: narrow ? "vertical" : "horizontal",
          left: narrow ? 30 : 60,
          right: narrow ? 30 : 70,
          top: narrow ? 34 : 18,
          bottom: narrow ? 30 : 40,
          parallelAxisDefault: {
            nameLocation: narrow ? "middle" : "start",
            nameGap: narrow ? -16 : 18,
            nameTextStyle: textStyle(11),
            axisLine: { lineStyle: { color: colour("line-strong") } },
            axisTick: { show: false },
            areaSelectStyle: { width: 14, color: colour("machine"), opacity: 0.2 },
          },
        },
        parallelAxis: list.map(({ title, text, value, metric }, i) => ({
          dim: i,
          name: title,
          ...(text
            ? {
                type: "category",
                data: inOrder(drawn.map((row) => String(value(row)))),
                axisLabel: { ...label(), interval: 0, formatter: (one) => shown(one, 18) },
              }
            : {
                type: "value",
                scale: true,
                axisLabel: {
                  ...label(),
                  formatter: (v) => study.text(metric, v),
                  showMinLabel: false,
                  showMaxLabel: false,
                },
              }),
        })),
        series: [
          {
            type: "parallel",
            silent: true,
            lineStyle: { color: colour("muted"), width: 1, opacity: 0.16 },
            data: drawn.filter((row) => !front.has(row)).map(values),
          },
          {
            type: "parallel",
            silent: true,
            z: 3,
            lineStyle: { color: colour("machine"), width: 2, opacity: 0.9 },
            data: [...front].map(values),
          },
        ],
      };
    },
    data: () => ({
      columns: dimensions().map(({ title, text }) => ({ title, number: !text })),
      rows: rows()
        .slice(0, 200)
        .map((row) =>
          dimensions().map(({ value, metric }) => (metric ? study.text(metric, value(row)) : shown(value(row)))),
        ),
    }),
  });
}

function sensitivityFigure(study, state) {
  const { workloads } = study;
  const effects = (name) =>
    study.sensitivity.find((one) => one.metric === name && one.workload === state.workload)?.effects ?? [];
  const names = () => [...new Set([state.x, state.y])];
  const axes = () =>
    study.varying.map((i) => study.axes[i]).sort((a, b) => share(names()[0], b) - share(names()[0], a));
  const share = (name, one) => effects(name).find((effect) => effect.axis === one)?.share ?? 0;
  const shades = ["machine", "baseline"];
  return figure({
    id: "sensitivity-chart",
    title: "Which axis matters",
    note: () =>
      "Share of each metric's variance that an axis explains alone" +
      `${workloads.length > 1 && state.workload !== allOfThem ? `, on ${shown(state.workload, 40)}` : ""}. ` +
      `What is missing from 100% is the work of axes together.`,
    height: () => 80 + 40 * axes().length,
    describe: () =>
      names()
        .map(
          (name) =>
            `${study.title(name)}: ${axes()
              .map((one) => `${shown(axisName(one), 40)} ${percent(share(name, one))}`)
              .join(", ")}`,
        )
        .join(". "),
    option: ({ narrow }) => ({
      legend: legendStyle(),
      grid: { left: narrow ? 120 : 220, right: 50, top: 32, bottom: 28 },
      xAxis: amountAxis("", {
        min: 0,
        max: (top) => Math.max(1, top.max),
        splitNumber: narrow ? 2 : 5,
        axisLabel: { formatter: (v) => percent(v) },
      }),
      yAxis: namesAxis(
        axes().map((one) => shown(axisName(one), 40)),
        narrow ? 110 : 210,
      ),
      tooltip: rowTip((place) => [
        shown(axisName(axes()[place]), 60),
        names().flatMap((name, i) => {
          const effect = effects(name).find((one) => one.axis === axes()[place]);
          return [
            [study.title(name), percent(effect?.share ?? 0), colour(shades[i])],
            ["range of means", effect?.range === null || !effect ? "–" : percent(effect.range)],
          ];
        }),
      ]),
      series: names().map((name, i) => ({
        type: "bar",
        name: study.title(name),
        barWidth: 12,
        barGap: "10%",
        itemStyle: { color: colour(shades[i]) },
        data: axes().map((one) => share(name, one)),
        label: endLabel(({ value }) => percent(value)),
      })),
    }),
    data: () => ({
      columns: [
        { title: "axis" },
        ...names().flatMap((name) => [
          { title: `${study.title(name)}: of variance`, number: true },
          { title: "range of means", number: true },
        ]),
      ],
      rows: axes().map((one) => [
        shown(axisName(one)),
        ...names().flatMap((name) => {
          const effect = effects(name).find((other) => other.axis === one);
          return effect ? [percent(effect.share), effect.range === null ? "–" : percent(effect.range)] : ["–", "–"];
        }),
      ]),
    }),
  });
}

function pointsGrid(study) {
  const columns = [
    { title: "Design", value: (row) => row.design, text: (row) => String(row.design), number: true },
    { title: "Machine", value: (row) => row.machine, text: (row) => shown(row.machine, 40) },
    { title: "Workload", value: (row) => row.workload, text: (row) => shown(row.workload, 40) },
    ...study.varying.map((i) => ({
      title: axisTitle(study, i),
      value: (row) => (Number.isNaN(Number(row.values[i])) ? row.values[i] : Number(row.values[i])),
      text: (row) => shown(row.values[i], 40),
    })),
    { title: "Status", value: (row) => row.status, text: (row) => row.status },
    { title: "Fidelity", value: (row) => row.fidelity, text: (row) => study.fidelityTitle(row) },
    ...study.metrics.map(({ name }) => ({
      title: capital(study.title(name)),
      value: (row) => study.value(row, name),
      text: (row) => study.text(name, study.value(row, name)),
      number: true,
    })),
    { title: "Reason", value: (row) => row.reason, text: (row) => shown(row.reason, 160), wide: true },
  ];
  return grid({
    id: "points-grid",
    caption: "Points of the study",
    what: "points",
    columns,
    rows: study.rows,
    filters: [
      ...(study.workloads.length > 1
        ? [{ title: "Workload", value: (row) => row.workload, text: (name) => shown(name, 40) }]
        : []),
      { title: "Status", value: (row) => row.status },
    ],
  });
}

export function studyPage(data) {
  const study = studyModel(data.study);
  const names = study.metrics.map(({ name }) => name);
  const objectives = study.objectives.map(({ metric }) => metric);
  const state = {
    workload: study.workloads.includes(allOfThem) ? allOfThem : study.workloads[0],
    x: objectives[0] ?? names[0],
    y: objectives[1] ?? names.find((name) => name !== (objectives[0] ?? names[0])) ?? names[0],
  };
  const counts = ["ok", "outside", "invalid", "failed"]
    .map((status) => [status, study.rows.filter((row) => row.status === status).length])
    .filter(([, count]) => count > 0);
  const single = study.workloads.filter((name) => study.workloads.length === 1 || name !== allOfThem).length;
  const figures = [];
  const refresh = () => figures.forEach((one) => one.update());
  const header = {
    title: shown(study.study, 120),
    text:
      `A study of ${grouped(study.rows.length)} points: ${counts.map(([status, count]) => `${grouped(count)} ${status}`).join(", ")}; ` +
      `${counted(study.varying.length, "axis", "axes")}, ${counted(single, "workload", "workloads")}.`,
  };
  if (candidates(study, state.workload, [state.x, state.y]).length > 0) {
    figures.push(frontFigure(study, state, refresh), parallelFigure(study, state), sensitivityFigure(study, state));
  }
  const empty = h("p", { class: "note" }, "No point has both metrics.");
  return {
    header,
    sections: [
      section("front", "The best points", null, figures[0] ?? empty),
      ...(figures.length > 0 && study.varying.length > 0
        ? [section("axes", "What the axes do", null, h("div", { class: "stack" }, figures[1], figures[2]))]
        : []),
      section("points", "All points", null, pointsGrid(study)),
    ],
  };
}
