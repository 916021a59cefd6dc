// The middle of the page: a channel, a conversation, or the app's Home; and the thread beside it.

import { markRead } from "./api.js";
import { drawBlocks, withIds } from "./blocks.js";
import { composer } from "./composer.js";
import { h, keep, keepOne } from "./dom.js";
import { when } from "./events.js";
import { icon, menuButton } from "./icons.js";
import { keepOnly } from "./inputs.js";
import { drawMail } from "./mailbox.js";
import { drawMessages } from "./messages.js";
import { appAvatar, avatar } from "./people.js";
import { go, goChannel, goThread } from "./places.js";
import { trafficPulse, watched } from "./traffic.js";
import { channelOf, isReply, localeOf, nameOf, ui, world } from "./world.js";
import { say } from "./words.js";

function repliesIn(channel) {
  const replies = new Map();
  for (const message of world.messages[channel] || []) {
    if (!isReply(message)) continue;
    if (!replies.has(message.thread_ts)) replies.set(message.thread_ts, []);
    replies.get(message.thread_ts).push(message);
  }
  return replies;
}

function titleOf(channel) {
  const person = channel.user_id && world.users.get(channel.user_id);
  if (channel.user_id || channel.bot) return { mark: person ? avatar(person, "small") : appAvatar("small"),
    name: channel.name || nameOf(channel.user_id) };
  return { mark: h("span", { class: "head-hash" }, icon(channel.is_private ? "lock" : "hash")), name: channel.name };
}

function channelHead(channel) {
  const { mark, name } = titleOf(channel);
  return h("header", { class: "place-head" }, menuButton(), mark, h("h1", null, name),
    channel.topic && h("span", { class: "topic", title: channel.topic }, channel.topic), trafficPulse());
}

function appHead(kind) {
  const tab = (name, hash) => h("a", { role: "tab", href: hash, "aria-selected": String(kind === name), class: "tab" },
    say(name === "home" ? "home" : "messages"));
  return h("header", { class: "place-head app-head" },
    h("div", { class: "place-title" }, menuButton(), appAvatar("small"), h("h1", null, world.app.name || ""),
    h("span", { class: "app-badge" }, say("app"))),
    h("div", { class: "tabs", role: "tablist" }, tab("home", "#/app/home"), tab("app", "#/app/messages")));
}

function welcome(channel, isEmpty) {
  const { mark, name } = titleOf(channel);
  const isTalk = channel.user_id || channel.bot;
  return h("div", { class: "welcome" }, mark, h("h2", null, name),
    h("p", null, channel.topic || say(channel.bot ? "emptyApp" : isTalk ? "emptyDm" : isEmpty ? "emptyChannel" : "beginning",
    { name: isTalk ? name : `#${name}` })));
}

const left = new WeakMap(); // how far down we left a box, if its reader is to stay at the end

function toEnd(box) {
  box.scrollTop = box.scrollHeight;
  left.set(box, box.scrollTop);
}

const atEnd = (box) => box.scrollTop === left.get(box) || box.scrollHeight - box.scrollTop - box.clientHeight < 90;

// Words, charts and pictures that grow after they are drawn: a reader at the end stays at the end. Asked when the
// browser has laid out what it shows anyway; asked at every redraw it would have to, also of what nobody looks at.
const growth = new ResizeObserver((entries) => {
  for (const box of new Set(entries.map(({ target }) => target.closest(".stream")))) {
    if (box?.dataset.stays === "yes") toEnd(box);
  }
});
document.addEventListener("scroll", ({ target }) => {
  if (target instanceof Element && target.matches(".stream")) target.dataset.stays = atEnd(target) ? "yes" : "no";
}, true);

/** Draw messages into a scrolling box that stays at its end while the reader is there. */
function fillStream(box, place, draw) {
  if (box.dataset.place !== place) {
    box.dataset.place = place;
    box.dataset.stays = "yes";
    for (const part of [box, ...box.children]) growth.observe(part);
  }
  draw();
}

/** Whether a message stands in the channel itself; a whisper into a thread that is not open is not lost there. */
function isInChannel(message) {
  if (!isReply(message) || message.reply_broadcast || message.subtype === "thread_broadcast") return true;
  return Boolean(message.ephemeral_for) && ui.place.thread !== message.thread_ts;
}

