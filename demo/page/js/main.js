// Where the page starts: who is looking, what the server says, and one redraw for every change.

import "./actions.js";
import { listen, onNotice, refresh } from "./api.js";
import { drawPlace } from "./channel.js";
import { listenForTips, notice } from "./dialogs.js";
import { h } from "./dom.js";
import { listenForEverything } from "./events.js";
import { forgetPlace, openPlaces } from "./inputs.js";
import { drawLab } from "./lab.js";
import { drawModal } from "./modal.js";
import { closePopover } from "./popover.js";
import { readPlace } from "./places.js";
import { drawShell, onSwitch } from "./shell.js";
import { watchTraffic } from "./traffic.js";
import { inWords, languageOf, say } from "./words.js";
import { localeOf, ui, unreadMail, whenever, world } from "./world.js";

const KEPT = "finops-page-user";
const part = (id) => document.getElementById(id);

function draw() {
  if (!world.loaded) return;
  document.documentElement.lang = languageOf(localeOf());
  const unread = [...ui.unread.values()].reduce((sum, count) => sum + (count || 0), unreadMail());
  document.title = `${unread ? `(${unread}) ` : ""}${world.workspace.name || "Slack"}`;
  drawShell(part("shell"));
  drawPlace(part("main"), part("side"));
  drawLab(part("lab"));
  drawModal();
  document.body.classList.toggle("with-side", Boolean(part("side").firstChild));
  document.body.classList.toggle("with-lab", Boolean(part("lab").firstChild));
  document.body.dataset.ready = "yes";
}

async function lookAs(userId) {
  closePopover();
  for (const key of openPlaces()) forgetPlace(key);
  await refresh(userId);
  localStorage.setItem(KEPT, world.me.id);
  const address = new URL(location.href);
  address.searchParams.set("user", world.me.id);
  history.replaceState(null, "", address);
  ui.place = { kind: null, channel: null, thread: null, mail: null };
  readPlace();
  listen(world.me.id);
}

async function start() {
  const asked = new URL(location.href).searchParams.get("user") || localStorage.getItem(KEPT) || "";
  try {
    await lookAs(asked);
  } catch {
    part("main").replaceChildren(h("div", { class: "opening" }, h("p", null, say("cannotConnect"))));
    setTimeout(start, 1500);
  }
}

whenever(draw);
onNotice((event) => notice(inWords(event.text), event.level));
onSwitch((userId) => { lookAs(userId).catch(() => notice(say("unreachable"), "error")); });
addEventListener("hashchange", readPlace);
listenForEverything();
listenForTips();
start().then(watchTraffic);
