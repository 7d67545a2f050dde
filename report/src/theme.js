// SPDX-License-Identifier: MIT
// Light or dark, as the system says until the reader chooses. All colours stand in report.css.
import { h } from "./dom.js";

const system = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();
let chosen = null;
let printing = false;

const current = () => (printing ? "light" : (chosen ?? (system.matches ? "dark" : "light")));

function apply() {
  if (document.documentElement.dataset.theme === current()) return;
  document.documentElement.dataset.theme = current();
  for (const listener of listeners) listener();
}

/** Calls `listener` whenever colours have changed. */
export const onTheme = (listener) => listeners.add(listener);

/** Paper is white: to be called before and after printing. */
export function setPrinting(now) {
  printing = now;
  apply();
}

/** Takes the system's choice, now and whenever it changes. */
export function startTheme() {
  system.addEventListener("change", apply);
  apply();
}

export function themeSwitch() {
  const label = () => (current() === "dark" ? "Light" : "Dark");
  const button = h(
    "button",
    {
      type: "button",
      class: "theme",
      "aria-label": `Switch to ${label().toLowerCase()} colours`,
      on: {
        click: () => {
          chosen = current() === "dark" ? "light" : "dark";
          apply();
        },
      },
    },
    label(),
  );
  onTheme(() => {
    button.textContent = label();
    button.setAttribute("aria-label", `Switch to ${label().toLowerCase()} colours`);
  });
  return button;
}

/** A colour of report.css halfway to that of the figures' background. */
export function pale(name) {
  const parts = (hex) => [1, 3, 5].map((place) => Number.parseInt(hex.slice(place, place + 2), 16));
  const [own, ground] = [parts(colour(name)), parts(colour("card"))];
  return `rgb(${own.map((value, i) => Math.round(0.5 * value + 0.5 * ground[i])).join(",")})`;
}

/** The value of a colour variable of report.css, without its dashes. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
