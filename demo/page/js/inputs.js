// What the reader has typed or chosen and not yet sent, kept per place (a view or a message), block and action.

import { richTextOf } from "./mrkdwn.js";
import { appDm, ui } from "./world.js";

const typed = new Map(); // place key -> Map("block action" -> value)

const keyOf = (block, element) => `${block.block_id}\u0000${element.action_id}`;

// Element type -> [name of the value in a payload, name of its initial value].
const SHAPES = {
  plain_text_input: ["value", "initial_value"], email_text_input: ["value", "initial_value"],
  url_text_input: ["value", "initial_value"], number_input: ["value", "initial_value"],
  static_select: ["selected_option", "initial_option"], external_select: ["selected_option", "initial_option"],
  multi_static_select: ["selected_options", "initial_options"], multi_external_select: ["selected_options", "initial_options"],
  users_select: ["selected_user", "initial_user"], multi_users_select: ["selected_users", "initial_users"],
  channels_select: ["selected_channel", "initial_channel"], multi_channels_select: ["selected_channels", "initial_channels"],
  conversations_select: ["selected_conversation", "initial_conversation"],
  multi_conversations_select: ["selected_conversations", "initial_conversations"],
  checkboxes: ["selected_options", "initial_options"], radio_buttons: ["selected_option", "initial_option"],
  datepicker: ["selected_date", "initial_date"], timepicker: ["selected_time", "initial_time"],
  datetimepicker: ["selected_date_time", "initial_date_time"],
  rich_text_input: ["rich_text_value", "initial_value"], file_input: ["files", "initial_files"],
};

export const isMulti = (type) => type.startsWith("multi_") || type === "checkboxes" || type === "file_input";
export const valueName = (type) => SHAPES[type]?.[0];

/** The conversation in view, where an element asks for it and it is one of those it offers. */
function current({ type, default_to_current_conversation: isAsked, filter }) {
  const here = ui.place.channel;
  if (!isAsked || !here || !type.endsWith("conversations_select")) return undefined;
  const kinds = filter?.include || ["public", "private", "im"];
  const fits = here.startsWith("D") ? kinds.includes("im") && !(filter?.exclude_bot_users && here === appDm()?.id)
    : kinds.includes("public") || kinds.includes("private");
  return fits ? (isMulti(type) ? [here] : here) : undefined;
}

function initial(element) {
  const value = current(element) ?? element[SHAPES[element.type][1]];
  if (value === undefined || value === null) return isMulti(element.type) ? [] : null;
  return value;
}

/** The current value of an element: what was entered here, else what it starts with. */
export function valueOf(ctx, block, element) {
  const here = typed.get(ctx.key);
  const key = keyOf(block, element);
  return here?.has(key) ? here.get(key) : initial(element);
}

export function enter(ctx, block, element, value) {
  if (!typed.has(ctx.key)) typed.set(ctx.key, new Map());
  typed.get(ctx.key).set(keyOf(block, element), value);
}

/** Forget what was entered in places that are gone, and in elements that a view no longer has. */
export function forgetPlace(key) {
  typed.delete(key);
}

export function keepOnly(key, blocks) {
  const here = typed.get(key);
  if (!here) return;
  const alive = new Set(statefulIn(blocks).map(({ block, element }) => keyOf(block, element)));
  for (const known of here.keys()) if (!alive.has(known)) here.delete(known);
}

export const openPlaces = () => [...typed.keys()];

/** Every stateful element of the blocks, with its block. */
export function statefulIn(blocks = []) {
  return blocks.flatMap((block) => {
    const elements = [block.element, block.accessory, ...(block.type === "actions" ? block.elements || [] : [])];
    const own = elements.filter((element) => element && SHAPES[element.type]).map((element) => ({ block, element }));
    return block.child_blocks ? own.concat(statefulIn(block.child_blocks)) : own;
  });
}

/** One element's value in the shape of a payload. */
export function stateOf(ctx, block, element) {
  const name = SHAPES[element.type][0];
  let value = valueOf(ctx, block, element);
  if (element.type === "rich_text_input" && typeof value === "string") value = value.trim() ? asRichText(value) : null;
  if (name === "value" && value === "") value = null;
  return { type: element.type, [name]: value };
}

/** state.values of a payload: {block_id: {action_id: value}} for every stateful element shown. */
export function valuesOf(ctx, blocks) {
  const values = {};
  for (const { block, element } of statefulIn(blocks)) {
    (values[block.block_id] ||= {})[element.action_id] = stateOf(ctx, block, element);
  }
  return values;
}

const bare = ({ style, ...part }) => (style && Object.keys(style).length ? { ...part, style } : part);

/** Turn the plain writing of a rich_text_input into a rich_text object. */
export function asRichText(text) {
  const escaped = text.replace(/&/g, "&amp;").replace(/<(?![@#!]|https?:)/g, "&lt;");
  const elements = richTextOf(escaped).map((part) => {
    if (part.type !== "rich_text_list") return { ...part, elements: part.elements.map(bare) };
    return { type: "rich_text_list", style: "bullet", indent: 0,
      elements: part.elements.map((item) => ({ type: item.type, elements: inlineBare(item) })) };
  });
  return { type: "rich_text", elements };
}

const inlineBare = (item) => item.elements.map(bare);

/** The writing that gives a rich_text object back, for an initial value. */
export function asWriting(richText) {
  if (typeof richText === "string" || !richText) return richText || "";
  const flat = (part) => (part.elements ? part.elements.map(flat).join(part.type === "rich_text_list" ? "\n" : "") : part.text || part.url || (part.name ? `:${part.name}:` : ""));
  return (richText.elements || []).map(flat).join("\n");
}

