// SPDX-License-Identifier: MIT
// A study's points, the units of its metrics, and its fronts (the same rules as nibblesim pareto has).
import { shown, si } from "../text.js";

/** The name of an axis of several parameters, with what they share said once: "scratchpad: capacity_bytes / resident_bytes". */
export function axisName(name) {
  const parts = String(name).split(" / ");
  const section = parts[0].slice(0, parts[0].lastIndexOf(".") + 1);
  if (parts.length < 2 || section === "" || !parts.every((part) => part.startsWith(section))) return name;
  return `${section.slice(0, -1)}: ${parts.map((part) => part.slice(section.length)).join(" / ")}`;
}

export function studyModel(data) {
  const rows = data.rows.map(([design, machine, workload, status, fidelity, reason, values, metrics]) => ({
    design,
    machine: data.texts[machine],
    workload: data.texts[workload],
    status,
    fidelity,
    reason: data.texts[reason],
    values: values.map((value) => data.texts[value]),
    metrics,
  }));
  const place = new Map(data.metrics.map((metric, i) => [metric.name, i]));
  const study = { ...data, rows, place };
  study.metric = (name) => data.metrics[place.get(name)];
  study.title = (name) => {
    const { quantity } = study.metric(name);
    return shown(quantity, 40);
  };
  study.value = (row, name) => row.metrics[place.get(name)];
  study.text = (name, value) => {
    if (value === null || value === undefined) return "–";
    const { unit, factor, prefixes } = study.metric(name);
    return prefixes
      ? si(value * factor, unit === "byte" ? "B" : unit)
      : `${Number((value * factor).toPrecision(3))} ${unit.replace("2", "²")}`;
  };
  study.maximize = (name) =>
    data.objectives.find(({ metric }) => metric === name)?.maximize ??
    /speedup|gain|utilization|per_second|tops/.test(name);
  study.fidelityTitle = (row) => (row.fidelity === null ? "–" : data.fidelities[row.fidelity]);
  /** Axes with more than one value, by their places. */
  study.varying = data.axes.map((_, i) => i).filter((i) => new Set(rows.map((row) => row.values[i])).size > 1);
  return study;
}

/** Rows that could be on a front: ok, with both metrics, at the highest fidelity that there is. */
export function candidates(study, workload, names) {
  const usable = study.rows.filter(
    (row) => row.status === "ok" && row.workload === workload && names.every((name) => study.value(row, name) !== null),
  );
  const highest = Math.max(...usable.map((row) => row.fidelity ?? -1));
  return usable.filter((row) => (row.fidelity ?? -1) === highest);
}

/** Those that no other beats in both metrics, from the best in the first to the worst. */
export function frontOf(study, rows, [first, second]) {
  const cost = (row, name) => (study.maximize(name) ? -1 : 1) * study.value(row, name);
  const sorted = [...rows].sort((a, b) => cost(a, first) - cost(b, first) || cost(a, second) - cost(b, second));
  const front = [];
  let best = Infinity;
  for (const row of sorted) {
    const last = front[front.length - 1];
    const equal = last && cost(last, first) === cost(row, first) && cost(last, second) === cost(row, second);
    if (cost(row, second) < best || equal) {
      front.push(row);
      best = cost(row, second);
    }
  }
  return front;
}
