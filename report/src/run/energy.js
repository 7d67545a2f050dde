// SPDX-License-Identifier: MIT
import { axisStyle, figure, legendStyle, textStyle, tip } from "../chart.js";
import { h, section } from "../dom.js";
import { components, joules } from "../model.js";
import { axis, percent, si } from "../text.js";
import { colour } from "../theme.js";
import { stackedFigure } from "./stacked.js";

function byComponent(run) {
  const energy = (side, component) => joules(run[side].totals.energy[component.key]);
  const share = (side, component) => run[side].totals.energy[component.key] / run[side].totals.energy_pj;
  return figure({
    id: "energy-components",
    title: "Energy by component",
    note: run.machine.dram_energy ? `DRAM prices: ${run.machine.dram_energy}.` : "",
    height: 60 + components.length * (run.baseline ? 40 : 28),
    describe: () =>
      `Energy by component. ${components
        .map(
          (component) =>
            `${component.title} ${run.sides.map((side) => si(energy(side, component), "J")).join(" against ")}`,
        )
        .join("; ")}`,
    option: ({ narrow }) => ({
      legend: legendStyle({ show: run.sides.length > 1 }),
      grid: { left: 118, right: narrow ? 62 : 110, top: 28, bottom: 40 },
      xAxis: axisStyle({
        type: "value",
        name: "energy",
        nameLocation: "middle",
        nameGap: 26,
        splitNumber: narrow ? 3 : 5,
        axisLabel: { formatter: (v) => axis(v, "J"), hideOverlap: true },
      }),
      yAxis: axisStyle({
        type: "category",
        inverse: true,
        data: components.map((component) => component.title),
        splitLine: { show: false },
        axisLabel: { color: colour("text") },
      }),
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "shadow" },
        confine: true,
        formatter: ([{ dataIndex }]) =>
          tip(
            components[dataIndex].title,
            run.sides.map((side) => [
              run.sideTitle(side),
              `${si(energy(side, components[dataIndex]), "J")}  ${percent(share(side, components[dataIndex]))}`,
              colour(side),
            ]),
          ),
      },
      series: run.sides.map((side) => ({
        type: "bar",
        name: run.sideTitle(side),
        barWidth: 13,
        barGap: "10%",
        itemStyle: { color: colour(side) },
        data: components.map((component) => energy(side, component)),
        label: {
          show: true,
          position: "right",
          ...textStyle(10.5),
          formatter: ({ dataIndex }) => {
            const text = si(energy(side, components[dataIndex]), "J");
            return narrow ? text : `${text}  ${percent(share(side, components[dataIndex]))}`;
          },
        },
      })),
    }),
    data: () => ({
      columns: [
        { title: "component" },
        ...run.sides.flatMap((side) => [
          { title: run.sideTitle(side), number: true },
          { title: "of all", number: true },
        ]),
      ],
      rows: components.map((component) => [
        component.title,
        ...run.sides.flatMap((side) => [si(energy(side, component), "J"), percent(share(side, component))]),
      ]),
    }),
  });
}

export function energySection(run) {
  return section(
    "energy",
    "Where the energy goes",
    "Every event that a unit counts has a price; sources are listed under provenance.",
    h(
      "div",
      { class: "columns even" },
      byComponent(run),
      stackedFigure(run, {
        id: "energy-chart",
        title: "Energy by layer",
        note: "",
        parts: components,
        partsOf: (sum) => sum.components,
        amount: (side, value) => joules(value),
        unit: "energy",
        symbol: "J",
        text: (value) => si(value, "J"),
      }),
    ),
  );
}
