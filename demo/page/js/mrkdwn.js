// Slack's mrkdwn, read into rich text elements; richtext.js draws both, so both are escaped in one place.

import { emojiOf } from "./emoji.js";

const TOKEN = /<([^<>\n]+)>|`([^`\n]+)`|:([a-z0-9_+-]+(?:::skin-tone-\d)?):|(https?:\/\/[^\s<>|]+[^\s<>|.,;:!?)\]}'"])/g;
const STYLE_OF = { "*": "bold", _: "italic", "~": "strike" };

const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

function bracket(inside, style) {
  const [, head, label] = /^([^|]*)(?:\|([\s\S]*))?$/.exec(inside);
  if (/^@[UWB]\w+$/.test(head)) return { type: "user", user_id: head.slice(1), style };
  if (/^#[CGD]\w+$/.test(head)) return { type: "channel", channel_id: head.slice(1), fallback: label, style };
  const date = /^!date\^(-?\d+)\^([^^]*)(?:\^(.*))?$/.exec(head);
  if (date) return { type: "date", timestamp: Number(date[1]), format: date[2], url: date[3], fallback: unescape(label || ""),
    style };
  const group = /^!subteam\^(\w+)$/.exec(head);
  if (group) return { type: "usergroup", usergroup_id: group[1], fallback: label, style };
  if (/^!(here|channel|everyone)$/.test(head)) return { type: "broadcast", range: head.slice(1), style };
  if (/^[a-z][a-z0-9+.-]*:/i.test(head)) return { type: "link", url: unescape(head), text: label ? unescape(label) : undefined,
    style };
  return { type: "text", text: unescape(label || `<${inside}>`), style };
}

/** Split plain text at *bold*, _italic_ and ~strike~; markers count only at the edge of a word, as in Slack:
 *  a Korean particle straight after the closing marker undoes it, a zero-width space between them does not. */
function styled(text, style) {
  const found = /(^|[\s\u200b(\[{"'“‘.,:;/>\u0000-])([*_~])(?=\S)((?:(?!\2).)*?[^\s])\2(?=$|[\s\u200b)\]}"'”’.,:;!?/<\u0000-])/u;
  const parts = [];
  let rest = text;
  for (let match = found.exec(rest); match; match = found.exec(rest)) {
    const before = rest.slice(0, match.index) + match[1];
    if (before) parts.push([before, style]);
    parts.push(...styled(match[3], { ...style, [STYLE_OF[match[2]]]: true }));
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest) parts.push([rest, style]);
  return parts;
}

/** Read one run of mrkdwn (no line structure) into rich text elements. */
export function inlineElements(text, { emoji = true, verbatim = false } = {}) {
  // Atoms (links, code, emoji) are put aside first, so that their insides are never read as styles.
  const atoms = [];
  const marked = text.replace(/\u0000/g, "").replace(TOKEN, (whole, angle, code, name, url) => {
    if (name !== undefined && (!emoji || !emojiOf(name))) return whole;
    if (url !== undefined && verbatim) return whole;
    atoms.push({ angle, code, name, url });
    return `\u0000${atoms.length - 1}\u0000`;
  });
  const elements = [];
  for (const [piece, style] of styled(marked, {})) {
    piece.split(/\u0000(\d+)\u0000/).forEach((part, index) => {
      if (index % 2 === 0) {
        if (part) elements.push({ type: "text", text: unescape(part), style });
        return;
      }
      const atom = atoms[Number(part)];
      if (atom.angle !== undefined) elements.push(bracket(atom.angle, style));
      else if (atom.code !== undefined) elements.push({ type: "text", text: unescape(atom.code), style: { ...style, code: true } });
      else if (atom.name !== undefined) elements.push({ type: "emoji", name: atom.name });
      else elements.push({ type: "link", url: unescape(atom.url), style });
    });
  }
  return elements;
}

const LINES = [
  { kind: "quote", match: /^(?:&gt;|>)\s?(.*)$/ },
  { kind: "list", match: /^([•◦▪‣-])\s+(.*)$/ },
];

function lineKind(line) {
  for (const { kind, match } of LINES) {
    const found = match.exec(line);
    if (found) return { kind, mark: found.length > 2 ? found[1] : null, text: found[found.length - 1] };
  }
  return { kind: "text", mark: null, text: line };
}

function paragraphs(text, options) {
  const out = [];
  let run = null;
  for (const line of text.split("\n")) {
    const read = lineKind(line);
    if (!run || run.kind !== read.kind || run.mark !== read.mark) out.push((run = { kind: read.kind, mark: read.mark, lines: [] }));
    run.lines.push(read.text);
  }
  return out.map(({ kind, mark, lines }) => {
    if (kind === "list") {
      const items = lines.map((line) => ({ type: "rich_text_section", elements: inlineElements(line, options) }));
      return { type: "rich_text_list", style: "mark", mark, elements: items };
    }
    const elements = inlineElements(lines.join("\n"), options);
    return { type: kind === "quote" ? "rich_text_quote" : "rich_text_section", elements };
  });
}

/** Read a whole mrkdwn text into rich text: sections, quotes, marked lists and preformatted parts. */
export function richTextOf(text, options = {}) {
  const parts = String(text ?? "").split(/```\n?([\s\S]+?)\n?```/);
  return parts.flatMap((part, index) => {
    if (index % 2) return [{ type: "rich_text_preformatted", elements: [{ type: "text", text: unescape(part) }] }];
    const trimmed = part.replace(index > 0 ? /^\n/ : /^/, "").replace(index < parts.length - 1 ? /\n$/ : /$/, "");
    return trimmed === "" ? [] : paragraphs(trimmed, options);
  });
}
