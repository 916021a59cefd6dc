// table and data_table: the second sorts and pages by itself.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { when } from "./events.js";
import { richText } from "./richtext.js";
import { localeOf } from "./world.js";
import { say } from "./words.js";

function cellContent(cell) {
  if (!cell) return "";
  if (cell.type === "rich_text") return richText(cell.elements);
  return String(cell.text ?? cell.value ?? "");
}

const isNumber = (cell) => cell?.type === "raw_number";

export function table(block) {
  const settings = block.column_settings || [];
  const cell = (tag) => (content, at) => h(tag, {
    class: `align-${settings[at]?.align || (isNumber(content) ? "right" : "left")}${settings[at]?.is_wrapped ? " wraps" : ""}`,
    scope: tag === "th" ? "col" : null,
  }, cellContent(content));
  const [head = [], ...rows] = block.rows || [];
  return h("div", { class: "table-scroll", tabindex: 0 },
    h("table", { class: "grid" },
      h("thead", null, h("tr", null, head.map(cell("th")))),
      h("tbody", null, rows.map((row) => h("tr", null, row.map(cell("td")))))));
}

// How a reader has sorted and paged a table is theirs, and outlives a redraw of the message.
const views = new Map();

function compare(rows, column) {
  const numeric = rows.every((row) => isNumber(row[column]));
  const words = new Intl.Collator(localeOf(), { numeric: true });
  return numeric
    ? (one, other) => one[column].value - other[column].value
    : (one, other) => words.compare(textOf(one[column]), textOf(other[column]));
}

const textOf = (cell) => (cell?.type === "rich_text" ? richText(cell.elements).textContent : String(cell?.text ?? cell?.value ?? ""));

const size = (block) => Math.max(1, block.page_size || 5);

function body(block, key) {
  const view = views.get(key) || { column: null, isDown: false, page: 0 };
  const [head = [], ...rows] = block.rows || [];
  const sorted = view.column === null ? rows : [...rows].sort(compare(rows, view.column));
  if (view.isDown) sorted.reverse();
  const from = view.page * size(block);
  const shown = sorted.slice(from, from + size(block));
  const numeric = head.map((unused, at) => rows.length > 0 && rows.every((row) => isNumber(row[at])));
  const headerAt = block.row_header_column_index ?? 0;
  const sign = (at) => (view.column !== at ? "none" : view.isDown ? "descending" : "ascending");
  return [
    h("div", { class: "table-scroll", tabindex: 0 }, h("table", { class: "grid data" },
      h("caption", null, block.caption),
      h("thead", null, h("tr", null, head.map((cell, at) => h("th",
        { scope: "col", "aria-sort": sign(at), class: numeric[at] ? "align-right" : "align-left" },
        h("button", { type: "button", class: "sort", data: { do: "sort-table", column: at },
          "aria-label": say("sortBy", { name: textOf(cell) }) },
          textOf(cell), icon(sign(at) === "none" ? "sort" : view.isDown ? "down" : "up")))))),
      h("tbody", null, shown.map((row) => h("tr", null, row.map((cell, at) => (at === headerAt
        ? h("th", { scope: "row", class: numeric[at] ? "align-right" : "align-left" }, cellContent(cell))
        : h("td", { class: numeric[at] ? "align-right" : "align-left" }, cellContent(cell))))))))),
    rows.length > size(block) && h("div", { class: "pager" },
      h("span", { "aria-live": "polite" }, say("rowsOf", { from: from + 1, to: from + shown.length, total: rows.length })),
      h("button", { type: "button", class: "icon-button", data: { do: "page-table", by: -1 }, disabled: view.page === 0,
        "aria-label": say("previous") }, icon("left")),
      h("button", { type: "button", class: "icon-button", data: { do: "page-table", by: 1 },
        disabled: from + shown.length >= rows.length, "aria-label": say("next") }, icon("right"))),
  ];
}

const blocks = new WeakMap();

export function dataTable(block, ctx) {
  const key = `${ctx.key}|${block.block_id || block.caption}`;
  const node = h("div", { class: "data-table" }, body(block, key));
  blocks.set(node, { block, key });
  return node;
}

function redraw(from, change) {
  const node = from.closest(".data-table");
  const { block, key } = blocks.get(node);
  const view = views.get(key) || { column: null, isDown: false, page: 0 };
  views.set(key, change(view));
  const again = from.dataset.column !== undefined ? `[data-column="${from.dataset.column}"]` : `[data-by="${from.dataset.by}"]`;
  node.replaceChildren(...body(block, key).filter(Boolean));
  node.querySelector(again)?.focus();
}

when("do", "sort-table", (button) => redraw(button, (view) => {
  const column = Number(button.dataset.column);
  return { column, isDown: view.column === column ? !view.isDown : false, page: 0 };
}));
when("do", "page-table", (button) => redraw(button, (view) => ({ ...view, page: view.page + Number(button.dataset.by) })));
