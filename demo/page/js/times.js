// Dates and times as the reader sees them: their language, their zone.

import { localeOf, world, zoneOf } from "./world.js";
import { say } from "./words.js";

const kept = new Map();

// Made once for each look: every message asks for its day at every redraw, and making one costs more than using it.
function formatter(options, locale = localeOf()) {
  const key = `${locale}|${zoneOf()}|${JSON.stringify(options)}`;
  if (!kept.has(key)) kept.set(key, new Intl.DateTimeFormat(locale, { timeZone: zoneOf(), ...options }));
  return kept.get(key);
}

const show = (seconds, options) => formatter(options).format(new Date(seconds * 1000));
const dayKey = (seconds) => formatter({}, "sv-SE").format(new Date(seconds * 1000));

export const clockTime = (ts) => show(Number(ts), { hour: "numeric", minute: "2-digit" });
export const wholeTime = (ts) => show(Number(ts), { dateStyle: "full", timeStyle: "short" });
export const dayOf = (ts) => dayKey(Number(ts));
// The stage's clock may be ahead of this machine's: nothing that was said already is of tomorrow.
const now = () => Math.max(Date.now() / 1000, world.latest);
export const todayKey = () => dayKey(now());

function relativeDay(seconds) {
  const key = dayKey(seconds);
  const here = now();
  if (key === dayKey(here)) return say("today");
  if (key === dayKey(here - 86400)) return say("yesterday");
  if (key === dayKey(here + 86400)) return say("tomorrow");
  return null;
}

export const dayTitle = (ts) => relativeDay(Number(ts)) || show(Number(ts), { month: "long", day: "numeric", weekday: "long" });

function ago(seconds) {
  const gap = seconds - now();
  const format = new Intl.RelativeTimeFormat(localeOf(), { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(gap) >= size) return format.format(Math.round(gap / size), unit);
  }
  return say("now");
}

const SHORT = { year: "numeric", month: "short", day: "numeric" };
const LONG = { year: "numeric", month: "long", day: "numeric", weekday: "long" };
const DATE = { year: "numeric", month: "long", day: "numeric" };
const TOKENS = {
  date_num: (at) => dayKey(at),
  date_slash: (at) => show(at, { year: "numeric", month: "2-digit", day: "2-digit" }),
  date: (at) => show(at, DATE), date_short: (at) => show(at, SHORT), date_long: (at) => show(at, LONG),
  date_pretty: (at) => relativeDay(at) || show(at, DATE),
  date_short_pretty: (at) => relativeDay(at) || show(at, SHORT),
  date_long_pretty: (at) => relativeDay(at) || show(at, LONG),
  day_divider_pretty: (at) => dayTitle(at),
  date_long_full: (at) => show(at, LONG),
  time: (at) => clockTime(at), time_secs: (at) => show(at, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago,
};

/** Fill the {tokens} of a Slack date; an unknown token or an unreadable time gives the fallback. */
export function slackDate(unix, format, fallback) {
  const seconds = Number(unix);
  if (!Number.isFinite(seconds)) return fallback;
  const tokens = [...format.matchAll(/\{(\w+)\}/g)];
  if (!tokens.length || tokens.some(([, name]) => !TOKENS[name])) return fallback;
  return format.replace(/\{(\w+)\}/g, (whole, name) => TOKENS[name](seconds));
}

/** "2026-07-03" as the reader writes it. */
export const plainDate = (iso, options = SHORT) =>
  new Intl.DateTimeFormat(localeOf(), { ...options, timeZone: "UTC" }).format(new Date(`${iso}T00:00:00Z`));

/** "14:30" as the reader writes it. */
export const plainTime = (time) =>
  new Intl.DateTimeFormat(localeOf(), { hour: "numeric", minute: "2-digit",
    timeZone: "UTC" }).format(new Date(`2026-01-01T${time}:00Z`));

function offsetAt(instant, zone) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric",
      second: "numeric",
  }).formatToParts(new Date(instant)).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - instant;
}

/** Unix seconds of a wall-clock date and time in the reader's zone. */
export function unixOf(date, time, zone = zoneOf()) {
  const wall = Date.parse(`${date}T${time}:00Z`);
  const guess = wall - offsetAt(wall, zone);
  return Math.round((wall - offsetAt(guess, zone)) / 1000);
}

/** The reader's wall clock at unix seconds: {date, time}. */
export function wallOf(unix, zone = zoneOf()) {
  const wall = new Date(unix * 1000 + offsetAt(unix * 1000, zone)).toISOString();
  return { date: wall.slice(0, 10), time: wall.slice(11, 16) };
}
