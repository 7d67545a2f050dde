// SPDX-License-Identifier: MIT
// Rooflines: what a GEMM reached, over what it moved, under what the machine could.
import { axisStyle, figure, legendStyle, textStyle, tip } from "../chart.js";
import { choice, section } from "../dom.js";
import { axis, bytes, percent, shown, si } from "../text.js";
import { colour } from "../theme.js";

const levels = {
  dram: {
    title: "DRAM",
    rate: (side) => side.dram_bytes_per_second,
    moved: (part) => part.dram_bytes_read + part.dram_bytes_written,
  },
  scratchpad: {
    title: "scratchpad",
    rate: (side) => side.scratchpad_bytes_per_second,
    moved: (part) => part.scratchpad_bytes,
  },
};
const styles = { forward: ["circle", "p1"], dx: ["triangle", "p3"], dw: ["diamond", "p4"] };

export function rooflineSection(run) {
  let sideName = "machine";
  let levelName = run.machine.dram_bytes_per_second === null ? "scratchpad" : "dram";

  const side = () => run[sideName];
  const level = () => levels[levelName];
  const gemms = () => run.operations.filter((op) => op[sideName].mode !== "vector" && op.macs > 0);
  const points = () =>
    gemms()
      .filter((op) => op[sideName].cycles > 0 && level().moved(op[sideName]) > 0)
      .map((op) => {
        const part = op[sideName];
        const seconds = run.seconds(sideName, part.cycles);
        return {
          op,
          part,
          seconds,
          intensity: op.macs / level().moved(part),
          rate: op.macs / seconds,
          peak: side().peak_macs_per_second[part.mode],
        };
      });
  /** Charged hardly any time, some points would be far above everything: they are drawn at the upper edge. */
  const drawnRate = (point, highest) => Math.min(point.rate, 2.2 * highest);
  const roofAt = (point) => Math.min(point.peak, point.intensity * level().rate(side()));
  const modes = () =>
    [...new Set(gemms().map((op) => op[sideName].mode))]
      .map((mode) => [mode, side().peak_macs_per_second[mode]])
      .filter(([, peak]) => peak > 0)
      .sort((a, b) => b[1] - a[1]);
  const name = ({ op }, most) => `${shown(op.layer, most)} ${op.phase}`;

  /** Modes with the same peak share a roof. */
  const roofs = () => {
    const byPeak = new Map();
    for (const [mode, peak] of modes()) byPeak.set(peak, [...(byPeak.get(peak) ?? []), mode]);
    return [...byPeak].map(([peak, names]) => ({ peak, title: `${names.join(", ")}: ${si(peak, "MAC/s")}` }));
  };

  const result = figure({
    id: "roofline-chart",
    title: "Roofline",
    note: () => {
      const all = points();
      const outside = gemms().length - all.length;
      const above = all.filter((point) => point.rate > 1.001 * roofAt(point)).length;
      return (
        "A point is a GEMM; its area follows the time that it takes. " +
        `Slope: ${si(level().rate(side()), "B/s")} of ${level().title}; ceilings: peaks of the array's modes.` +
        (above > 0
          ? ` ${above} above their roof began under the operation before and are charged less time than they took; ` +
            `far ones are drawn at the edge.`
          : "") +
        (outside > 0 ? ` ${outside} moved nothing there or are charged no time, and are not shown.` : "")
      );
    },
    controls: [
      choice(
        "Memory",
        Object.entries(levels)
          .filter(([, one]) => one.rate(run.machine) !== null)
          .map(([key, one]) => [key, one.title]),
        levelName,
        (value) => {
          levelName = value;
          result.update();
        },
      ),
      run.baseline
        ? choice(
            "Machine",
            run.sides.map((one) => [one, run.sideTitle(one)]),
            sideName,
            (value) => {
              sideName = value;
              result.update();
            },
          )
        : null,
    ],
    height: ({ narrow }) => (narrow ? 400 : 480),
    describe: () =>
      `Roofline of ${run.sideTitle(sideName)} over ${level().title}: ${points().length} GEMMs, ` +
      `bandwidth ${si(level().rate(side()), "B/s")}, peaks ${roofs()
        .map((roof) => roof.title)
        .join("; ")}`,
    option: ({ narrow }) => {
      const all = points();
      const rate = level().rate(side());
      const tops = roofs();
      const ridges = tops.map((roof) => roof.peak / rate);
      const xs = [...all.map((point) => point.intensity), ...ridges];
      const highest = Math.max(...tops.map((roof) => roof.peak));
      const ys = [...all.map((point) => drawnRate(point, highest)), ...tops.map((roof) => roof.peak)];
      const [left, right] = [
        10 ** Math.floor(Math.log10(Math.min(...xs) / 1.5)),
        10 ** Math.ceil(Math.log10(Math.max(...xs) * 1.5)),
      ];
      const [bottom, top] = [Math.min(...ys) / 1.5, 2.6 * highest];
      const longest = Math.max(...all.map((point) => point.seconds));
      const line = {
        type: "line",
        symbol: "none",
        silent: true,
        z: 1,
        lineStyle: { color: colour("muted"), width: 1.5 },
      };
      return {
        legend: legendStyle({
          data: Object.keys(styles).map((phase) => ({ name: phase, icon: styles[phase][0] })),
          left: "center",
        }),
        grid: { left: narrow ? 54 : 70, right: 14, top: 30, bottom: 48 },
        xAxis: axisStyle({
          type: "log",
          min: left,
          max: right,
          name: `MACs a byte of ${level().title}`,
          nameLocation: "middle",
          nameGap: 30,
          axisLabel: { formatter: (v) => axis(v) },
        }),
        yAxis: axisStyle({
          type: "log",
          min: bottom,
          max: top,
          name: narrow ? "" : "MAC/s",
          nameLocation: "middle",
          nameGap: 54,
          axisLabel: { formatter: (v) => axis(v), showMinLabel: false, showMaxLabel: false },
        }),
        tooltip: {
          trigger: "item",
          confine: true,
          formatter: ({ data }) =>
            tip(name(data.point, 60), [
              ["reached", `${si(data.point.rate, "MAC/s")}`],
              ["of the roof here", percent(data.point.rate / roofAt(data.point))],
              ["MACs a byte", si(data.point.intensity)],
              [`${level().title} traffic`, bytes(level().moved(data.point.part))],
              ["mode", data.point.part.mode],
              ["m × n × k", `${data.point.op.m} × ${data.point.op.n} × ${data.point.op.k}`],
              ["time", si(data.point.seconds, "s")],
            ]),
        },
        series: [
          {
            ...line,
            data: [
              [Math.max(left, bottom / rate), Math.max(bottom, left * rate)],
              [highest / rate, highest],
            ],
          },
          ...tops.map((roof) => ({
            ...line,
            lineStyle: { ...line.lineStyle, type: roof.peak === highest ? "solid" : "dashed" },
            data: [
              [Math.max(left, roof.peak / rate), roof.peak],
              [right, roof.peak],
            ],
            endLabel: {
              show: true,
              formatter: roof.title,
              align: "right",
              verticalAlign: "bottom",
              offset: [-8, -6],
              ...textStyle(11, "muted"),
              backgroundColor: colour("card"),
              padding: [1, 3],
            },
          })),
          ...Object.entries(styles).map(([phase, [symbol, shade]]) => ({
            type: "scatter",
            name: phase,
            symbol,
            z: 2,
            itemStyle: { color: colour(shade), opacity: 0.72, borderColor: colour("card"), borderWidth: 0.6 },
            emphasis: { itemStyle: { opacity: 1, borderColor: colour("text") } },
            data: all
              .filter((point) => point.op.phase === phase)
              .map((point) => ({
                value: [point.intensity, drawnRate(point, highest)],
                point,
                symbolSize: 6 + 16 * Math.sqrt(point.seconds / longest),
              })),
          })),
        ],
      };
    },
    data: () => ({
      columns: [
        { title: "GEMM" },
        { title: "mode" },
        { title: "MACs a byte", number: true },
        { title: "MAC/s", number: true },
        { title: "of the roof here", number: true },
        { title: "time", number: true },
      ],
      rows: points().map((point) => [
        name(point, 60),
        point.part.mode,
        si(point.intensity),
        si(point.rate),
        percent(point.rate / roofAt(point)),
        si(point.seconds, "s"),
      ]),
    }),
  });
  return section("roofline", "What limits each GEMM", null, result);
}
