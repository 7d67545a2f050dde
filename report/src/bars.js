// SPDX-License-Identifier: MIT
// What charts of horizontal bars share.
import { axisStyle, textStyle, tip } from "./chart.js";
import { axis } from "./text.js";
import { colour } from "./theme.js";

/** The axis along which bars grow: amounts of `symbol`, under the name `title` if there is one. */
export function amountAxis(symbol, { title, splitNumber = 5, ...more } = {}) {
  return axisStyle({
    type: "value",
    ...(title ? { name: title, nameLocation: "middle", nameGap: 26 } : {}),
    splitNumber,
    axisLabel: { formatter: (v) => axis(v, symbol), hideOverlap: true },
    ...more,
  });
}

/** The axis that names bars, from top to bottom, in `width` pixels. */
export function namesAxis(names, width, axisLabel = {}) {
  return axisStyle({
    type: "category",
    inverse: true,
    data: names,
    splitLine: { show: false },
    axisLabel: { width, overflow: "break", lineHeight: 12, interval: 0, color: colour("text"), ...axisLabel },
  });
}

/** A tooltip for all bars of a row: `about(place)` is its title and rows. */
export function rowTip(about) {
  return {
    trigger: "axis",
    axisPointer: { type: "shadow" },
    confine: true,
    formatter: ([{ dataIndex }]) => tip(...about(dataIndex)),
  };
}

/** A text behind each bar. */
export function endLabel(formatter, shade = "text", size = 10.5) {
  return { show: true, position: "right", ...textStyle(size, shade), formatter };
}
