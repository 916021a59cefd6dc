// The markdown block: standard Markdown as Slack reads it, drawn without ever making markup from text.

import { h, safeUrl } from "./dom.js";
import { withEmoji } from "./emoji.js";

const SPAN = /(`+)([\s\S]+?)\1|!\[([^\]]*)\]\(([^)\s]+)\)|\[([^\]]+)\]\(([^)\s]+)\)|\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|~~([\s\S]+?)~~|(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?!\w)|(?<![\w_])_([^_\s](?:[^_]*[^_\s])?)_(?!\w)|(https?:\/\/[^\s<>]+[^\s<>.,;:!?)])/;

function anchor(url, children) {
  const safe = safeUrl(url);
  return safe ? h("a", { href: safe, target: "_blank", rel: "noopener noreferrer" }, children) : children;
}

function spans(text) {
  const out = [];
  let rest = text;
  for (let found = SPAN.exec(rest); found; found = SPAN.exec(rest)) {
    if (found.index) out.push(withEmoji(rest.slice(0, found.index)));
    const [whole, , code, alt, image, label, url, bold, bold2, strike, italic, italic2, bare] = found;
    if (code !== undefined) out.push(h("code", null, code));
    else if (image !== undefined) out.push(anchor(image, alt || image));
    else if (url !== undefined) out.push(anchor(url, spans(label)));
    else if (bold ?? bold2) out.push(h("strong", null, spans(bold ?? bold2)));
    else if (strike !== undefined) out.push(h("s", null, spans(strike)));
    else if (italic ?? italic2) out.push(h("em", null, spans(italic ?? italic2)));
    else out.push(anchor(bare, bare));
    rest = rest.slice(found.index + whole.length);
  }
  if (rest) out.push(withEmoji(rest));
  return out;
}

const cellsOf = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
const alignOf = (rule) => (/^:.*:$/.test(rule) ? "center" : /:$/.test(rule) ? "right" : "left");

function table(lines) {
  const aligns = cellsOf(lines[1]).map(alignOf);
  const row = (line, tag) => h("tr", null,
    cellsOf(line).map((cell, at) => h(tag, { class: `align-${aligns[at] || "left"}` }, spans(cell))));
  return h("div", { class: "table-scroll", tabindex: 0 },
    h("table", { class: "grid" }, h("thead", null, row(lines[0], "th")),
      h("tbody", null, lines.slice(2).map((line) => row(line, "td")))));
}

function list(lines) {
  const ordered = /^\s*\d+[.)]/.test(lines[0]);
  return h(ordered ? "ol" : "ul", { start: ordered ? parseInt(lines[0], 10) || 1 : null }, lines.map((line) => {
    const [, indent, text] = /^(\s*)(?:[-*+]|\d+[.)])\s+(.*)$/.exec(line);
    const task = /^\[([ xX])\]\s+(.*)$/.exec(text);
    const level = { style: { "--indent": Math.floor(indent.length / 2) } };
    if (!task) return h("li", level, spans(text));
    const done = task[1] !== " ";
    return h("li", { class: "task", ...level },
      h("input", { type: "checkbox", checked: done, disabled: true, "aria-label": task[2] }), spans(task[2]));
  }));
}

const isItem = (line) => /^\s*(?:[-*+]|\d+[.)])\s+/.test(line);
const isRule = (line) => /^\s*([-*_])(\s*\1){2,}\s*$/.test(line);

function take(lines, test) {
  const taken = [];
  while (lines.length && test(lines[0])) taken.push(lines.shift());
  return taken;
}

function nextPart(lines) {
  const line = lines[0];
  if (/^\s*```/.test(line)) {
    lines.shift();
    const code = take(lines, (each) => !/^\s*```/.test(each));
    lines.shift();
    return h("pre", { tabindex: 0 }, h("code", null, code.join("\n")));
  }
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading) {
    lines.shift();
    return h(`h${Math.min(6, heading[1].length + 2)}`, null, spans(heading[2]));
  }
  if (isRule(line)) return lines.shift() && h("hr");
  if (/^\s*>/.test(line)) {
    return h("blockquote", null, markdownParts(take(lines,
      (each) => /^\s*>/.test(each)).map((each) => each.replace(/^\s*>\s?/, "")).join("\n")));
  }
  if (lines[1] && /\|/.test(line) && /^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$/.test(lines[1])) {
    return table(take(lines, (each) => /\|/.test(each)));
  }
  if (isItem(line)) return list(take(lines, isItem));
  const text = take(lines, (each) => each.trim() && !isItem(each) && !/^(#{1,6}\s|\s*```|\s*>)/.test(each) && !isRule(each));
  return h("p", null, spans(text.length ? text.join("\n") : lines.shift()));
}

export function markdownParts(text) {
  const lines = String(text ?? "").split("\n");
  const parts = [];
  while (lines.length) {
    if (!lines[0].trim()) lines.shift();
    else parts.push(nextPart(lines));
  }
  return parts;
}
