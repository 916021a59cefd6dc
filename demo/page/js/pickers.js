// Date, time and both: a calendar and a list of times in the reader's own way of writing them.

import { h } from "./dom.js";
import { bind, boundOf } from "./bound.js";
import { composing, when } from "./events.js";
import { icon } from "./icons.js";
import { enter, valueOf } from "./inputs.js";
import { closePopover, openPopover, replace } from "./popover.js";
import { plain } from "./richtext.js";
import { plainDate, plainTime, todayKey, unixOf, wallOf } from "./times.js";
import { localeOf } from "./world.js";
import { say } from "./words.js";

const pad = (number) => String(number).padStart(2, "0");

const dateButton = (date, hint) => h("button",
  { type: "button", class: "select-open", "aria-haspopup": "dialog", "aria-expanded": "false",
  data: { do: "open-calendar", keys: "open-calendar", labelled: "" } },
  icon("calendar"), h("span", { class: date ? "select-text" : "select-text placeholder" },
    date ? plainDate(date, { year: "numeric", month: "short", day: "numeric", weekday: "short" }) : hint));

const timeButton = (time, hint, labelled) => h("button",
  { type: "button", class: "select-open", "aria-haspopup": "listbox", "aria-expanded": "false",
  "aria-label": labelled ? null : say("pickTime"),
  data: { do: "open-times", ...(labelled ? { labelled: "" } : {}) } }, icon("clock"),
    h("span", { class: time ? "select-text" : "select-text placeholder" }, time ? plainTime(time) : hint));

export const datePicker = (element, block, ctx) => bind(h("div", { class: "select date" },
  dateButton(valueOf(ctx, block, element), plain(element.placeholder) || say("pickDate"))), element, block, ctx);

export const timePicker = (element, block, ctx) => bind(h("div", { class: "select time" },
  timeButton(valueOf(ctx, block, element), plain(element.placeholder) || say("pickTime"), true)), element, block, ctx);

export function dateTimePicker(element, block, ctx) {
  const unix = valueOf(ctx, block, element);
  const wall = unix ? wallOf(unix) : { date: null, time: null };
  return bind(h("div", { class: "select datetime" }, dateButton(wall.date, say("pickDate")),
    timeButton(wall.time, say("pickTime"), false)), element, block, ctx);
}

const DRAW = { datepicker: datePicker, timepicker: timePicker, datetimepicker: dateTimePicker };

/** {date, time} entered so far, whatever the element keeps. */
function currentOf({ element, block, ctx }) {
  const value = valueOf(ctx, block, element);
  if (element.type === "datepicker") return { date: value, time: null };
  if (element.type === "timepicker") return { date: null, time: value };
  return value ? wallOf(value) : { date: null, time: null };
}

function take(anchor, part) {
  const node = anchor.closest(".select");
  const drawn = boundOf(node);
  const { element, block, ctx } = drawn;
  const before = valueOf(ctx, block, element);
  const now = { ...currentOf(drawn), ...part };
  if (element.type === "datepicker") enter(ctx, block, element, now.date);
  else if (element.type === "timepicker") enter(ctx, block, element, now.time);
  else enter(ctx, block, element, unixOf(now.date || todayKey(), now.time || "09:00"));
  const redraw = () => node.replaceChildren(...DRAW[element.type](element, block, ctx).children);
  const labels = [...node.querySelectorAll("[data-labelled]")].map((each) => ["id", "aria-labelledby",
    "aria-describedby"].map((name) => [name, each.getAttribute(name)]));
  redraw();
  [...node.querySelectorAll("[data-labelled]")].forEach((each,
    at) => labels[at]?.forEach(([name, value]) => value && each.setAttribute(name, value)));
  node.dispatchEvent(new CustomEvent("picked", { bubbles: true, detail: { before, redraw } }));
  node.querySelector(part.time ? "[data-do=open-times]" : "[data-do=open-calendar]").focus();
}

const isoOf = (year, month, day) => new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);

function monthOf(focus, selected) {
  const [year, month] = focus.split("-").map(Number);
  const first = new Date(Date.UTC(year, month - 1, 1)).getUTCDay();
  const week = new Intl.DateTimeFormat(localeOf(), { weekday: "short", timeZone: "UTC" });
  const days = Array.from({ length: 42 }, (unused, at) => isoOf(year, month - 1, at - first + 1));
  const shown = days[35].startsWith(focus.slice(0, 7)) ? days : days.slice(0, 35);
  return [
    h("div", { class: "calendar-head" },
      h("button", { type: "button", class: "icon-button", "aria-label": say("previousMonth"), data: { month: -1 } }, icon("left")),
      h("strong", { "aria-live": "polite" }, plainDate(focus, { year: "numeric", month: "long" })),
      h("button", { type: "button", class: "icon-button", "aria-label": say("nextMonth"), data: { month: 1 } }, icon("right"))),
    h("div", { class: "calendar-grid", role: "group" },
      Array.from({ length: 7 }, (unused, at) => h("span", { class: "calendar-week" },
        week.format(new Date(Date.UTC(2026, 1, 1 + at))))),
      shown.map((day) => h("button", {
        type: "button", class: `cal-day${day.startsWith(focus.slice(0, 7)) ? "" : " outside"}${day === todayKey() ? " today" : ""}`,
        "aria-pressed": String(day === selected), "aria-label": plainDate(day, { dateStyle: "full" }),
          tabindex: day === focus ? 0 : -1, data: { day },
      }, String(Number(day.slice(8)))))),
  ];
}

