// SPDX-License-Identifier: MIT
// A table of any number of rows: sorted by its headers, searched, filtered, and shown a page at a time, so that
// thousands of rows cost no more than one page.
import { choice, h } from "./dom.js";
import { grouped } from "./text.js";

/**
 * Columns are {title, number, value(row), text(row)}; `value` sorts, `text` is shown and, where it is no number,
 * searched. `filters` are {title, value(row)}: a choice among the values that there are. `sort` is a column's place,
 * from the largest if `descending`.
 */
export function grid({ id, caption, columns, rows, filters = [], sort = null, descending = false, what = "rows" }) {
  let order = { column: sort, descending };
  let size = 25;
  let page = 0;
  let found = rows;
  const chosen = filters.map(() => "");
  const texts = new Map();
  const haystack = (row) => {
    if (!texts.has(row)) {
      texts.set(
        row,
        columns
          .filter((column) => !column.number)
          .map((column) => column.text(row))
          .join("\n")
          .toLowerCase(),
      );
    }
    return texts.get(row);
  };

  const search = h("input", {
    type: "search",
    id: `${id}-search`,
    autocomplete: "off",
    spellcheck: "false",
    on: { input: () => select() },
  });
  const status = h("p", { class: "status", role: "status" });
  const body = h("tbody");
  const headers = columns.map((column, place) =>
    h(
      "th",
      { scope: "col", class: column.number ? "number" : null, "data-title": column.title },
      h("button", { type: "button", on: { click: () => sortBy(place) } }, column.title),
    ),
  );
  const previous = h("button", { type: "button", on: { click: () => turn(-1) } }, "Previous");
  const next = h("button", { type: "button", on: { click: () => turn(1) } }, "Next");

  function turn(by) {
    page += by;
    show();
  }

  function sortBy(place) {
    const same = order.column === place;
    order = { column: place, descending: same ? !order.descending : Boolean(columns[place].number) };
    select();
  }

  function select() {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    found = rows.filter(
      (row) =>
        filters.every((filter, i) => chosen[i] === "" || filter.value(row) === chosen[i]) &&
        words.every((word) => haystack(row).includes(word)),
    );
    if (order.column !== null) {
      const { value } = columns[order.column];
      const sign = order.descending ? -1 : 1;
      const compare = (a, b) =>
        typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
      // What is not known comes last in either order.
      const unknown = (v) => v === null || v === undefined || Number.isNaN(v);
      found = found
        .map((row) => [value(row), row])
        .sort(([a], [b]) => (unknown(a) || unknown(b) ? unknown(a) - unknown(b) : sign * compare(a, b)))
        .map(([, row]) => row);
    }
    page = 0;
    show();
  }

  function show() {
    const pages = Math.max(1, Math.ceil(found.length / size));
    page = Math.max(0, Math.min(page, pages - 1));
    const first = page * size;
    const part = found.slice(first, first + size);
    body.replaceChildren(
      ...part.map((row) =>
        h(
          "tr",
          {},
          columns.map((column, i) =>
            h(
              i === 0 ? "th" : "td",
              { scope: i === 0 ? "row" : null, class: column.number ? "number" : column.wide ? "wide" : null },
              column.text(row),
            ),
          ),
        ),
      ),
    );
    headers.forEach((header, i) => {
      if (order.column === i) header.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    });
    const total =
      found.length === rows.length ? grouped(rows.length) : `${grouped(found.length)} of ${grouped(rows.length)}`;
    status.textContent =
      part.length === found.length
        ? `${total} ${what}`
        : `${grouped(first + 1)}–${grouped(first + part.length)} of ${total} ${what}`;
    previous.disabled = page === 0;
    next.disabled = page + 1 >= pages;
  }

  const selects = filters.map((filter, i) => {
    const values = [...new Set(rows.map(filter.value))];
    return choice(
      filter.title,
      [["", "all"], ...values.map((value) => [value, filter.text?.(value) ?? value])],
      "",
      (value) => {
        chosen[i] = value;
        select();
      },
    );
  });
  select();
  return h(
    "div",
    { class: "grid", id },
    h(
      "div",
      { class: "controls" },
      h("label", { class: "control" }, h("span", {}, "Search"), search),
      selects,
      choice(
        "Rows",
        [
          ["25", "25"],
          ["100", "100"],
          ["1000", "1000"],
        ],
        String(size),
        (value) => {
          size = Number(value);
          page = 0;
          show();
        },
      ),
    ),
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
      h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, headers)), body),
    ),
    h("div", { class: "pager" }, status, h("div", {}, previous, next)),
  );
}
