// The mailbox: what was sent by mail, newest first. There is no mail server on a stage, so nothing ever leaves it.

import { readMail } from "./api.js";
import { h, keep, keepOne } from "./dom.js";
import { when } from "./events.js";
import { icon, menuButton } from "./icons.js";
import { goMail } from "./places.js";
import { clockTime, dayOf, plainDate, todayKey, wholeTime } from "./times.js";
import { changed, localeOf, ui, unreadMail, world } from "./world.js";
import { say } from "./words.js";

// How a mail is read that has both forms; the same for every mail, as in a mail program.
let form = "html";

const stamp = (at) => (dayOf(at) === todayKey() ? clockTime(at) : plainDate(dayOf(at), { month: "short", day: "numeric" }));
const formOf = (mail) => (mail.has_html ? form : "text");
const nameIn = (address) => address.replace(/\s*<.*>$/, "") || address;

function row(mail) {
  const isOn = mail.id === ui.place.mail;
  return h("a", { class: `mail-row${mail.is_read ? "" : " unread"}${isOn ? " on" : ""}`, href: `#/mail/${mail.id}`,
    "aria-current": isOn ? "page" : null },
    h("span", { class: "mail-row-head" }, h("span", { class: "mail-from" }, nameIn(mail.from)),
      h("time", { title: wholeTime(mail.at) }, stamp(mail.at))),
    h("span", { class: "mail-subject" }, !mail.is_read && h("i", { class: "mail-dot", role: "img", "aria-label": say("unreadMail") }),
      mail.subject),
    h("span", { class: "mail-start" }, mail.text.replace(/\s+/g, " ").slice(0, 140)));
}

function forms(mail) {
  const one = (name, label) => h("button", { type: "button", role: "tab", class: "mail-form",
    "aria-selected": String(formOf(mail) === name), data: { do: "mail-form", form: name } }, label);
  return h("div", { class: "mail-forms", role: "tablist" }, one("html", say("asHtml")), one("text", say("asText")));
}

function line(label, words) {
  return h("div", { class: "mail-line" }, h("span", null, label), h("span", null, words));
}

/** One mail. Its HTML is a page of its own without any rights: no script, no form, no picture from elsewhere. */
function sheet(mail) {
  return h("article", { class: "mail-sheet", "aria-label": mail.subject },
    h("header", { class: "mail-head" }, h("h2", null, mail.subject), mail.has_html && forms(mail),
      line(say("mailFrom"), mail.from), line(say("mailTo"), mail.to.join(", ")),
      h("time", { class: "mail-line" }, wholeTime(mail.at))),
    formOf(mail) === "html"
      ? h("iframe", { class: "mail-frame", sandbox: "", title: say("mailBody"), src: `/_sim/mail/${mail.id}/html` })
      : h("pre", { class: "mail-text", tabindex: 0 }, mail.text));
}

const nothing = (words, hint) => h("div", { class: "mail-empty" }, icon("mail"), h("h2", null, words), hint && h("p", null, hint));

function head(mail) {
  return h("header", { class: "place-head" }, menuButton(),
    mail && h("button", { type: "button", class: "icon-button mail-back", "aria-label": say("back"), data: { do: "mail-back" } },
      icon("left")),
    h("span", { class: "head-hash" }, icon("mail")), h("h1", null, say("mailbox")),
    unreadMail() ? h("span", { class: "topic" }, `${say("unreadMail")} ${unreadMail()}`) : null);
}

function seen(mail) {
  if (mail.is_read || document.hidden) return;
  mail.is_read = true;
  readMail(mail.id).catch(() => {});
}

/** Draw the list and beside it the mail that is read; on a phone one of the two. */
export function drawMail(main) {
  const mail = (world.mail || []).find((each) => each.id === ui.place.mail) || null;
  if (mail) seen(mail);
  keepOne(main, `mail ${localeOf()}`, () => h("section", { class: "place mailbox" }, h("div", { class: "head-slot" }),
    h("div", { class: "mail-both" }, h("nav", { class: "mail-list", "aria-label": say("mailbox"), tabindex: 0 }),
      h("div", { class: "mail-slot" }))));
  main.firstElementChild.classList.toggle("reading", Boolean(mail));
  keepOne(main.querySelector(".head-slot"), JSON.stringify([Boolean(mail), unreadMail()]), () => head(mail));
  const rows = (world.mail || []).map((each) => ({ key: String(each.id),
    sig: JSON.stringify([each, each.id === ui.place.mail, todayKey()]), make: () => row(each) }));
  keep(main.querySelector(".mail-list"), rows.length ? rows
    : [{ key: "none", sig: "none", make: () => nothing(say("noMail"), say("noMailHint")) }]);
  keepOne(main.querySelector(".mail-slot"), mail ? JSON.stringify([mail.id, formOf(mail)]) : `none ${rows.length > 0}`,
    () => (mail ? sheet(mail) : nothing(rows.length ? say("pickMail") : "")));
}

when("do", "mail-form", (button) => {
  form = button.dataset.form;
  changed();
});
when("do", "mail-back", () => goMail(null));
