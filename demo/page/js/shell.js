// Round the edge: the workspace rail, the sidebar, the person one looks as, and the state of the line.

import { h, keep } from "./dom.js";
import { when } from "./events.js";
import { icon } from "./icons.js";
import { appAvatar, avatar } from "./people.js";
import { openMenu } from "./popover.js";
import { appDm, changed, localeOf, nameOf, ui, unreadMail, world } from "./world.js";
import { say } from "./words.js";

let switchTo = () => {};
export const onSwitch = (listener) => { switchTo = listener; };

const initial = () => [...String(world.workspace.name || "?")][0];

const badge = (unread) => (unread ? h("span", { class: "badge", "aria-label": say("newMessages") },
  unread > 99 ? "99+" : String(unread)) : null);

function railButton(name, label, look, attributes, unread = 0) {
  const inside = [h("span", { class: "rail-icon" }, icon(name), badge(unread)), h("span", { class: "rail-label" }, label)];
  return attributes.href ? h("a", { class: `rail-button ${look}`, ...attributes }, inside) : h("button",
    { type: "button", class: `rail-button ${look}`, ...attributes }, inside);
}

function rail() {
  const at = ui.place.kind;
  const first = world.channels.find((channel) => channel.is_member !== false);
  return h("nav", { class: "rail", "aria-label": world.workspace.name },
    h("div", { class: "workspace-tile", title: world.workspace.name, "aria-hidden": "true" }, initial()),
    railButton("hash", say("channels"), at === "channel" ? "on" : "", { href: `#/${first?.id || ""}` }),
    railButton("bars", world.app.name || say("apps"), at === "home" || at === "app" ? "on" : "", { href: "#/app/home" }),
    world.mail && railButton("mail", say("mailbox"), at === "mail" ? "on" : "", { href: "#/mail" }, unreadMail()),
    world.lab && railButton("lab", say("lab"), ui.lab ? "on" : "", { "aria-pressed": String(ui.lab), data: { do: "toggle-lab" } }),
    h("span", { class: "grow" }),
    h("button", { type: "button", class: "rail-me", "aria-label": say("switchUser"),
      title: say("viewingAs", { name: world.me.name }), "aria-haspopup": "menu", "aria-expanded": "false",
      data: { do: "switch-user" } },
      avatar(world.me), h("i", { class: "presence" })));
}

function entry({ href, mark, name, unread, on, more }) {
  return h("a", { class: `entry${on ? " on" : ""}${unread ? " unread" : ""}`, href, "aria-current": on ? "page" : null },
    h("span", { class: "entry-mark" }, mark), h("span", { class: "entry-name" }, name),
      more && h("span", { class: "entry-more" }, more),
    badge(unread));
}

function group(title, entries) {
  if (!entries.length) return null;
  return h("div", { class: "entries", role: "group", "aria-label": title }, h("h2", null, title), entries);
}

function sidebar() {
  const app = appDm();
  const here = (id) => ui.place.channel === id;
  const channels = world.channels.filter((channel) => !channel.is_archived).map((channel) => entry({ href: `#/${channel.id}`,
    mark: icon(channel.is_private ? "lock" : "hash"), name: channel.name, unread: ui.unread.get(channel.id),
    on: here(channel.id) }));
  const dms = world.dms.filter((dm) => dm !== app).map((dm) => entry({ href: `#/${dm.id}`,
    mark: avatar(world.users.get(dm.user_id) || { id: dm.id, name: dm.name }, "tiny"),
    name: dm.name || nameOf(dm.user_id), more: dm.user_id === world.me.id ? say("you") : null, unread: ui.unread.get(dm.id),
      on: here(dm.id) }));
  const waiting = app && ui.unread.get(app.id);
  const apps = world.app.name ? [entry({ href: waiting ? "#/app/messages" : "#/app/home", mark: appAvatar("tiny"), name: world.app.name,
    unread: waiting, on: ui.place.kind === "home" || ui.place.kind === "app" })] : [];
  return h("nav", { class: "sidebar", "aria-label": say("channels") },
    h("button", { type: "button", class: "workspace", "aria-haspopup": "menu", "aria-expanded": "false",
      data: { do: "switch-user" } },
      h("span", { class: "workspace-words" }, h("strong", null, world.workspace.name),
        h("small", null, say("viewingAs", { name: world.me.name }))), icon("down")),
    h("div", { class: "sidebar-scroll" }, group(say("apps"), apps), group(say("channels"), channels), group(say("dms"), dms)),
    h("div", { class: "sidebar-foot" }, world.mail && entry({ href: "#/mail", mark: icon("mail"), name: say("mailbox"),
      unread: unreadMail(), on: ui.place.kind === "mail" }), world.lab && h("button", { type: "button", class: "entry", data: { do: "toggle-lab" } },
      h("span", { class: "entry-mark" }, icon("lab")), h("span", { class: "entry-name" }, say("lab"))),
      h("span", { class: "local" }, say("local"))));
}

/** Draw rail and sidebar. */
export function drawShell(root) {
  const sig = JSON.stringify([world.workspace, world.me, world.channels, world.dms, [...world.users], world.app,
    Boolean(world.lab), Boolean(world.mail), unreadMail(), ui.place.kind, ui.place.channel, ui.lab, [...ui.unread], localeOf()]);
  keep(root, [{ key: "rail", sig, make: rail }, { key: "sidebar", sig, make: sidebar }]);
  document.body.classList.toggle("drawer-open", ui.drawer);
  document.body.classList.toggle("line-lost", ui.line === "lost");
  document.getElementById("line").textContent = ui.line === "lost" ? say("lost") : "";
  document.getElementById("veil").setAttribute("aria-label", say("closeMenu"));
}

when("do", "switch-user", (button) => {
  const people = [...world.users.values()].filter((user) => !user.is_bot && user.id !== world.app.bot_user_id);
  openMenu(button, say("viewAs"), people.map((user) => ({
    label: user.name, more: user.title, mark: avatar(user, "small"), checked: user.id === world.me.id,
    badge: user.id === world.me.id ? icon("check") : null, run: () => user.id !== world.me.id && switchTo(user.id),
  })));
});

when("do", "open-drawer", () => {
  ui.drawer = true;
  changed();
});
when("do", "close-drawer", () => {
  ui.drawer = false;
  changed();
});
when("do", "toggle-lab", () => {
  ui.lab = !ui.lab;
  ui.drawer = false;
  changed();
});

/** Escape closes what lies on top of the page, one thing at a time; dialogs and lists close themselves. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
  if (ui.drawer || ui.lab) {
    ui.drawer = false;
    ui.lab = false;
    changed();
  } else document.querySelector("[data-do=close-thread]")?.click();
});
