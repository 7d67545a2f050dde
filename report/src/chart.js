// SPDX-License-Identifier: MIT
// A chart with its title, its controls, and the table behind it. Charts are drawn one at a time when the browser has
// nothing else to do, so that a page opens at once however many it has.
import { h, table } from "./dom.js";
import { init } from "./echarts.js";
import { colour, onTheme, setPrinting } from "./theme.js";

const charts = new Set();
const waiting = [];
let scheduled = false;
const paperWidth = 640;

const whenIdle = (act) =>
  window.requestIdleCallback ? window.requestIdleCallback(act, { timeout: 200 }) : setTimeout(act, 0);

function drawNext() {
  scheduled = false;
  waiting.shift()?.draw();
  drawTheRest();
}

/** Draws what waits, and notes on the page when nothing does. */
export function drawTheRest() {
  document.documentElement.dataset.state = waiting.length > 0 ? "drawing" : "drawn";
  if (waiting.length > 0 && !scheduled) {
    scheduled = true;
    whenIdle(drawNext);
  }
}

function enqueue(chart) {
  if (!waiting.includes(chart)) waiting.push(chart);
  drawTheRest();
}

onTheme(() => charts.forEach(enqueue));
window.addEventListener("beforeprint", () => {
  setPrinting(true);
  for (const chart of charts) chart.draw(paperWidth);
});
window.addEventListener("afterprint", () => {
  setPrinting(false);
  charts.forEach(enqueue);
});
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    for (const chart of charts) if (chart.box === target && chart.outdated()) enqueue(chart);
  }
});

/** Text that every chart shares. */
export function textStyle(size = 12, name = "text") {
  return { color: colour(name), fontSize: size, fontFamily: "system-ui, sans-serif" };
}

/** What a tooltip shows: a title and rows of label, value and colour. */
export function tip(title, rows) {
  return h(
    "div",
    { class: "tip" },
    h("strong", {}, title),
    h(
      "dl",
      {},
      rows.map(([label, value, mark]) => {
        const dot = mark ? h("i", {}) : null;
        if (dot) dot.style.background = mark;
        return [h("dt", {}, dot, label), h("dd", {}, value)];
      }),
    ),
  );
}

/** Lines and labels of an axis. `more` overrides. */
export function axisStyle(more = {}) {
  const { axisLabel, nameTextStyle, ...rest } = more;
  return {
    axisLine: { show: true, lineStyle: { color: colour("line-strong") } },
    axisTick: { show: false },
    splitLine: { show: true, lineStyle: { color: colour("line") } },
    axisLabel: { ...textStyle(11, "muted"), ...axisLabel },
    nameTextStyle: { ...textStyle(11, "muted"), ...nameTextStyle },
    ...rest,
  };
}

export function legendStyle(more = {}) {
  return {
    type: "plain",
    top: 0,
    left: 0,
    icon: "rect",
    itemWidth: 11,
    itemHeight: 11,
    itemGap: 14,
    textStyle: textStyle(11.5),
    inactiveColor: colour("line-strong"),
    ...more,
  };
}

/** Height of a legend of these titles, which wraps: by the width of letters in the mean. */
export function legendHeight(titles, width) {
  const [row, gap, mark, letter] = [22, 14, 16, 6.4];
  let rows = 1;
  let used = 0;
  for (const title of titles) {
    const item = mark + letter * title.length + gap;
    if (used > 0 && used + item > width) {
      rows += 1;
      used = 0;
    }
    used += item;
  }
  return row * rows + 8;
}

class Chart {
  constructor(spec) {
    this.spec = spec;
    this.box = h("div", { class: "chart", role: "img", "aria-label": spec.describe?.() ?? spec.title });
    charts.add(this);
    observer.observe(this.box);
    enqueue(this);
  }

  outdated() {
    return this.instance && Math.abs(this.box.clientWidth - this.instance.getWidth()) > 1;
  }

  draw(width = this.box.clientWidth) {
    if (!this.box.isConnected || width === 0) return;
    const look = { width, narrow: width < 560 };
    const height = typeof this.spec.height === "function" ? this.spec.height(look) : this.spec.height;
    this.box.style.height = `${height}px`;
    this.instance?.dispose();
    this.instance = init(this.box, null, { renderer: "svg", width, height });
    this.instance.setOption({
      animation: false,
      backgroundColor: "transparent",
      textStyle: textStyle(),
      ...this.spec.option(look),
    });
    this.box.setAttribute("aria-label", this.spec.describe?.() ?? this.spec.title);
  }

  dispose() {
    observer.unobserve(this.box);
    charts.delete(this);
    this.instance?.dispose();
  }
}

/**
 * A figure: `title`, `note` below it, `controls` (elements), `height` in pixels and `option` of ECharts (both may
 * depend on {width, narrow}), `describe` for screen readers, and `data` for its table: {columns, rows}.
 * Its update() draws it anew.
 */
export function figure(spec) {
  const chart = new Chart(spec);
  const note = h("p", { class: "note" });
  const details = h(
    "details",
    { class: "behind", on: { toggle: () => fill() } },
    h("summary", {}, "Numbers behind this chart"),
  );
  const fill = () => {
    while (details.children.length > 1) details.lastChild.remove();
    if (details.open) {
      const { columns, rows } = spec.data();
      details.append(table(spec.title, columns, rows));
    }
  };
  const say = () => {
    note.textContent = (typeof spec.note === "function" ? spec.note() : spec.note) ?? "";
  };
  say();
  const element = h(
    "figure",
    { id: spec.id },
    h("figcaption", {}, h("h3", {}, spec.title), note),
    spec.controls?.length ? h("div", { class: "controls" }, spec.controls) : null,
    chart.box,
    details,
  );
  element.update = () => {
    say();
    fill();
    enqueue(chart);
  };
  return element;
}

/** Forgets the charts below an element that leaves the page. */
export function disposeBelow(element) {
  for (const chart of [...charts]) if (element.contains(chart.box)) chart.dispose();
}
