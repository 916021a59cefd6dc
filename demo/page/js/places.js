// Where the reader is: kept in the address, so that a reload and the back button work.

import { openHome } from "./api.js";
import { appDm, changed, channelOf, ui, world } from "./world.js";

const DEFAULT = "#/app/home";

/** Read "#/C0FINOPS01/1700.1", "#/app/home", "#/app/messages", "#/mail" or "#/mail/3". */
function read() {
  const [first, second] = location.hash.replace(/^#\//, "").split("/").map(decodeURIComponent);
  if (first === "app" && second === "home") return { kind: "home", channel: null, thread: null };
  if (first === "mail" && (world.mail || !world.loaded)) {
    return { kind: "mail", channel: null, thread: null, mail: second ? Number(second) : null };
  }
  if (first === "app") return { kind: "app", channel: appDm()?.id || null,
    thread: second && second !== "messages" ? second : null };
  if (!first || (world.loaded && !channelOf(first))) return null;
  if (first === appDm()?.id) return { kind: "app", channel: first, thread: second || null };
  return { kind: "channel", channel: first, thread: second || null };
}

/** Take the place from the address; without one the app's Home opens, and a channel that is gone becomes the first. */
export function readPlace() {
  const before = ui.place;
  const place = read();
  if (!place) {
    if (!location.hash.replace(/^#\/?/, "")) {
      location.replace(DEFAULT);
      return;
    }
    const first = world.channels.find((channel) => channel.is_member !== false) || world.channels[0];
    location.replace(first ? `#/${first.id}` : DEFAULT);
    return;
  }
  ui.place = place;
  ui.drawer = false;
  if (place.channel) ui.unread.set(place.channel, 0);
  if (place.kind === "home" && before.kind !== "home") openHome("home").catch(() => {});
  if (place.kind === "app" && before.kind !== "app") openHome("messages").catch(() => {});
  changed();
}

export const go = (hash) => { location.hash = hash; };
export const goMail = (id) => go(id ? `#/mail/${id}` : "#/mail");
export const goChannel = (id) => go(id === appDm()?.id ? "#/app/messages" : `#/${id}`);
export const goThread = (channel, ts) => go(ts ? `#/${channel}/${ts}` : `#/${channel}`);
