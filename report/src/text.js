// SPDX-License-Identifier: MIT
// Numbers and names as people read them; numbers as the program's own reports write them.

/** Three significant digits. */
function significant(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** Three significant digits with a decimal prefix: "1.81 G", "12.3 ms", "0 J". */
export function si(value, unit = "") {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return unit ? `0 ${unit}` : "0";
  const prefixes = ["f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E"];
  let step = Math.floor(Math.log10(Math.abs(value)) / 3);
  // 999.6 is 1.00 k.
  if (Math.abs(value) / 10 ** (3 * step) >= 999.5) step += 1;
  step = Math.max(-5, Math.min(6, step));
  const text = `${significant(value / 10 ** (3 * step))} ${prefixes[step + 5]}${unit}`.trim();
  return step === 0 && !unit && Number.isInteger(value) ? String(value) : text;
}

/** Short, for axes: "5 M", "0.2 G". */
export function axis(value, unit = "") {
  if (value === 0) return "0";
  if (!unit && Math.abs(value) < 1 && Math.abs(value) >= 1e-3) return String(Number(value.toPrecision(3)));
  return si(value, unit)
    .replace(/(\.\d*?)0+(?= |$)/, "$1")
    .replace(/\.(?= |$)/, "");
}

export const grouped = (count) => count.toLocaleString("en-US");

/** "1.50 MiB". */
export function bytes(count) {
  if (!Number.isFinite(count)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let step = 0;
  while (count >= 1023.5 && step + 1 < units.length) {
    count /= 1024;
    step += 1;
  }
  return `${step === 0 ? count : significant(count)} ${units[step]}`;
}

/** "1.58×". */
export const ratio = (value) => (Number.isFinite(value) ? `${significant(value)}×` : "–");

/** "51%", "0.3%". */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  const value = 100 * share;
  return `${Math.abs(value) >= 9.95 || value === 0 ? value.toFixed(0) : value.toFixed(1)}%`;
}

/** "+12%", "−3.1%". */
export const change = (share) => (share > 0 ? "+" : "") + percent(share).replace("-", "−");

const code = (character) => character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

/**
 * A name of the user's as it may stand anywhere: what would steer text (control characters, marks of direction, line
 * separators) is spelt out, and what is long is cut.
 */
export function shown(name, most = 60) {
  const characters = Array.from(String(name).slice(0, 4 * most + 8));
  const text = characters
    .slice(0, most)
    .map((character) =>
      /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u.test(character)
        ? `‹${code(character)}›`
        : character,
    )
    .join("");
  // Letters that are written from right to left must not reorder what stands beside them.
  const isolated = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u.test(text) ? `\u2068${text}\u2069` : text;
  return characters.length > most ? `${isolated}…` : isolated;
}
