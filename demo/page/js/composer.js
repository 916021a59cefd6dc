// Writing: Enter sends, "/" offers commands, "@" offers people and "#" channels.

import { sendCommand, sendMessage } from "./api.js";
import { notice } from "./dialogs.js";
import { freshId, h } from "./dom.js";
import { when } from "./events.js";
import { icon } from "./icons.js";
import { appAvatar, avatar } from "./people.js";
import { world } from "./world.js";
import { say } from "./words.js";

const drafts = new Map();
const keyOf = (channel, thread) => `${channel}|${thread || ""}`;

/** Draw a composer for a channel or a thread. */
export function composer(channel, thread, placeholder) {
  const list = freshId("suggest");
  return h("form", { class: "composer", data: { channel, thread: thread || "", submit: "compose" } },
    h("div", { class: "suggest", id: list, role: "listbox", "aria-label": say("commands"), hidden: true }),
    h("div", { class: "composer-box" },
      h("textarea", { class: "composer-text", rows: 1, placeholder, "aria-label": placeholder, "aria-autocomplete": "list",
        "aria-controls": list, value: drafts.get(keyOf(channel, thread)) || "", data: { input: "compose", keys: "compose" } }),
      h("button", { type: "submit", class: "send", "aria-label": say("send"), title: say("send"),
        disabled: !drafts.get(keyOf(channel, thread)) }, icon("send"))),
    h("div", { class: "composer-foot" }, h("span", { class: "composer-state", role: "status" }),
      h("span", { class: "composer-hint" }, say("sendHint"))));
}

const boxOf = (node) => node.closest(".composer");
const textOf = (box) => box.querySelector("textarea");

function settle(box) {
  const text = textOf(box);
  drafts.set(keyOf(box.dataset.channel, box.dataset.thread), text.value);
  box.querySelector(".send").disabled = !text.value.trim();
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, 180)}px`;
}

function commandSuggestions(box, text) {
  if (box.dataset.thread || !text.startsWith("/")) return [];
  const [word] = text.split(/\s/);
  const isWhole = /\s/.test(text);
  return world.commands.filter((each) => (isWhole ? each.command === word : each.command.startsWith(word)))
    .map((each) => ({ mark: appAvatar("small"), label: each.command, hint: each.usage_hint, more: each.description,
      put: `${each.command} `, from: 0, isNote: isWhole }));
}

function nameSuggestions(text, caret) {
  const found = /(^|\s)([@#])([^\s@#]*)$/.exec(text.slice(0, caret));
  if (!found) return [];
  const [, , sign, word] = found;
  const from = caret - word.length - 1;
  const fits = (name) => name.toLocaleLowerCase().includes(word.toLocaleLowerCase());
  const app = { id: world.app.bot_user_id, name: world.app.name, is_bot: true };
  const people = [app, ...[...world.users.values()].filter((user) => user.id !== app.id)].filter((user) => user.id && fits(user.name || ""));
  if (sign === "@") return people.map((user) => ({ mark: avatar(user, "small"), label: user.name, more: user.title,
    put: `@${user.name} `, from }));
  return world.channels.filter((channel) => fits(channel.name)).map((channel) => ({ mark: icon("hash"), label: channel.name,
    more: channel.topic, put: `#${channel.name} `, from }));
}

function suggest(box) {
  const text = textOf(box);
  const items = commandSuggestions(box, text.value);
  if (!items.length) items.push(...nameSuggestions(text.value, text.selectionStart));
  const list = box.querySelector(".suggest");
  list.hidden = !items.length;
  list.items = items;
  list.replaceChildren(...items.map((item, at) => h("div",
    { class: `suggest-row${item.isNote ? " note" : ""}`, role: "option", id: `${list.id}-${at}`, "aria-selected": "false",
    data: { do: "take-suggestion", at } },
    item.mark, h("span", { class: "suggest-words" },
      h("span", null, h("b", null, item.label), item.hint && h("span", { class: "suggest-hint" }, ` ${item.hint}`)),
      item.more && h("small", null, item.more)))));
  mark(list, items[0]?.isNote ? -1 : 0);
}

