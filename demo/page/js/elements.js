// Block elements: a table from element type to a small function. What they do is in actions.js.

import { bind } from "./bound.js";
import { h, localImage, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { asWriting, valueOf } from "./inputs.js";
import { plain, textObject, words } from "./richtext.js";
import { datePicker, dateTimePicker, timePicker } from "./pickers.js";
import { picker } from "./selects.js";
import { world } from "./world.js";
import { say } from "./words.js";

const hiddenFrom = (element) => Array.isArray(element.visible_to_user_ids) && !element.visible_to_user_ids.includes(world.me?.id);

function button(element, block, ctx) {
  if (hiddenFrom(element)) return null;
  const look = { class: `button ${element.style || "plain"}`, data: { do: "press" }, "aria-label": element.accessibility_label };
  const url = element.url && safeUrl(element.url);
  const inside = h("span", { class: "button-text" }, plain(element.text));
  if (url) return bind(h("a", { ...look, href: url, target: "_blank", rel: "noopener noreferrer" }, inside), element, block, ctx);
  return bind(h("button", { ...look, type: "button" }, inside), element, block, ctx);
}

function iconButton(element, block, ctx) {
  if (hiddenFrom(element)) return null;
  const label = element.accessibility_label || plain(element.text) || say("delete");
  return bind(h("button", { class: "icon-button", type: "button", "aria-label": label, title: plain(element.text),
    data: { do: "press" } }, icon(element.icon === "trash" ? "trash" : "circle")), element, block, ctx);
}

function feedbackButtons(element, block, ctx) {
  const one = (side, name, fallback) => element[side] && h("button", {
    class: "icon-button", type: "button", data: { do: "feedback", side }, title: plain(element[side].text),
    "aria-label": element[side].accessibility_label || plain(element[side].text) || say(fallback),
  }, icon(name));
  return bind(h("span", { class: "feedback" }, one("positive_button", "thumbUp", "helpful"),
    one("negative_button", "thumbDown", "notHelpful")), element, block, ctx);
}

const overflow = (element, block, ctx) => bind(h("button", {
  class: "icon-button overflow", type: "button", "aria-haspopup": "menu", "aria-label": element.accessibility_label || say("menu"),
    data: { do: "open-overflow" },
}, icon("dots")), element, block, ctx);

function choices(kind) {
  return (element, block, ctx) => {
    const now = valueOf(ctx, block, element);
    const chosen = new Set((Array.isArray(now) ? now : now ? [now] : []).map((option) => option.value));
    const name = `${ctx.key}|${block.block_id}|${element.action_id}`;
    return bind(h("div", { class: "choices", role: kind === "radio" ? "radiogroup" : "group" },
      (element.options || []).map((option, at) =>
      h("label", { class: "choice" },
        h("input", { type: kind, name, value: option.value, checked: chosen.has(option.value), data: { change: "choose", at } }),
        h("span", null, h("span", { class: "choice-text" }, textObject(option.text)),
          option.description && h("span", { class: "choice-more" }, textObject(option.description)))))), element, block, ctx);
  };
}

// Where a style alone cannot make a field as tall as what is in it (field-sizing), it is measured:
// when it appears, when it becomes wider or narrower, and with every letter. What a reader pulled it to stays until then.
const widths = new WeakMap();
const measured = CSS.supports("field-sizing", "content") ? null : new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    if (widths.get(target) !== contentRect.width) fit(target);
    widths.set(target, contentRect.width);
  }
});

function fit(area) {
  // Its room is kept meanwhile: Firefox scrolls a window that becomes shorter, be it for a moment, with every letter.
  area.style.marginBottom = `${area.offsetHeight}px`;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
  area.style.marginBottom = "";
}

function textArea(props) {
  const area = h("textarea", props);
  measured?.observe(area);
  if (measured) area.addEventListener("input", () => fit(area));
  return area;
}

function textInput(type, mode) {
  return (element, block, ctx) => {
    const common = { class: "field", placeholder: plain(element.placeholder), data: { input: "typed", keys: "typed" },
      value: valueOf(ctx, block, element) ?? "",
      autocomplete: "off", spellcheck: "false", autofocus: element.focus_on_load, inputmode: mode };
    const node = element.multiline ? textArea({ ...common, rows: 4 }) : h("input", { ...common, type });
    return bind(node, element, block, ctx);
  };
}

function richTextInput(element, block, ctx) {
  const lines = Math.min(element.max_lines || 8, Math.max(element.min_lines || 4, 4));
  return bind(textArea({ class: "field", rows: lines, placeholder: plain(element.placeholder), data: { input: "typed" },
    value: asWriting(valueOf(ctx, block, element)), autofocus: element.focus_on_load }), element, block, ctx);
}

function fileInput(element, block, ctx) {
  const names = (valueOf(ctx, block, element) || []).map((file) => file.name).join(", ");
  return bind(h("label", { class: "file-field" },
    h("input", { type: "file", class: "unseen", multiple: (element.max_files || 10) > 1,
      accept: (element.filetypes || []).map((type) => `.${type}`).join(",") || null, data: { change: "files" } }),
    h("span", { class: "button plain" }, h("span", { class: "button-text" }, say("pickFile"))),
      h("span", { class: "file-names" }, names || say("noFile"))), element, block, ctx);
}

/** A picture of this machine, or the words that stand for it; no other host is ever asked. */
export function image(element, tall) {
  const source = localImage(element.image_url || element.slack_file?.url);
  if (source) return h("img", { src: source, alt: element.alt_text || "", class: tall ? "tall" : "thumb", loading: "lazy" });
  return h("span", { class: tall ? "image-stand-in tall" : "image-stand-in thumb", role: "img", "aria-label": element.alt_text,
    title: say("external") }, tall ? element.alt_text : icon("file"));
}

const ELEMENTS = {
  button, workflow_button: button, icon_button: iconButton, feedback_buttons: feedbackButtons, overflow,
  checkboxes: choices("checkbox"), radio_buttons: choices("radio"),
  plain_text_input: textInput("text"), email_text_input: textInput("email", "email"),
  url_text_input: textInput("url", "url"), number_input: textInput("text", "decimal"),
  rich_text_input: richTextInput, file_input: fileInput,
  datepicker: datePicker, timepicker: timePicker, datetimepicker: dateTimePicker,
  static_select: picker, multi_static_select: picker, external_select: picker, multi_external_select: picker,
  users_select: picker, multi_users_select: picker, channels_select: picker, multi_channels_select: picker,
  conversations_select: picker, multi_conversations_select: picker,
  image: (element) => image(element, false),
  mrkdwn: (element) => textObject(element), plain_text: (element) => textObject(element),
  url: (element) => h("a", { href: safeUrl(element.url), target: "_blank", rel: "noopener noreferrer" },
    words(element.text) || element.url),
};

/** Draw one element; an unknown one says so. */
export function element(json, block, ctx) {
  const draw = ELEMENTS[json?.type];
  if (!draw) return h("span", { class: "unknown" }, say("cannotShow", { type: json?.type }));
  return draw(json, block, ctx);
}
