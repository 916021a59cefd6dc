// From a click to the payload Slack would send: confirm first, show that it is on its way, say when it failed.

import { sendAction, useShortcut } from "./api.js";
import { boundOf } from "./bound.js";
import { confirmed, notice } from "./dialogs.js";
import { when } from "./events.js";
import { enter, stateOf, valueOf, valuesOf } from "./inputs.js";
import { showProblem } from "./blocks.js";
import { openMenu } from "./popover.js";
import { plain, words } from "./richtext.js";
import { safeUrl } from "./dom.js";
import { say } from "./words.js";
import { world } from "./world.js";

const common = (element, block) => ({ type: element.type, block_id: block.block_id, action_id: element.action_id });

function buttonAction(element, block) {
  return { ...common(element, block), text: element.text, ...(element.value === undefined ? {} : { value: element.value }),
    ...(element.style ? { style: element.style } : {}) };
}

/** Send one action of a place; while it is away its node is busy. */
async function send(node, action, ctx) {
  node?.classList.add("busy");
  node?.setAttribute("aria-busy", "true");
  try {
    const answer = await sendAction(ctx.container, action, valuesOf(ctx, ctx.blocks));
    if (!answer.ok) notice(answer.message || say("actionFailed", { error: answer.error || "unknown_error" }), "error");
  } catch {
    notice(say("unreachable"), "error");
  } finally {
    node?.classList.remove("busy");
    node?.removeAttribute("aria-busy");
  }
}

when("do", "press", async (node, event) => {
  const { element, block, ctx } = boundOf(node);
  if (node.classList.contains("busy")) return;
  if (element.confirm) event.preventDefault();
  if (!(await confirmed(element.confirm))) return;
  if (element.confirm && node.href) window.open(node.href, "_blank", "noopener");
  send(node, buttonAction(element, block), ctx);
});

when("do", "feedback", (node) => {
  const { element, block, ctx } = boundOf(node);
  const side = element[node.dataset.side];
  send(node, { ...common(element, block), text: side.text, value: side.value }, ctx);
});

when("do", "open-shortcuts", (node) => {
  const { channel, ts } = node.dataset;
  node.dataset.align = "end";
  openMenu(node, say("menu"), world.shortcuts.map((shortcut) => ({
    label: shortcut.name,
    run: async () => {
      const answer = await useShortcut(channel, ts, shortcut.callback_id).catch(() => ({ message: say("unreachable") }));
      if (!answer.ok) notice(answer.message || say("actionFailed", { error: answer.error || "unknown_error" }), "error");
    },
  })));
});

when("do", "open-overflow", (node) => {
  const { element, block, ctx } = boundOf(node);
  node.dataset.align = "end";
  openMenu(node, say("menu"), (element.options || []).map((option) => ({
    label: words(option.text), more: plain(option.description), href: option.url ? safeUrl(option.url) : null,
    run: async () => {
      if (await confirmed(element.confirm)) send(node, { ...common(element, block), selected_option: option }, ctx);
    },
  })));
});

/** An element outside an input block acts at once; inside, only when the block asks for it. */
const acts = (block) => block.type !== "input" || block.dispatch_action === true;

async function changedValue(node, before, redraw) {
  const { element, block, ctx } = boundOf(node);
  const box = node.closest(".input");
  if (box) showProblem(box, null);
  if (ctx.problems) delete ctx.problems[block.block_id];
  if (!acts(block)) return;
  if (!(await confirmed(element.confirm))) {
    enter(ctx, block, element, before);
    redraw?.();
    return;
  }
  send(node, { ...common(element, block), ...stateOf(ctx, block, element) }, ctx);
}

document.addEventListener("picked", ({ target, detail }) => { changedValue(target, detail.before, detail.redraw); });

when("change", "choose", (input) => {
  const { element, block, ctx } = boundOf(input);
  const before = valueOf(ctx, block, element);
  const group = input.closest(".choices");
  const chosen = [...group.querySelectorAll("input:checked")].map((each) => element.options[Number(each.dataset.at)]);
  enter(ctx, block, element, element.type === "checkboxes" ? chosen : chosen[0] || null);
  changedValue(group, before, () => {
    const values = new Set([before].flat().filter(Boolean).map((option) => option.value));
    for (const each of group.querySelectorAll("input")) each.checked = values.has(each.value);
  });
});

const triggers = (element) => element.dispatch_action_config?.trigger_actions_on || ["on_enter_pressed"];

when("input", "typed", (node) => {
  const { element, block, ctx } = boundOf(node);
  const before = valueOf(ctx, block, element);
  enter(ctx, block, element, node.value);
  if (block.dispatch_action && triggers(element).includes("on_character_entered")) changedValue(node, before);
  else {
    const box = node.closest(".input");
    if (box?.classList.contains("has-error")) showProblem(box, null);
    if (ctx.problems) delete ctx.problems[block.block_id];
  }
});

when("keys", "typed", (node, event) => {
  if (event.key !== "Enter" || (element(node).multiline && !event.ctrlKey && !event.metaKey)) return;
  const { block, ctx } = boundOf(node);
  event.preventDefault();
  if (block.dispatch_action && triggers(element(node)).includes("on_enter_pressed")) changedValue(node, node.value);
  else ctx.submit?.();
});

const element = (node) => boundOf(node).element;

when("change", "files", (input) => {
  const node = input.closest(".file-field");
  const { element: json, block, ctx } = boundOf(node);
  const files = [...input.files].slice(0, json.max_files || 10).map((file,
    at) => ({ id: `F0LOCAL${at}`, name: file.name, mimetype: file.type, size: file.size }));
  const before = valueOf(ctx, block, json);
  enter(ctx, block, json, files);
  node.querySelector(".file-names").textContent = files.map((file) => file.name).join(", ") || say("noFile");
  changedValue(node, before);
});