function shifted(day, { days = 0, months = 0 }) {
  const [year, month, date] = day.split("-").map(Number);
  if (!months) return isoOf(year, month - 1, date + days);
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return isoOf(year, month - 1 + months, Math.min(date, last));
}

function openCalendar(anchor) {
  const selected = currentOf(boundOf(anchor)).date;
  let focus = selected || todayKey();
  const panel = openPopover(anchor, { className: "calendar", label: say("pickDate") });
  if (!panel) return;
  panel.setAttribute("role", "dialog");
  const show = (day) => {
    focus = day;
    panel.replaceChildren(...monthOf(focus, selected));
    panel.querySelector(`[data-day="${focus}"]`)?.focus();
  };
  panel.addEventListener("click", ({ target }) => {
    const turn = target.closest("[data-month]");
    const day = target.closest("[data-day]");
    if (turn) show(shifted(focus, { months: Number(turn.dataset.month) }));
    else if (day) {
      closePopover();
      take(anchor, { date: day.dataset.day });
    }
  });
  panel.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: { days: -1 }, ArrowRight: { days: 1 }, ArrowUp: { days: -7 }, ArrowDown: { days: 7 },
      PageUp: { months: -1 }, PageDown: { months: 1 } }[event.key];
    if (!step) return;
    event.preventDefault();
    show(shifted(focus, step));
  });
  show(focus);
  replace(panel, anchor);
}

/** "905", "9:05", "14시 5분" → "09:05"; null when it is no time. */
export function timeIn(text) {
  const found = /^\s*(\d{1,2})\s*(?:[:시時h]|(?=\d{2}\s*$))?\s*(\d{1,2})?\s*[분分]?\s*$/.exec(text);
  if (!found || Number(found[1]) > 23 || Number(found[2] || 0) > 59) return null;
  return `${pad(found[1])}:${pad(found[2] || 0)}`;
}

function openTimes(anchor) {
  const selected = currentOf(boundOf(anchor)).time;
  const search = h("input", { class: "list-search", type: "text", placeholder: "09:00", "aria-label": say("pickTime"),
    autocomplete: "off" });
  const box = h("div", { class: "list", role: "listbox" });
  const panel = openPopover(anchor, { className: "list-panel times", wide: true },
    h("div", { class: "list-head" }, icon("clock"), search), box);
  if (!panel) return;
  const choose = (time) => {
    closePopover();
    take(anchor, { time });
  };
  const show = () => {
    const typed = timeIn(search.value);
    const all = Array.from({ length: 48 }, (unused, at) => `${pad(Math.floor(at / 2))}:${at % 2 ? "30" : "00"}`);
    const times = typed ? [typed, ...all.filter((time) => time > typed)] : all;
    box.replaceChildren(...times.map((time) => h("button",
      { type: "button", class: "list-row", role: "option", "aria-selected": String(time === selected), data: { time } },
      h("span", { class: "list-words" }, plainTime(time)), time === selected && icon("check"))));
    (box.querySelector("[aria-selected=true]") || box.querySelector(typed ? "[data-time]" : "[data-time='09:00']"))?.scrollIntoView({ block: "start" });
  };
  search.addEventListener("input", show);
  search.addEventListener("keydown", (event) => {
    if (composing(event)) return;
    if (event.key === "ArrowDown") box.querySelector("[aria-selected=true], .list-row")?.focus();
    else if (event.key === "Enter" && timeIn(search.value)) choose(timeIn(search.value));
    else return;
    event.preventDefault();
  });
  box.addEventListener("keydown", (event) => {
    const to = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!to) return;
    event.preventDefault();
    (document.activeElement[to] || search).focus();
  });
  box.addEventListener("click", ({ target }) => {
    const row = target.closest("[data-time]");
    if (row) choose(row.dataset.time);
  });
  show();
  replace(panel, anchor);
  search.focus();
}

when("do", "open-calendar", openCalendar);
when("keys", "open-calendar", (anchor, event) => {
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  openCalendar(anchor);
});
when("do", "open-times", openTimes);
