// SPDX-License-Identifier: MIT
// Elements are made by h() alone, and texts only ever become text nodes or attributes: no name can become markup.

/** An element with attributes, `on` listeners, and children (elements, texts, lists of both; null is left out). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined) element.append(child);
  }
}

/** A labelled <select>; `choices` are [value, text]. Calls `change` with the value. */
export function choice(label, choices, value, change) {
  const select = h(
    "select",
    { on: { change: () => change(select.value) } },
    choices.map(([key, text]) => h("option", { value: key, selected: key === value }, text)),
  );
  return h("label", { class: "control" }, h("span", {}, label), select);
}

/** A section of the page with its heading. */
export function section(id, title, lead, ...children) {
  return h(
    "section",
    { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title),
    lead ? h("p", { class: "lead" }, lead) : null,
    children,
  );
}

/** A plain table: columns are {title, number}, rows lists of texts or elements, the first its header. */
export function table(caption, columns, rows, attributes = {}) {
  const side = (column) => (column.number ? "number" : null);
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      attributes,
      h("caption", {}, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((column) => h("th", { scope: "col", class: side(column) }, column.title)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h(
            "tr",
            {},
            row.map((cell, i) =>
              i === 0
                ? h("th", { scope: "row", class: side(columns[i]) }, cell)
                : h("td", { class: side(columns[i]) }, cell),
            ),
          ),
        ),
      ),
    ),
  );
}
