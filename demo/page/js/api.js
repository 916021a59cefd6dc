// Everything the page tells the server, and the one line on which it hears back.

import { changed, takeEvent, takeState, ui, world } from "./world.js";

export class Unreachable extends Error {}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Unreachable("no answer");
  }
  const body = await answer.json().catch(() => null);
  if (body === null) throw new Unreachable(`HTTP ${answer.status}`);
  return body;
}

async function post(path, body, method = "POST") {
  const answer = await ask(path, {
    method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}),
  });
  // Without the live line nobody would tell us what this changed.
  if (ui.line !== "open") refresh().catch(() => {});
  return answer;
}

const mine = (body) => ({ user: world.me.id, ...body });

export const sendMessage = (channel, text, threadTs) =>
  post("/_page/message", mine({ channel, text, ...(threadTs ? { thread_ts: threadTs } : {}) }));
export const sendCommand = (channel, text) => post("/_page/command", mine({ channel, text }));
export const sendAction = (container, action, values) =>
  post("/_page/action", mine({ container, action, state: { values } }));
export const useShortcut = (channel, ts, callbackId) =>
  post("/_page/shortcut", mine({ channel, message_ts: ts, callback_id: callbackId }));
export const submitView = (viewId, values) => post("/_page/submit", mine({ view_id: viewId, values }));
export const closeView = (viewId, clear) =>
  post("/_page/close", mine({ view_id: viewId, ...(clear ? { clear: true } : {}) }));
export const askOptions = (container, blockId, actionId, value) =>
  post("/_page/options", mine({ container, block_id: blockId, action_id: actionId, value }));
export const markRead = (channel) => post("/_page/read", mine({ channel }));
export const readMail = (id) => post("/_sim/mail/read", { id });
export const openHome = (tab) => post("/_page/home", mine({ tab }));
/** Do what a lab switch says; only this server's own paths are ever called. */
export const labAction = (action) => {
  const path = String(action.path || "");
  if (!path.startsWith("/") || path.startsWith("//")) throw new Error(`not a path of this server: ${path}`);
  return post(path, action.body, action.method || "POST");
};

let asking = 0;
let heardMeanwhile = false;

/** Read everything anew. What arrives while the answer is on its way may be older or newer: then ask once more. */
export async function refresh(userId = world.me?.id) {
  const mineNow = (asking += 1);
  heardMeanwhile = false;
  const state = await ask(`/_page/state?user=${encodeURIComponent(userId || "")}`);
  if (mineNow !== asking) return;
  // A person this workspace does not know: whoever the server offers first.
  if (state.ok === false && userId) await refresh("");
  else if (state.ok === false) throw new Unreachable(state.error);
  else takeState(state);
  if (heardMeanwhile && mineNow === asking) await refresh(world.me.id);
}

let socket = null;
let tries = 0;
let again = 0;
let hearNotice = () => {};

export const onNotice = (listener) => { hearNotice = listener; };

function line(state) {
  if (ui.line === state) return;
  ui.line = state;
  changed();
}

/** Listen as this person; after a loss come back by ourselves, slower each time, and read the state anew. */
export function listen(userId) {
  clearTimeout(again);
  const old = socket;
  socket = null;
  old?.close();
  const address = new URL(`/_page/live?user=${encodeURIComponent(userId)}`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const mineNow = (socket = new WebSocket(address));
  mineNow.addEventListener("open", () => {
    tries = 0;
    line("open");
    // Something may have happened between the state we hold and this line.
    refresh(userId).catch(() => {}).finally(() => { document.body.dataset.line = "open"; });
  });
  mineNow.addEventListener("message", ({ data }) => {
    if (mineNow !== socket) return;
    const event = JSON.parse(data);
    heardMeanwhile = true;
    if (!takeEvent(event) && event.type === "notice") hearNotice(event);
  });
  mineNow.addEventListener("close", () => {
    if (mineNow !== socket) return;
    tries += 1;
    line("lost");
    again = setTimeout(() => listen(userId), Math.min(8000, 250 * 2 ** tries));
  });
}
