// The lab: traffic to watch, keys to copy and faults to switch, as the server offers them.

import { labAction } from "./api.js";
import { notice } from "./dialogs.js";
import { freshId, h, keep } from "./dom.js";
import { when } from "./events.js";
import { icon } from "./icons.js";
import { trafficCard } from "./traffic.js";
import { localeOf, ui, world } from "./world.js";
import { inWords, say } from "./words.js";

/** What is filled in before an action: words, or a choice of `options`. */
function field({ name, label, placeholder, options }) {
  const attributes = { class: "field lab-field", name, "aria-label": inWords(label) || placeholder || name };
  return options ? h("select", attributes, options.map((each) => h("option", { value: each }, each)))
    : h("input", { ...attributes, type: "text", placeholder, autocomplete: "off", spellcheck: "false" });
}

const filled = (form) => Object.fromEntries([...form.querySelectorAll(".lab-field")].map((each) => [each.name, each.value.trim()]));

function row(given, place) {
  if (given.traffic) return trafficCard();
  const item = { ...given, ...Object.fromEntries(["label", "hint", "note", "button"].filter((name) => name in given)
    .map((name) => [name, inWords(given[name])])) };
  if (item.fields) {
    return h("form", { class: "lab-row lab-form", data: { submit: "lab-fill", place } },
      h("span", { class: "lab-label" }, item.label, item.hint && h("small", null, item.hint)), item.fields.map(field),
      h("button", { type: "submit", class: `button small ${item.style || "plain"}` },
        h("span", { class: "button-text" }, item.button || say("submit"))));
  }
  if (item.note !== undefined) {
    return h("div", { class: "lab-row" }, h("span", { class: "lab-label" }, item.label, item.hint && h("small", null, item.hint)),
      h("span", { class: "lab-value" }, String(item.note)));
  }
  if (item.action) {
    const id = freshId("lab");  // the words press it, too: whoever reads "press …" presses what they read
    return h("div", { class: "lab-row" },
      h("label", { class: "lab-label", for: id }, item.label, item.hint && h("small", null, item.hint)),
      item.value !== undefined && h("span", { class: "lab-value" }, String(item.value)),
      h("button", { type: "button", id, class: `button small ${item.style || "plain"}`, "aria-label": item.label,
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
    h("div", { class: "stream lab-body", tabindex: 0 }, h("p", { class: "lab-hint" }, say("labHint")), h("div", { class: "lab-sections" })));
}

const box = (section) => h("section", { class: "lab-section" }, h("h3", null, inWords(section.title)),
  section.hint && h("p", { class: "lab-hint" }, inWords(section.hint)), h("div", { class: "lab-rows" }));

/** Draw the lab when it is open; what has not changed stays, and with it what is half filled in. */
export function drawLab(root) {
  keep(root, ui.lab && world.lab ? [{ key: "lab", sig: localeOf(), make: panel }] : []);
  if (!root.firstChild) return;
  const drawn = root.querySelector(".lab-sections");
  keep(drawn, sections().map((section) => ({ key: inWords(section.title), sig: JSON.stringify([section.hint, localeOf()]), make: () => box(section) })));
  sections().forEach((section, at) => keep(drawn.children[at].querySelector(".lab-rows"), (section.items || []).map((item, index) => ({
    key: `${inWords(item.label)}${index}`, sig: JSON.stringify([item, at, localeOf()]), make: () => row(item, `${at}.${index}`) }))));
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

when("do", "lab-act", (button) => act(button, itemAt(button.dataset.place).action));
when("submit", "lab-fill", (form) => {
  const { action } = itemAt(form.dataset.place);
  return act(form.querySelector("button"), { ...action, body: { ...action.body, ...filled(form) } });
});

async function act(button, action) {
  if (button.classList.contains("busy")) return;
  button.classList.add("busy");
  try {
    const answer = await labAction(action);
    // A provider's own refusal ({error: {message}}) is passed on as it is.
    const wrong = answer.ok === false || answer.error;
    notice(wrong ? String(answer.error?.message || inWords(answer.error)) : inWords(answer.message) || say("done"),
      wrong ? "error" : "success");
  } catch {
    notice(say("unreachable"), "error");
  }
  button.classList.remove("busy");
}
