// SPDX-License-Identifier: MIT
// Bars of layers, groups or phases, stacked by what they consist of; the baseline's below the machine's.
import { amountAxis, endLabel, namesAxis, rowTip } from "../bars.js";
import { figure, legendHeight, legendStyle } from "../chart.js";
import { choice } from "../dom.js";
import { largest, phases, sumsBy } from "../model.js";
import { percent, shown } from "../text.js";
import { colour, pale } from "../theme.js";

const mostRows = 40;

const ways = [
  ["group", "layer group", (op) => op.group],
  ["phase", "phase", (op) => op.phase],
  ["group-phase", "layer group and phase", (op) => `${op.group}\n${op.phase}`],
  ["layer", "layer", (op) => op.layer],
  ["kind", "kind of operation", (op) => op.kind],
];

/**
 * `parts` are {title, colour}; `partsOf(sum)` their amounts; `amount(side, value)` what a bar's length is; `unit` names
 * the axis, `symbol` stands behind its numbers, and `text` writes an amount.
 */
export function stackedFigure(run, { id, title, note, parts, partsOf, amount, unit, symbol, text }) {
  let way = "group";
  let phase = "";
  const rows = () => {
    const [, , keyOf] = ways.find(([name]) => name === way);
    const size = (sum) =>
      run.sides.reduce(
        (all, side) =>
          all +
          amount(
            side,
            partsOf(sum[side]).reduce((a, b) => a + b, 0),
          ),
        0,
      );
    return largest(sumsBy(run, keyOf, phase === "" ? undefined : (op) => op.phase === phase), mostRows, size);
  };
  const name = (row, most) =>
    row.key === null
      ? `${row.count} others`
      : row.key
          .split("\n")
          .map((part) => shown(part, most))
          .join(", ");
  const total = (row, side) =>
    amount(
      side,
      partsOf(row[side]).reduce((a, b) => a + b, 0),
    );
  const present = phases.filter((one) => run.operations.some((op) => op.phase === one));
  const result = figure({
    id,
    title,
    note: () =>
      run.baseline
        ? `${note} Of each pair, the upper bar is ${run.sideTitle("machine")}, ` +
          `the paler one ${run.sideTitle("baseline")}.`
        : note,
    controls: [
      choice(
        "Rows",
        ways.map(([key, label]) => [key, label]),
        way,
        (value) => {
          way = value;
          result.update();
        },
      ),
      choice("Phase", [["", "all"], ...present.map((one) => [one, one])], phase, (value) => {
        phase = value;
        result.update();
      }),
    ],
    height: ({ width }) =>
      46 +
      legendHeight(
        parts.map((part) => part.title),
        width,
      ) +
      rows().length * (run.baseline ? 38 : 26),
    describe: () =>
      `${title}. ${rows()
        .slice(0, 12)
        .map((row) => `${name(row, 30)}: ${run.sides.map((side) => text(total(row, side))).join(" against ")}`)
        .join("; ")}`,
    option: ({ narrow, width }) => {
      const list = rows();
      const labelWidth = narrow ? 92 : way === "group" || way === "phase" ? 76 : width < 800 ? 130 : 190;
      return {
        legend: legendStyle({ data: parts.map((part) => part.title) }),
        grid: {
          left: labelWidth + 10,
          right: narrow ? 58 : 76,
          top: legendHeight(
            parts.map((part) => part.title),
            width,
          ),
          bottom: 40,
        },
        xAxis: amountAxis(symbol, { title: unit, splitNumber: narrow ? 3 : 6 }),
        yAxis: namesAxis(
          list.map((row) => name(row, narrow ? 14 : 28)),
          labelWidth,
          { overflow: "truncate" },
        ),
        tooltip: rowTip((place) => [
          name(list[place], 80),
          run.sides.flatMap((side) => [
            [run.sideTitle(side), text(total(list[place], side)), colour(side)],
            ...parts
              .map((part, i) => [part.title, amount(side, partsOf(list[place][side])[i]), colour(part.colour)])
              .filter(([, value]) => value > 0)
              .map(([label, value, mark]) => [
                label,
                `${text(value)}  ${percent(value / total(list[place], side))}`,
                mark,
              ]),
          ]),
        ]),
        series: run.sides.flatMap((side) =>
          parts.map((part, i) => ({
            type: "bar",
            name: part.title,
            stack: side,
            barWidth: side === "machine" ? 15 : 10,
            barGap: "12%",
            itemStyle: { color: side === "machine" ? colour(part.colour) : pale(part.colour) },
            data: list.map((row) => amount(side, partsOf(row[side])[i])),
            ...(i === parts.length - 1
              ? {
                  label: endLabel(
                    ({ dataIndex }) => text(total(list[dataIndex], side)),
                    side === "machine" ? "text" : "muted",
                  ),
                }
              : {}),
          })),
        ),
      };
    },
    data: () => ({
      columns: [
        { title: ways.find(([key]) => key === way)[1] },
        ...run.sides.flatMap((side) => [
          { title: run.sideTitle(side), number: true },
          ...parts.map((part) => ({ title: part.title, number: true })),
        ]),
      ],
      rows: rows().map((row) => [
        name(row, 60),
        ...run.sides.flatMap((side) => [
          text(total(row, side)),
          ...partsOf(row[side]).map((value) => text(amount(side, value))),
        ]),
      ]),
    }),
  });
  return result;
}