function mark(list, at) {
  const count = list.items?.length || 0;
  list.at = count && at >= 0 ? (at + count) % count : -1;
  [...list.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === list.at)));
  const text = textOf(boxOf(list));
  if (list.at >= 0 && !list.hidden) text.setAttribute("aria-activedescendant", list.children[list.at].id);
  else text.removeAttribute("aria-activedescendant");
}

function take(box, at) {
  const list = box.querySelector(".suggest");
  const item = list.items[at];
  const text = textOf(box);
  const after = item.from === 0 && item.put.startsWith("/") ? "" : text.value.slice(text.selectionStart);
  text.value = text.value.slice(0, item.from) + item.put + after;
  text.focus();
  text.selectionStart = text.selectionEnd = item.from + item.put.length;
  settle(box);
  suggest(box);
}

/** What was written as Slack sends it: & < > escaped, @names and #channels as references. */
export function asSent(text) {
  const escaped = text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const people = [...world.users.values(),
    { id: world.app.bot_user_id, name: world.app.name }].filter((user) => user.id && user.name);
  const names = [...people.map((user) => [`@${user.name}`, `<@${user.id}>`]),
    ...world.channels.map((channel) => [`#${channel.name}`, `<#${channel.id}|${channel.name}>`])];
  return names.sort((one, other) => other[0].length - one[0].length).reduce((sent,
    [name, reference]) => sent.split(name).join(reference), escaped);
}

async function send(box) {
  const text = textOf(box);
  const written = text.value.trim();
  if (!written || box.dataset.busy) return;
  const { channel, thread } = box.dataset;
  const isCommand = /^\/\S/.test(written);
  if (isCommand && thread) {
    notice(say("noCommandsInThread"), "warning");
    return;
  }
  const state = box.querySelector(".composer-state");
  box.dataset.busy = "yes";
  text.value = "";
  settle(box);
  suggest(box);
  const slow = setTimeout(() => { state.textContent = isCommand ? say("waiting",
    { command: written.split(/\s/)[0] }) : say("sending"); }, 350);
  const giveBack = () => {
    if (!text.value) text.value = written;
    settle(box);
  };
  try {
    const answer = isCommand ? await sendCommand(channel, written) : await sendMessage(channel, asSent(written), thread || null);
    if (!answer.ok) {
      const error = answer.error || "unknown_error";
      notice(answer.message || (isCommand ? say("commandFailed", { command: written.split(/\s/)[0], error }) : error), "error");
      giveBack();
    }
  } catch {
    notice(say("unreachable"), "error");
    giveBack();
  }
  clearTimeout(slow);
  state.textContent = "";
  delete box.dataset.busy;
}

function key(node, event) {
  const box = boxOf(node);
  const list = box.querySelector(".suggest");
  if (!list.hidden && list.items?.length) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(list, list.at + (event.key === "ArrowDown" ? 1 : -1));
      return;
    }
    if (event.key === "Escape") {
      event.preventDefault();
      list.hidden = true;
      return;
    }
    const isWhole = list.at >= 0 && list.items[list.at].put.trim() === node.value.trim();
    if (list.at >= 0 && (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !isWhole))) {
      event.preventDefault();
      take(box, list.at);
      return;
    }
  }
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  list.hidden = true;
  send(box);
}

when("input", "compose", (node) => {
  settle(boxOf(node));
  suggest(boxOf(node));
});
when("keys", "compose", key);
when("submit", "compose", (form) => { send(form); });
when("do", "take-suggestion", (row) => {
  const box = boxOf(row);
  if (!box.querySelector(".suggest").items[Number(row.dataset.at)].isNote) take(box, Number(row.dataset.at));
});
