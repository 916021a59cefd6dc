// The lab: traffic to watch, keys to copy and faults to switch, as the server offers them.

import { labAction } from "./api.js";
import { notice } from "./dialogs.js";
import { h, keep } from "./dom.js";
import { when } from "./events.js";
import { icon } from "./icons.js";
import { trafficCard } from "./traffic.js";
import { localeOf, ui, world } from "./world.js";
import { say } from "./words.js";

function row(item, place) {
  if (item.traffic) return trafficCard();
  if (item.action) {
    return h("div", { class: "lab-row" }, h("span", { class: "lab-label" }, item.label, item.hint && h("small", null, item.hint)),
      item.value !== undefined && h("span", { class: "lab-value" }, String(item.value)),
      h("button", { type: "button", class: `button small ${item.style || "plain"}`, "aria-label": item.label,
        data: { do: "lab-act", place } }, h("span", { class: "button-text" }, item.button || icon("play"))));
  }
  return h("div", { class: "lab-row stacked" },
    h("span", { class: "lab-label" }, item.label, item.hint && h("small", null, item.hint)),
    h("span", { class: "lab-copy" }, h("code", { tabindex: 0 }, String(item.value ?? "")),
      item.copy && h("button", { type: "button", class: "icon-button", "aria-label": `${say("copy")}: ${item.label}`,
        title: say("copy"), data: { do: "lab-copy", place } }, icon("copy"))));
}

const sections = () => world.lab || [];
const itemAt = (place) => {
  const [section, item] = place.split(".").map(Number);
  return sections()[section].items[item];
};

function panel() {
  return h("aside", { class: "pane lab", "aria-label": say("lab") },
    h("header", { class: "pane-head" }, icon("lab"), h("h2", null, say("lab")),
      h("button", { type: "button", class: "icon-button", "aria-label": say("close"), data: { do: "toggle-lab" } }, icon("close"))),
    h("div", { class: "stream lab-body", tabindex: 0 }, h("p", { class: "lab-hint" }, say("labHint")),
      sections().map((section, at) => h("section", { class: "lab-section" }, h("h3", null, section.title),
        section.hint && h("p", { class: "lab-hint" }, section.hint),
        (section.items || []).map((item, index) => row(item, `${at}.${index}`))))));
}

/** Draw the lab when it is open. */
export function drawLab(root) {
  keep(root, ui.lab && world.lab ? [{ key: "lab", sig: JSON.stringify([world.lab, localeOf()]), make: panel }] : []);
}

when("do", "lab-copy", async (button) => {
  const text = String(itemAt(button.dataset.place).value ?? "");
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const words = button.parentElement.querySelector("code");
    getSelection().selectAllChildren(words);
    document.execCommand("copy");
  }
  notice(say("copied"), "success");
});

when("do", "lab-act", async (button) => {
  const { action } = itemAt(button.dataset.place);
  button.classList.add("busy");
  try {
    const answer = await labAction(action);
    // A provider's own refusal ({error: {message}}) is passed on as it is.
    const wrong = answer.ok === false || answer.error;
    notice(wrong ? String(answer.error?.message || answer.error) : say("done"), wrong ? "error" : "success");
  } catch {
    notice(say("unreachable"), "error");
  }
  button.classList.remove("busy");
});
