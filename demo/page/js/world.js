// What the server last said, and where the reader is looking. Nothing here is decided by the page.

export const world = { workspace: {}, me: null, users: new Map(), channels: [], dms: [], messages: {}, home: null,
  views: [], commands: [], shortcuts: [], app: {}, lab: null, mail: null, loaded: false, latest: 0 };

// What belongs to this window only: the place shown, panes open, the line to the server.
export const ui = { place: { kind: "channel", channel: null, thread: null, mail: null }, drawer: false, lab: false,
  line: "connecting", unread: new Map(), failed: new Set() };

const listeners = new Set();
let queued = false;

export function whenever(listener) {
  listeners.add(listener);
}

/** Ask for one redraw after the current work. */
export function changed() {
  if (queued) return;
  queued = true;
  queueMicrotask(() => {
    queued = false;
    for (const listener of listeners) listener();
  });
}

/** Take a whole answer of /_page/state. */
export function takeState(state) {
  world.workspace = typeof state.workspace === "object" && state.workspace ? state.workspace : { name: state.workspace };
  world.users = new Map((state.users || []).map((user) => [user.id, user]));
  const me = typeof state.me === "object" && state.me ? state.me : { id: state.me };
  world.me = { ...world.users.get(me.id), ...me };
  world.channels = state.channels || [];
  world.dms = state.dms || [];
  world.messages = {};
  for (const [channel, messages] of Object.entries(state.messages || {})) {
    world.messages[channel] = [...messages].sort(byTime);
    for (const message of messages) heard(message);
  }
  world.home = state.home || null;
  world.views = state.views || [];
  world.commands = state.commands || [];
  world.shortcuts = state.shortcuts || [];
  world.app = state.app || {};
  world.usergroups = new Map((state.usergroups || []).map((group) => [group.id, group]));
  takeLab(state.lab);
  world.loaded = true;
  for (const channel of [...world.channels, ...world.dms]) ui.unread.set(channel.id, channel.unread || 0);
  changed();
}

// What a stage has beside its Slack: things to switch, and the mail that was sent (null: it keeps none).
function takeLab(lab) {
  world.lab = labOf(lab);
  world.mail = lab?.mail ? [...lab.mail].sort((one, other) => other.at - one.at || other.id - one.id) : null;
  for (const mail of world.mail || []) world.latest = Math.max(world.latest, mail.at);
}

// A lab with nothing in it is no lab.
function labOf(lab) {
  const sections = Array.isArray(lab) ? lab : lab?.sections || [];
  return sections.length ? sections : null;
}

const byTime = (one, other) => Number(one.ts) - Number(other.ts);

// When the newest message was said, in unix seconds.
function heard(message) {
  world.latest = Math.max(world.latest, Number(message.ts) || 0);
}

function put(channel, message) {
  heard(message);
  const list = (world.messages[channel] ||= []);
  const at = list.findIndex((known) => known.ts === message.ts);
  if (at >= 0) list[at] = message;
  else {
    list.push(message);
    list.sort(byTime);
  }
}

function drop(channel, ts) {
  world.messages[channel] = (world.messages[channel] || []).filter((message) => message.ts !== ts);
}

function noticeUnread(channel, message) {
  const isReply = message.thread_ts && message.thread_ts !== message.ts && !message.reply_broadcast;
  if (channel === ui.place.channel || message.user === world.me?.id || isReply) return;
  ui.unread.set(channel, (ui.unread.get(channel) || 0) + 1);
}

const replaced = (event) => {
  const channel = event.channel || event.message?.channel;
  if (event.ts && event.ts !== event.message?.ts) drop(channel, event.ts);
  put(channel, event.message);
};

const EVENTS = {
  message(event) {
    const channel = event.channel || event.message.channel;
    put(channel, event.message);
    noticeUnread(channel, event.message);
  },
  message_changed: replaced,
  message_deleted: (event) => drop(event.channel, event.ts || event.message?.ts),
  ephemeral: (event) => EVENTS.message(event),
  ephemeral_replaced: replaced,
  ephemeral_deleted: (event) => drop(event.channel, event.ts || event.message?.ts),
  views: (event) => { world.views = event.views || event.stack || []; },
  home: (event) => { world.home = event.view === undefined ? event.home : event.view; },
  channel(event) {
    const list = event.channel.user_id || event.channel.bot ? world.dms : world.channels;
    const at = list.findIndex((known) => known.id === event.channel.id);
    if (at >= 0) list[at] = { ...list[at], ...event.channel };
    else list.push(event.channel);
  },
  lab: (event) => takeLab(event.lab),
};

/** Take one live event; unknown kinds are ignored, so that the server may learn new ones first. */
export function takeEvent(event) {
  const taken = EVENTS[event.type];
  if (!taken) return false;
  taken(event);
  changed();
  return true;
}

export const unreadMail = () => (world.mail || []).filter((mail) => !mail.is_read).length;
export const appDm = () => world.dms.find((dm) => dm.bot || dm.is_bot || dm.user_id === world.app.bot_user_id) || null;
export const channelOf = (id) => world.channels.find((channel) => channel.id === id) || world.dms.find((dm) => dm.id === id);
export const nameOf = (userId) => world.users.get(userId)?.name || (userId === world.app.bot_user_id ? world.app.name : userId);
export const isReply = (message) => message.thread_ts && message.thread_ts !== message.ts;
export const localeOf = () => world.me?.locale || "ko-KR";
export const zoneOf = () => world.me?.tz || world.me?.timezone || Intl.DateTimeFormat().resolvedOptions().timeZone;
