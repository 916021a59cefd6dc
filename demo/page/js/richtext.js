// Rich text to elements: a table from element type to a small function. Every string ends in a text node.

import { h, safeUrl } from "./dom.js";
import { emojiOf, withEmoji } from "./emoji.js";
import { richTextOf } from "./mrkdwn.js";
import { slackDate } from "./times.js";
import { channelOf, nameOf, world } from "./world.js";

const TAG_OF_STYLE = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]];

function dressed(node, style = {}) {
  return TAG_OF_STYLE.reduce((inner, [name, tag]) => (style[name] ? h(tag, null, inner) : inner), node);
}

function link(url, label) {
  const safe = safeUrl(url);
  if (!safe) return label;
  return h("a", { href: safe, target: "_blank", rel: "noopener noreferrer" }, label);
}

const LONG = 24; // letters; a name of fewer stays in one line

/** Somebody or something by name. */
const mention = (tag, name, { class: more = "", ...attributes } = {}) => h(tag,
  { ...attributes, class: ["mention", more, name.length > LONG ? "long" : ""].filter(Boolean).join(" ") }, name);

const INLINE = {
  text: (part) => part.text,
  link: (part) => link(part.url, part.text || part.url),
  user: (part) => mention("span", `@${nameOf(part.user_id)}`, { class: part.user_id === world.me?.id ? "mine" : "" }),
  usergroup: (part) => mention("span",
    `@${world.usergroups?.get(part.usergroup_id)?.name || (part.fallback || part.usergroup_id).replace(/^@/, "")}`),
  channel(part) {
    const channel = channelOf(part.channel_id);
    const name = channel?.name || part.fallback || part.channel_id;
    if (!channel) return mention("span", `#${name}`);
    return mention("button", `#${name}`, { type: "button", data: { do: "open-channel", channel: part.channel_id } });
  },
  team: (part) => mention("span", world.workspace?.name || part.team_id),
  broadcast: (part) => mention("span", `@${part.range}`, { class: "loud" }),
  date(part) {
    const text = slackDate(part.timestamp, part.format || "{date_num} {time}", part.fallback || String(part.timestamp));
    return h("time", null, part.url ? link(part.url, text) : text);
  },
  emoji(part) {
    const glyph = part.unicode ? String.fromCodePoint(...part.unicode.split("-").map((code) => parseInt(code,
      16))) : emojiOf(part.name);
    return glyph ? h("span", { class: "emoji", role: "img", "aria-label": part.name, title: `:${part.name}:` },
      glyph) : `:${part.name}:`;
  },
  color: (part) => h("span", { class: "swatch-text" },
    h("i", { class: "swatch", style: { background: /^#[0-9a-f]{3,8}$/i.test(part.value) ? part.value : "none" } }), part.value),
};

export function inline(elements = []) {
  return elements.map((part) => {
    const made = INLINE[part.type];
    return made ? dressed(made(part), part.style) : String(part.text ?? "");
  });
}

function listTag(part) {
  return part.style === "ordered" ? "ol" : "ul";
}

const PARTS = {
  rich_text_section: (part) => h("p", null, inline(part.elements)),
  rich_text_quote: (part) => h("blockquote", null, inline(part.elements)),
  rich_text_preformatted: (part) => h("pre", { tabindex: 0 }, h("code", null, inline(part.elements))),
  rich_text_list: (part) => h(
    listTag(part),
    { class: part.style === "mark" ? "marked" : "", style: { "--indent": part.indent || 0, "--mark": `"${part.mark || ""} "` },
      start: part.offset ? part.offset + 1 : null,
      data: { level: String((part.indent || 0) % 3) } },
    (part.elements || []).map((item) => h("li", null, inline(item.elements))),
  ),
};

/** Draw rich text parts; a part of a kind we do not know shows its plain text. */
export function richText(parts = []) {
  return h("div", { class: "rich" }, parts.map((part) => (PARTS[part.type] ? PARTS[part.type](part) : h("p", null,
    inline([part])))));
}

/** Draw a text object (plain_text or mrkdwn). */
export function textObject(text) {
  if (!text) return null;
  if (typeof text === "string") return text;
  if (text.type === "mrkdwn") return richText(richTextOf(text.text, { verbatim: text.verbatim }));
  return plain(text);
}

/** The characters of a plain_text object, shortcodes turned into emoji unless it says not to. */
export function plain(text) {
  if (typeof text === "string") return text;
  if (!text) return "";
  return text.emoji === false ? text.text : withEmoji(text.text || "");
}

/** The plain words of a text object, for labels and titles. */
export const words = (text) => String(textObject(text)?.textContent ?? plain(text) ?? "");
