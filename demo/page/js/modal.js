// Modals: the top of the stack the server keeps, drawn in one dialog.

import { closeView, submitView } from "./api.js";
import { drawBlocks, showProblem, withIds } from "./blocks.js";
import { problemsOf } from "./checks.js";
import { notice, onEscape } from "./dialogs.js";
import { h, keepOne } from "./dom.js";
import { when } from "./events.js";
import { icon } from "./icons.js";
import { forgetPlace, keepOnly, valuesOf } from "./inputs.js";
import { appAvatar } from "./people.js";
import { closeOrphan } from "./popover.js";
import { plain } from "./richtext.js";
import { changed, world } from "./world.js";
import { languageOf, say } from "./words.js";

const problems = new Map(); // view id -> {block_id: sentence}
const hashes = new Map();
const contexts = new Map();
let dialog = null;
let busy = null; // id of the view being submitted
let shownId = null;
let shownAs = null; // what stands in it: another window in the same place is read from its top

const top = () => world.views[world.views.length - 1] || null;

function contextOf(view) {
  if (hashes.get(view.id) !== view.hash) problems.delete(view.id);
  hashes.set(view.id, view.hash);
  if (!problems.has(view.id)) problems.set(view.id, {});
  // One object per view for as long as it is open: fields that are kept must see the blocks of today.
  const ctx = Object.assign(contexts.get(view.id) || {}, { container: { type: "view", view_id: view.id }, surface: "modal", key: view.id,
    sig: languageOf(world.me.locale || ""), blocks: withIds(view.blocks), problems: problems.get(view.id), submit: () => submit() });
  contexts.set(view.id, ctx);
  keepOnly(view.id, ctx.blocks);
  return ctx;
}

function make(view) {
  return h("div", { class: "modal-inside" },
    h("header", { class: "modal-head" }, h("div", { class: "modal-lead" }), h("h2", { id: "modal-title", tabindex: -1 }),
      h("button", { type: "button", class: "icon-button", "aria-label": say("close"), data: { do: "clear-views" } },
        icon("close"))),
    h("div", { class: "modal-body", tabindex: -1 }, h("div", { class: "blocks" })),
    h("footer", { class: "modal-foot", data: { view: view.id } }));
}

function footer(view) {
  const isAlone = !view.submit;
  return [
    h("button", { type: "button", class: "button plain", data: { do: "close-view" } },
      h("span", { class: "button-text" }, plain(view.close) || say(isAlone ? "close" : "cancel"))),
    view.submit && h("button", { type: "button", class: `button primary${busy === view.id ? " busy" : ""}`,
      "aria-busy": busy === view.id ? "true" : null, disabled: view.submit_disabled === true, data: { do: "submit-view" } },
      h("span", { class: "button-text" }, plain(view.submit) || say("submit"))),
  ].filter(Boolean);
}

function close() {
  dialog.close();
  dialog.remove();
  dialog = null;
  shownId = null;
}

/** Draw the stack as it is now. */
export function drawModal() {
  const view = top();
  const open = new Set(world.views.map((each) => each.id));
  for (const id of [...contexts.keys()].filter((known) => !open.has(known))) {
    contexts.delete(id);
    problems.delete(id);
    hashes.delete(id);
    forgetPlace(id);
  }
  if (busy && (!open.has(busy) || view?.id !== busy)) busy = null;
  if (!view) {
    if (dialog) close();
    return;
  }
  if (!dialog) {
    dialog = h("dialog", { class: "modal", "aria-labelledby": "modal-title", data: { keys: "modal" } });
    dialog.addEventListener("cancel", (event) => {
      if (event.target !== dialog) return;
      event.preventDefault();
      closeTop();
    });
    onEscape(dialog, () => { closeTop(); });
    document.body.append(dialog);
  }
  const ctx = contextOf(view);
  keepOne(dialog, view.id, () => make(view));
  dialog.querySelector(".modal-lead").replaceChildren(world.views.length > 1
    ? h("button", { type: "button", class: "icon-button", "aria-label": say("back"), data: { do: "close-view" } },
      icon("left")) : appAvatar("small"));
  dialog.querySelector("h2").textContent = plain(view.title);
  drawBlocks(dialog.querySelector(".modal-body > .blocks"), ctx.blocks, ctx);
  closeOrphan();
  for (const box of dialog.querySelectorAll("[data-input-block]")) showProblem(box, ctx.problems[box.dataset.inputBlock]);
  const foot = dialog.querySelector(".modal-foot");
  keepOne(foot, JSON.stringify([view.submit, view.close, view.submit_disabled, busy === view.id, ctx.sig]),
    () => h("div", { class: "modal-buttons" }, footer(view)));
  if (!dialog.open) dialog.showModal();
  if (shownId !== view.id) focusFirst();
  else if (shownAs !== view.callback_id) dialog.querySelector(".modal-body").scrollTop = 0;
  shownId = view.id;
  shownAs = view.callback_id;
}

function focusFirst() {
  const wide = matchMedia("(min-width: 721px)").matches;
  const first = dialog.querySelector("[autofocus]") || (wide && dialog.querySelector(".modal-body :is(input:not([type=file]), textarea, .select-open)"));
  const isDraft = first instanceof HTMLTextAreaElement;
  (first || dialog.querySelector("h2")).focus({ preventScroll: !first || isDraft });
  if (isDraft) { // read from its beginning; Firefox goes to its end later, unless it was told not to scroll
    first.scrollIntoView({ block: "nearest" });
    first.scrollTop = 0;
  }
}

function showProblems(view, found) {
  problems.set(view.id, found);
  const ctx = contexts.get(view.id);
  if (ctx) ctx.problems = found;
  drawModal();
  const box = dialog?.querySelector(".input.has-error");
  box?.scrollIntoView({ block: "center" });
  box?.querySelector("[data-labelled], input, textarea")?.focus({ preventScroll: true });
}

async function submit() {
  const view = top();
  if (!view || busy || !view.submit) return;
  const ctx = contexts.get(view.id);
  const found = problemsOf(ctx, ctx.blocks);
  if (Object.keys(found).length) {
    showProblems(view, found);
    return;
  }
  busy = view.id;
  changed();
  try {
    const answer = await submitView(view.id, valuesOf(ctx, ctx.blocks));
    if (answer.errors) showProblems(view, answer.errors);
    else if (!answer.ok) notice(answer.message || say("submitFailed", { error: answer.error || "unknown_error" }), "error");
  } catch {
    notice(say("unreachable"), "error");
  }
  busy = null;
  changed();
}

async function closeTop(clear = false) {
  const view = top();
  if (!view) return;
  try {
    await closeView(view.id, clear);
  } catch {
    notice(say("unreachable"), "error");
  }
}

when("do", "close-view", () => { closeTop(); });
when("do", "clear-views", () => { closeTop(world.views.length > 1); });
when("do", "submit-view", () => { submit(); });
