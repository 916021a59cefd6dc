// Blocks: a table from block type to a small function. A new block is one function here and one test.

import { chart } from "./charts.js";
import { freshId, h, keep, safeUrl } from "./dom.js";
import { element, image } from "./elements.js";
import { icon } from "./icons.js";
import { markdownParts } from "./markdown.js";
import { plain, richText, textObject } from "./richtext.js";
import { dataTable, table } from "./tables.js";
import { say } from "./words.js";

function section(block, ctx) {
  return h("div", { class: block.accessory ? "section with-accessory" : "section" },
    h("div", { class: "section-main" },
      block.text && textObject(block.text),
      block.fields && h("div", { class: "fields" },
        block.fields.map((field) => h("div", { class: "section-field" }, textObject(field))))),
    block.accessory && h("div", { class: "accessory" }, element(block.accessory, block, ctx)));
}

function header(block) {
  const level = Math.min(4, Math.max(1, block.level || 1));
  return h(`h${level + 2}`, { class: `header level-${level}` }, plain(block.text));
}

const actions = (block, ctx) => h("div", { class: "actions" }, (block.elements || []).map((each) => element(each, block, ctx)));
const context = (block, ctx) => h("div", { class: "context" }, (block.elements || []).map((each) =>
  h("span", { class: each.type === "image" ? "context-image" : "context-text" }, element(each, block, ctx))));

function imageBlock(block) {
  return h("figure", { class: "image" }, block.title && h("figcaption", null, plain(block.title)), image(block, true));
}

function input(block, ctx) {
  const id = freshId("field");
  const field = element(block.element, block, ctx);
  const labelled = field instanceof Element && (field.matches("input,textarea") ? field : field.querySelector("[data-labelled]"));
  const label = h(labelled ? "label" : "div", { class: "label", id: `${id}-label`, for: labelled ? id : null }, plain(block.label),
    block.optional && h("span", { class: "optional" }, ` ${say("optional")}`));
  if (labelled) {
    labelled.id = id;
    labelled.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
    labelled.setAttribute("aria-labelledby", labelled.matches("button") ? `${id}-label ${id}` : `${id}-label`);
    if (!block.optional) labelled.setAttribute("aria-required", "true");
  } else if (field instanceof Element) field.setAttribute("aria-labelledby", `${id}-label`);
  const box = h("div", { class: "input", data: { inputBlock: block.block_id } }, label, field,
    h("div", { class: "field-error", id: `${id}-error`, role: "alert" }),
    block.hint && h("div", { class: "hint", id: `${id}-hint` }, plain(block.hint)));
  showProblem(box, ctx.problems?.[block.block_id]);
  return box;
}

/** Show or clear the sentence under a field. */
export function showProblem(box, sentence) {
  box.classList.toggle("has-error", Boolean(sentence));
  const field = box.querySelector("[data-labelled], input, textarea, .choices");
  if (sentence) field?.setAttribute("aria-invalid", "true");
  else field?.removeAttribute("aria-invalid");
  box.querySelector(".field-error").replaceChildren(...(sentence ? [icon("error"), h("span", null, sentence)] : []));
}

const LEVELS = { info: "info", warning: "warning", error: "error", success: "success", default: "info" };
const alert = (block) => h("div", { class: `alert ${block.level || "default"}`,
  role: block.level === "error" ? "alert" : "status" },
  icon(LEVELS[block.level] || "info"), h("div", null, textObject(block.text)));

function card(block, ctx) {
  const words = (part, kind) => part && h("div", { class: kind }, textObject(part));
  const mark = block.icon ? image(block.icon, false) : block.slack_icon && h("span", { class: "card-icon" }, icon("bars"));
  return h("article", { class: "card" },
    block.hero_image && h("div", { class: "hero" }, image(block.hero_image, true)),
    (mark || block.title || block.subtitle) && h("div", { class: "card-head" }, mark,
      h("div", null, words(block.title, "card-title"), words(block.subtitle, "card-subtitle"))),
    words(block.body, "card-body"), words(block.subtext, "card-subtext"),
    block.actions?.length && h("div", { class: "actions" }, block.actions.map((each) => element(each, block, ctx))));
}

const carousel = (block, ctx) => h("div", { class: "carousel", tabindex: 0, role: "group" },
  (block.elements || []).map((each) => card({ ...each, block_id: each.block_id || block.block_id }, ctx)));

