// Messages: grouped by author and day, with their blocks, threads and marks.

import { drawBlocks, withIds } from "./blocks.js";
import { h, keep } from "./dom.js";
import { emojiOf } from "./emoji.js";
import { icon } from "./icons.js";
import { keepOnly } from "./inputs.js";
import { richTextOf } from "./mrkdwn.js";
import { appAvatar, avatar } from "./people.js";
import { richText } from "./richtext.js";
import { clockTime, dayOf, dayTitle, wholeTime } from "./times.js";
import { isReply, localeOf, nameOf, world, zoneOf } from "./world.js";
import { say } from "./words.js";

const GROUP_SECONDS = 300;

const authorOf = (message) => message.bot_id || message.user || "app";
const isApp = (message) => Boolean(message.bot_id) || message.user === world.app.bot_user_id || !message.user;

function contextOf(channel, message) {
  const key = `${channel}:${message.ts}`;
  const blocks = withIds(message.blocks);
  keepOnly(key, blocks);
  return { container: { type: "message", channel_id: channel, message_ts: message.ts,
    ...(message.ephemeral_for ? { is_ephemeral: true } : {}),
    ...(message.thread_ts ? { thread_ts: message.thread_ts } : {}) }, surface: "message", key, blocks };
}

function attachment(each, channel, message, at) {
  const colour = /^#?[0-9a-f]{3,8}$/i.test(each.color || "") ? `#${each.color.replace("#", "")}` : "";
  const ctx = { ...contextOf(channel, { ...message, blocks: each.blocks }), key: `${channel}:${message.ts}:a${at}` };
  return h("div", { class: "attachment", style: colour ? { "--edge": colour } : {} },
    each.blocks ? drawBlocks(h("div", { class: "blocks" }), ctx.blocks, ctx) : [each.title && h("strong", null, each.title),
      richText(richTextOf(each.text || each.fallback || ""))]);
}

/** A file that somebody shared: its name, to be kept. */
function fileLink(file) {
  const address = `/files/${encodeURIComponent(file.id)}/${encodeURIComponent(file.name)}`;
  return h("p", { class: "message-file" }, h("a", { href: address, download: file.name }, `📎 ${file.name}`));
}

function body(channel, message) {
  const ctx = contextOf(channel, message);
  const main = ctx.blocks.length
    ? drawBlocks(h("div", { class: "blocks" }), ctx.blocks, ctx)
    : h("div", { class: "message-text" }, richText(richTextOf(message.text)));
  if (message.edited && !ctx.blocks.length) main.lastElementChild?.append(h("span",
    { class: "edited", title: message.edited.ts ? wholeTime(message.edited.ts) : null }, ` ${say("edited")}`));
  return [main, (message.files || []).map(fileLink), (message.attachments || []).map((each, at) => attachment(each, channel, message, at))];
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map((each) => h("span",
    { class: "reaction", title: (each.users || []).map(nameOf).join(", ") }, emojiOf(each.name) || `:${each.name}:`,
    h("b", null, String(each.count)))));
}

function threadLink(channel, message, replies) {
  const count = message.reply_count ?? replies.length;
  if (!count) return null;
  const faces = [...new Map(replies.map((reply) => [authorOf(reply), reply])).values()].slice(-3);
  const last = replies[replies.length - 1];
  return h("button", { type: "button", class: "thread-link", data: { do: "open-thread", channel, ts: message.ts } },
    h("span", { class: "faces" }, faces.map((reply) => (isApp(reply) ? appAvatar("tiny") : avatar(world.users.get(reply.user) || { id: reply.user, name: reply.user }, "tiny")))),
    h("span", { class: "thread-count" }, say("replies", { n: count })),
      last && h("span", { class: "thread-last" }, `${dayTitle(last.ts)} ${clockTime(last.ts)}`));
}

function makeMessage(channel, message, { isFirst, replies, inThread }) {
  const app = isApp(message);
  const user = world.users.get(message.user) || { id: message.user, name: message.username || nameOf(message.user) };
  const name = app ? message.username || world.app.name : user.name;
  const time = (look) => h("time", { class: look, datetime: new Date(Number(message.ts) * 1000).toISOString(),
    title: wholeTime(message.ts) }, clockTime(message.ts));
  const canReply = !inThread && !message.ephemeral_for;
  return h("article", { class: `message${isFirst ? " first" : ""}${message.ephemeral_for ? " ephemeral" : ""}`,
    "aria-label": `${name}, ${clockTime(message.ts)}`, data: { ts: message.ts } },
    message.ephemeral_for && h("div", { class: "only-you" }, icon("eye"), say("onlyYou")),
    h("div", { class: "message-row" },
      h("div", { class: "gutter" }, isFirst ? (app ? appAvatar() : avatar(user)) : time("aside-time")),
      h("div", { class: "message-main" },
        isFirst && h("div", { class: "message-head" }, h("span", { class: "author" }, name),
          app && h("span", { class: "app-badge" }, say("app")), time("time")),
        isReply(message) && !inThread && h("div", { class: "broadcast" }, say("alsoInChannel")),
        body(channel, message), reactions(message), !inThread && threadLink(channel, message, replies))),
    canReply && h("div", { class: "toolbar" },
      h("button", { type: "button", class: "icon-button", title: say("replyInThread"), "aria-label": say("replyInThread"),
      data: { do: "open-thread", channel, ts: message.thread_ts || message.ts } }, icon("reply")),
      world.shortcuts.length > 0 && h("button", { type: "button", class: "icon-button", title: say("menu"),
        "aria-label": say("menu"), data: { do: "open-shortcuts", channel, ts: message.ts } }, icon("dots"))));
}

/** Whether a message goes on where the one before left off: same author, same kind, minutes apart. */
const goesOn = (before, message) => authorOf(before) === authorOf(message)
  && Number(message.ts) - Number(before.ts) <= GROUP_SECONDS
  && Boolean(message.ephemeral_for) === Boolean(before.ephemeral_for) && isReply(message) === isReply(before);

const surroundings = () => `${world.me.id}|${localeOf()}|${zoneOf()}|${world.users.size}`;

/** Draw messages into parent; only those that changed are made anew. */
export function drawMessages(parent, channel, messages, { inThread = false, repliesOf = new Map() } = {}) {
  const items = [];
  let before = null;
  for (const message of messages) {
    const day = dayOf(message.ts);
    const isNewDay = !before || dayOf(before.ts) !== day;
    if (isNewDay && !inThread) items.push({ key: `day ${day}`, sig: `${surroundings()}${dayTitle(message.ts)}`,
      make: () => h("div", { class: "day", role: "separator" }, h("span", null, dayTitle(message.ts))) });
    const isFirst = isNewDay || !goesOn(before, message);
    const replies = repliesOf.get(message.ts) || [];
    items.push({
      key: message.ts, sig: `${surroundings()}${isFirst}${JSON.stringify(message)}${replies.map((reply) => reply.ts)}`,
      make: () => makeMessage(channel, message, { isFirst, replies, inThread }),
    });
    before = message;
  }
  return keep(parent, items);
}