function drawChannel(main, channel) {
  const place = `channel ${world.me.id} ${channel.id}`;
  const isEmpty = !world.messages[channel.id]?.length;
  keepOne(main, `${place}${localeOf()}`, () => h("section", { class: "place" },
    h("div", { class: "head-slot" }), h("div", { class: "stream", tabindex: 0, role: "log", "aria-label": titleOf(channel).name },
      h("div", { class: "welcome-slot" }), h("div", { class: "messages" })), h("div", { class: "composer-slot" })));
  keepOne(main.querySelector(".head-slot"), JSON.stringify([ui.place.kind, channel, watched()]),
    () => (ui.place.kind === "app" ? appHead("app") : channelHead(channel)));
  keepOne(main.querySelector(".welcome-slot"), JSON.stringify([channel.name, channel.topic, isEmpty]),
    () => welcome(channel, isEmpty));
  keepOne(main.querySelector(".composer-slot"), String(channel.is_member), () => (channel.is_member === false
    ? h("div", { class: "not-member" }, say("notMember"))
    : composer(channel.id, null, say("writeTo",
      { name: channel.user_id || channel.bot ? titleOf(channel).name : `#${channel.name}` }))));
  const stream = main.querySelector(".stream");
  const shown = (world.messages[channel.id] || []).filter(isInChannel);
  fillStream(stream, place, () => drawMessages(stream.querySelector(".messages"), channel.id, shown,
    { repliesOf: repliesIn(channel.id) }));
}

// One object for good: buttons that are kept must see the Home of today.
const homeCtx = {};

function drawHome(main) {
  keepOne(main, `home ${world.me.id}${localeOf()}`,
    () => h("section", { class: "place" }, appHead("home"),
    h("div", { class: "stream home", tabindex: 0 }, h("div", { class: "home-body" }))));
  const body = main.querySelector(".home-body");
  const view = world.home;
  if (!view) {
    keep(body, [{ key: "empty", sig: "empty",
      make: () => h("div", { class: "home-empty" }, appAvatar(), h("h2", null, say("emptyHome")),
      h("p", null, say("emptyHomeHint"))) }]);
    return;
  }
  const key = `home:${world.me.id}`;
  const blocks = withIds(view.blocks);
  keepOnly(key, blocks);
  keep(body, [{ key: "view", sig: "view", make: () => h("div", { class: "blocks home-blocks" }) }]);
  Object.assign(homeCtx, { container: { type: "view", view_id: view.id }, surface: "home", key, sig: `${key}${view.id}`, blocks });
  drawBlocks(body.firstElementChild, blocks, homeCtx);
}

function drawThread(side) {
  const { channel: id, thread: ts } = ui.place;
  const channel = channelOf(id);
  const all = (world.messages[id] || []).filter((message) => message.ts === ts || message.thread_ts === ts);
  keepOne(side, `thread ${world.me.id} ${id} ${ts}${localeOf()}`, () => h("aside", { class: "pane", "aria-label": say("thread") },
    h("header", { class: "pane-head" }, h("h2", null, say("thread")),
      h("span", { class: "topic" }, channel.user_id || channel.bot ? titleOf(channel).name : `#${channel.name}`),
      h("button", { type: "button", class: "icon-button", "aria-label": say("close"), data: { do: "close-thread" } },
        icon("close"))),
    h("div", { class: "stream", tabindex: 0 }, h("div", { class: "messages" }), h("div", { class: "thread-rule" })),
    composer(id, ts, say("reply"))));
  const stream = side.querySelector(".stream");
  if (stream.dataset.place === undefined && matchMedia("(min-width: 721px)").matches) side.querySelector("textarea").focus();
  const replies = all.filter((message) => message.ts !== ts).length;
  stream.querySelector(".thread-rule").textContent = replies ? say("replies", { n: replies }) : "";
  fillStream(stream, `${id}${ts}`, () => drawMessages(stream.querySelector(".messages"), id, all, { inThread: true }));
}

let lastRead = "";

/** Tell the server what has been seen, once per newest message. */
function read(channel) {
  const messages = world.messages[channel.id] || [];
  const mark = `${world.me.id} ${channel.id} ${messages[messages.length - 1]?.ts}`;
  ui.unread.set(channel.id, 0);
  if (mark === lastRead || document.hidden) return;
  lastRead = mark;
  markRead(channel.id).catch(() => {});
}

/** Draw the place the reader is in, and what stands beside it. */
export function drawPlace(main, side) {
  const channel = channelOf(ui.place.channel);
  if (channel) read(channel);
  if (ui.place.kind === "home") drawHome(main);
  else if (ui.place.kind === "mail") drawMail(main);
  else if (channel) drawChannel(main, channel);
  else keep(main, []);
  if (ui.place.thread && channel) drawThread(side);
  else keep(side, []);
}

when("do", "open-channel", (button) => goChannel(button.dataset.channel));
when("do", "open-thread", (button) => goThread(button.dataset.channel, button.dataset.ts));
when("do", "close-thread", () => (ui.place.kind === "app" ? go("#/app/messages") : goThread(ui.place.channel, null)));