function container(block, ctx) {
  const title = block.rich_text_title ? richText(block.rich_text_title.elements) : plain(block.title);
  const heading = [h("span", { class: "container-title" }, title),
    block.subtitle && h("span", { class: "container-subtitle" }, plain(block.subtitle))];
  const inside = drawBlocks(h("div", { class: "blocks" }), block.child_blocks, ctx);
  const look = { class: `container ${block.width || "standard"}${block.has_header_divider ? " divided" : ""}` };
  if (!block.is_collapsible) return h("section", look, h("div", { class: "container-head" }, heading), inside);
  return h("details", { ...look, open: !block.default_collapsed },
    h("summary", { class: "container-head" }, icon("right"), heading), inside);
}

const MARK_OF_STATUS = { complete: "success", error: "error", in_progress: "clock", pending: "circle" };

function taskCard(block, ctx) {
  return h("div", { class: `task-card ${block.status || "pending"}` },
    h("div", { class: "task-head" }, icon(MARK_OF_STATUS[block.status] || "circle"), h("span", null, plain(block.title)),
      h("span", { class: "task-status" }, say(block.status || "pending"))),
    block.details && h("div", { class: "task-details" }, richText(block.details.elements)),
    block.output && h("div", { class: "task-output" }, richText(block.output.elements)),
    block.sources?.length && h("div", { class: "task-sources" }, block.sources.map((each) => element(each, block, ctx))));
}

const plan = (block, ctx) => h("section", { class: "plan" }, h("div", { class: "plan-title" }, plain(block.title)),
  (block.tasks || []).map((task) => taskCard(task, ctx)));

function video(block) {
  const url = safeUrl(block.title_url || block.video_url);
  return h("figure", { class: "video", "aria-label": block.alt_text },
    h("div", { class: "video-stand-in" }, icon("play"), h("span", null, say("video"))),
    h("figcaption", null, url ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" },
      plain(block.title)) : plain(block.title),
      block.description && h("p", null, plain(block.description)), block.author_name && h("small", null, block.author_name)));
}

const authProvider = (block, ctx) => card({ title: { type: "plain_text", text: block.name || block.provider_name || "" },
  body: block.description && { type: "plain_text", text: plain(block.description) } }, ctx);

const BLOCKS = {
  section, header, actions, context, input, alert, card, carousel, container, plan, video, table,
  divider: () => h("hr"), image: imageBlock, rich_text: (block) => richText(block.elements),
  markdown: (block) => h("div", { class: "markdown rich" }, markdownParts(block.text)),
  context_actions: (block, ctx) => h("div", { class: "context-actions" },
    (block.elements || []).map((each) => element(each, block, ctx))),
  data_table: dataTable, data_visualization: chart, task_card: taskCard, auth_provider: authProvider,
  file: (block) => h("div", { class: "file-card" }, icon("file"), h("span", null, block.external_id || say("file"))),
  call: (block) => h("div", { class: "file-card" }, icon("circle"), h("span", null, block.call_id || "")),
};

export const blockTypes = () => Object.keys(BLOCKS);

/** Draw one block; an unknown type is named rather than dropped. */
export function drawBlock(block, ctx) {
  const draw = BLOCKS[block?.type];
  const inside = draw ? draw(block, ctx) : h("div", { class: "unknown" }, say("cannotShow", { type: block?.type }));
  return h("div", { class: `block block-${String(block?.type).replace(/\W/g, "")}` }, inside);
}

/** Draw blocks into parent, leaving those alone that have not changed. */
export function drawBlocks(parent, blocks = [], ctx) {
  const seen = new Map();
  return keep(parent, blocks.map((each, at) => {
    const block = each.block_id ? each : { ...each, block_id: `block-${at}` };
    const count = (seen.get(block.block_id) || 0) + 1;
    seen.set(block.block_id, count);
    return { key: `${block.block_id}#${count}`, sig: `${ctx.sig || ""}${JSON.stringify(block)}`,
      make: () => drawBlock(block, ctx) };
  }));
}

/** Blocks as the server gave them, each with a block_id. */
export const withIds = (blocks = []) => blocks.map((block, at) => (block.block_id ? block : { ...block, block_id: `block-${at}` }));
