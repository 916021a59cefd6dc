// What the simulated provider really sees: one project's calls by the minute, answered and refused, and its spend limit.
// The app under test never looks at this; whoever sits in front of the page does.

import { h, svg } from "./dom.js";
import { clockTime } from "./times.js";
import { changed, world } from "./world.js";
import { figures, say } from "./words.js";

const EVERY = 2000;
const PICTURE = { width: 236, height: 92 };
const SCALE = 34; // room for what the lines are worth, beside the bars
const SPARK = { width: 60, height: 18 };

/** What to watch ({project, minutes}), or null: the server offers it among the things of the lab. */
export function watched() {
  for (const section of world.lab || []) {
    for (const item of section.items || []) if (item.traffic) return item.traffic;
  }
  return null;
}

// The last answer, by which everything is drawn: {points: [{minute, asked, answered, refused}], limit}.
let seen = null;

// A loop asks a thousand times what the project usually asks: every power of ten is worth the same height.
const tall = (count) => Math.log10(1 + Math.max(0, count));
const most = (points) => Math.max(1, ...points.map((point) => tall(point.asked)));

/** A bar for each minute: what was answered below, what was refused above it. */
function bars(points, { width, height }, gap) {
  const band = width / Math.max(1, points.length);
  const full = most(points);
  return points.map((point, at) => {
    const whole = Math.max(point.asked && 1.5, (tall(point.asked) / full) * height);
    const red = point.asked ? (point.refused / point.asked) * whole : 0;
    const box = { x: (at * band).toFixed(2), width: Math.max(0.6, band - gap).toFixed(2) };
    return [
      whole > red && svg("rect", { class: "answered", y: (height - whole + red).toFixed(2), height: (whole - red).toFixed(2), ...box }),
      red > 0 && svg("rect", { class: "refused", y: (height - whole).toFixed(2), height: red.toFixed(2), ...box }),
    ];
  }).flat().filter(Boolean);
}

function grid(points) {
  const full = most(points);
  return [10, 100, 1000, 10000, 100000].filter((count) => tall(count) < full * 0.97).map((count) => {
    const y = (PICTURE.height - (tall(count) / full) * PICTURE.height).toFixed(1);
    return [svg("line", { class: "axis", x1: 0, x2: PICTURE.width, y1: y, y2: y }),
      svg("text", { class: "tick", x: PICTURE.width + SCALE, y: Number(y) + 3, "text-anchor": "end" }, number(count))];
  }).flat();
}

const number = (count) => figures().format(count);
const dollars = (cents) => figures({ style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" }).format(cents / 100);

function limitWords(limit) {
  if (!limit) return say("noLimit");
  const amount = limit.threshold_amount < 100 ? say("cents", { n: limit.threshold_amount }) : dollars(limit.threshold_amount);
  const status = limit.enforcement?.status;
  return [amount, status && say(`limit_${status}`)].filter(Boolean).join(" · ");
}

/** "on", "refused" or "silent": what became of the calls of the last whole minute. */
function stateOf(last) {
  if (!last || !last.asked) return "silent";
  return last.refused ? "refused" : "on";
}

function cardInside() {
  const { points, limit } = seen;
  const last = points[points.length - 1];
  const state = stateOf(last);
  const label = say("trafficNow", { answered: number(last?.answered ?? 0), refused: number(last?.refused ?? 0) });
  return [
    h("div", { class: "traffic-now" },
      h("span", null, h("b", null, number(last?.answered ?? 0)), say("answered")),
      h("span", { class: last?.refused ? "refused" : "" }, h("b", null, number(last?.refused ?? 0)), say("refused")),
      h("span", { class: `traffic-state ${state}` }, say(`traffic_${state}`))),
    svg("svg", { class: "traffic-picture", viewBox: `0 -3 ${PICTURE.width + SCALE} ${PICTURE.height + 3}`, role: "img", "aria-label": label },
      grid(points), bars(points, PICTURE, 0.9)),
    h("div", { class: "traffic-times" }, h("span", null, points.length ? clockTime(points[0].minute * 60) : ""),
      h("span", null, last ? clockTime((last.minute + 1) * 60) : "")),
    h("div", { class: `traffic-limit${limit?.enforcement?.status === "enforcing" ? " enforcing" : ""}` },
      say("limit"), " ", h("b", null, limitWords(limit))),
  ];
}

function pulseInside() {
  const { points } = seen;
  const last = points[points.length - 1];
  const isRefused = stateOf(last) === "refused";
  const count = isRefused ? last.refused : last?.answered ?? 0;
  return [
    svg("svg", { viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, "aria-hidden": "true" }, bars(points, SPARK, 0.25)),
    h("span", { class: isRefused ? "refused" : "" }, say(isRefused ? "refusedMinute" : "perMinute", { n: number(count) })),
  ];
}

const INSIDES = { card: cardInside, pulse: pulseInside };

function paint(node) {
  node.hidden = !seen;
  if (seen) node.replaceChildren(...INSIDES[node.dataset.traffic]());
  return node;
}

/** The picture in the lab. */
export const trafficCard = () => paint(h("div", { class: "traffic", data: { traffic: "card" } }));

/** A small one for the head of a channel, which opens the lab; null where there is nothing to watch. */
export function trafficPulse() {
  const what = watched();
  if (!what) return null;
  return paint(h("button", { type: "button", class: "pulse", "aria-label": say("traffic", { name: what.project }),
    title: say("traffic", { name: what.project }), data: { do: "toggle-lab", traffic: "pulse" } }));
}

function read(name, traffic, limits) {
  const project = limits.projects.find((one) => one.name === name);
  return { points: traffic.minutes, limit: project?.spend_limit || null };
}

async function ask(path) {
  const answer = await fetch(path);
  return answer.ok ? answer.json() : null;
}

async function look() {
  const what = watched();
  if (!what || document.hidden) return;
  const project = encodeURIComponent(what.project);
  const [traffic, limits] = await Promise.all([
    ask(`/_sim/openai/traffic?project=${project}&minutes=${what.minutes}`), ask("/_sim/openai/limits")]);
  const wasShown = Boolean(seen);
  const before = JSON.stringify(seen);
  seen = traffic && limits && read(what.project, traffic, limits);
  if (JSON.stringify(seen) === before) return; // quiet, mostly: what is drawn already is left alone
  for (const node of document.querySelectorAll("[data-traffic]")) paint(node);
  if (wasShown !== Boolean(seen)) changed();
}

/** Look now and every two seconds from then on; a provider that does not answer is asked again. */
export async function watchTraffic() {
  await look().catch(() => {});
  setTimeout(watchTraffic, EVERY);
}
