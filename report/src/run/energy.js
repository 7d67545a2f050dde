// SPDX-License-Identifier: MIT
import { amountAxis, endLabel, namesAxis, rowTip } from "../bars.js";
import { figure, legendStyle } from "../chart.js";
import { h, section } from "../dom.js";
import { components, joules } from "../model.js";
import { percent, si } from "../text.js";
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
      xAxis: amountAxis("J", { title: "energy", splitNumber: narrow ? 3 : 5 }),
      yAxis: namesAxis(
        components.map((component) => component.title),
        108,
      ),
      tooltip: rowTip((place) => [
        components[place].title,
        run.sides.map((side) => [
          run.sideTitle(side),
          `${si(energy(side, components[place]), "J")}  ${percent(share(side, components[place]))}`,
          colour(side),
        ]),
      ]),
      series: run.sides.map((side) => ({
        type: "bar",
        name: run.sideTitle(side),
        barWidth: 13,
        barGap: "10%",
        itemStyle: { color: colour(side) },
        data: components.map((component) => energy(side, component)),
        label: endLabel(({ dataIndex }) => {
          const text = si(energy(side, components[dataIndex]), "J");
          return narrow ? text : `${text}  ${percent(share(side, components[dataIndex]))}`;
        }),
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
