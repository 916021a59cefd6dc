// Confirm dialogs and passing notices.

import { freshId, h } from "./dom.js";
import { composing, when } from "./events.js";
import { icon } from "./icons.js";
import { plain, textObject } from "./richtext.js";
import { say } from "./words.js";

/** Escape for this dialog alone: a browser may close a dialog together with the one below it, without asking. */
export function onEscape(dialog, act) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || composing(event) || event.defaultPrevented) return;
    if (event.target.closest("dialog") !== dialog || document.querySelector(":popover-open")) return;
    event.preventDefault();
    act();
  });
}

/** Ask with a Slack confirm object; true when the reader agreed. Without one there is nothing to ask. */
export function confirmed(confirm) {
  if (!confirm) return Promise.resolve(true);
  const id = freshId("confirm");
  const danger = confirm.style === "danger";
  const dialog = h("dialog", { class: "confirm", role: "alertdialog", "aria-labelledby": `${id}-title`,
    "aria-describedby": `${id}-text` },
    h("h2", { id: `${id}-title` }, plain(confirm.title)),
    h("div", { class: "confirm-text", id: `${id}-text` }, textObject(confirm.text)),
    h("div", { class: "confirm-buttons" },
      h("button", { type: "button", class: "button plain", value: "no", autofocus: danger }, plain(confirm.deny) || say("no")),
      h("button", { type: "button", class: `button ${danger ? "danger" : "primary"}`, value: "yes", autofocus: !danger },
        plain(confirm.confirm) || say("yes"))));
  (document.querySelector("dialog.modal[open]") || document.body).append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) dialog.close(button.value);
    });
    dialog.addEventListener("cancel", (event) => event.stopPropagation());
    onEscape(dialog, () => dialog.close("no"));
    dialog.addEventListener("close", (event) => {
      event.stopPropagation();
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
  });
}

const shelf = h("div", { class: "notices", role: "status", "aria-live": "polite" });
const ICONS = { error: "error", warning: "warning", success: "success" };

/** Show a sentence that goes away by itself; errors stay until closed. */
export function notice(text, level = "info") {
  // Above an open modal only what is inside it can be reached.
  (document.querySelector("dialog.modal[open]") || document.body).append(shelf);
  const known = [...shelf.children].find((each) => each.dataset.text === text);
  known?.remove();
  const node = h("div", { class: `notice ${level}`, data: { text } }, icon(ICONS[level] || "info"), h("span", null, text),
    h("button", { type: "button", class: "icon-button", "aria-label": say("close"), data: { do: "close-notice" } }, icon("close")));
  shelf.append(node);
  if (level !== "error") setTimeout(() => node.remove(), 5000);
}

when("do", "close-notice", (button) => { button.closest(".notice").remove(); });

const tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });

/** Show data-tip beside the pointer. */
export function listenForTips() {
  document.body.append(tip);
  document.addEventListener("pointermove", (event) => {
    const on = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
    tip.hidden = !on;
    if (!on) return;
    (on.closest("dialog") || document.body).append(tip);
    const [first, ...rest] = on.getAttribute("data-tip").split("\n");
    tip.replaceChildren(h("b", null, first), ...rest.map((line) => h("span", null, line)));
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 10)}px`;
  });
}
