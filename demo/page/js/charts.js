// data_visualization as inline SVG: its words can be selected, its numbers are read out from a hidden table.

import { h, svg } from "./dom.js";
import { figures, say } from "./words.js";

const HEIGHT = 232;
const EDGE = { top: 14, right: 12, bottom: 30, left: 12 };
const COLOURS = 12;

const exact = (value) => figures({ maximumFractionDigits: 6 }).format(value);
const short = (value) => figures({ notation: Math.abs(value) >= 10000 ? "compact" : "standard",
  maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 }).format(value);
const round = (value) => figures({ maximumFractionDigits: 2 }).format(value);
const colour = (at) => `var(--chart-${(at % COLOURS) + 1})`;

/** Round steps that cover [low, high], zero included. */
export function ticks(low, high, count = 4) {
  const bottom = Math.min(0, low);
  const top = Math.max(0, high);
  const rough = (top - bottom || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const first = Math.floor(bottom / step + 1e-9);
  const last = Math.ceil(top / step - 1e-9);
  return Array.from({ length: Math.max(2, last - first + 1) }, (unused, at) => Number(((first + at) * step).toPrecision(12)));
}

function seriesOf(chart) {
  const categories = chart.axis_config?.categories || (chart.series?.[0]?.data || []).map((point) => point.label);
  const series = (chart.series || []).map((one) => {
    const byLabel = new Map((one.data || []).map((point, at) => [point.label ?? categories[at], Number(point.value ?? point)]));
    return { name: one.name, values: categories.map((label) => byLabel.get(label) ?? null) };
  });
  return { categories, series };
}

function frame(chart, width) {
  const { categories, series } = seriesOf(chart);
  const known = series.flatMap((one) => one.values).filter((value) => value !== null);
  const steps = ticks(Math.min(...known, 0), Math.max(...known, 0));
  const labelWidth = Math.max(...steps.map((step) => short(step).length)) * 7 + 10;
  const left = EDGE.left + labelWidth;
  const right = width - EDGE.right;
  const bottom = HEIGHT - EDGE.bottom;
  const y = (value) => bottom - ((value - steps[0]) / (steps[steps.length - 1] - steps[0])) * (bottom - EDGE.top);
  const band = (right - left) / Math.max(1, categories.length);
  const x = (at) => left + band * (at + 0.5);
  return { categories, series, steps, left, right, bottom, y, x, band };
}

const widthOf = (words) => [...words].reduce((sum, letter) => sum + (letter > "\u2E80" ? 12 : 6.6), 0);

/** A name in two lines, broken where that leaves the shorter longest line; one line when it cannot be broken. */
function inTwo(label) {
  const breaks = [...label.matchAll(/[- _]/g)].map((found) => found.index + 1);
  const pairs = breaks.map((at) => [label.slice(0, at).trimEnd(), label.slice(at)]);
  const longest = (pair) => Math.max(...pair.map(widthOf));
  return pairs.sort((one, other) => longest(one) - longest(other))[0] || [label];
}

/** The labels below: in one line, else in two, and where that is too narrow still, so many of them as fit. */
function below(f) {
  const words = f.categories.map(String);
  const room = (lines) => (Math.max(...lines.flat().map(widthOf), 1) + 8) / f.band;
  const one = words.map((label) => [label]);
  const two = room(one) > 1 ? words.map(inTwo) : one;
  const lines = room(two) <= 1 ? two : one;
  const every = Math.max(1, Math.ceil(room(lines)));
  return lines.map((parts, at) => (lines.length - 1 - at) % every === 0 && parts.map((part, line) =>
    svg("text", { class: "tick", x: f.x(at), y: HEIGHT - (lines === one ? 9 : 15) + 12 * line, "text-anchor": "middle" }, part)));
}

function axes(f) {
  return [
    f.steps.map((step) => [
      svg("line", { class: step === 0 ? "axis zero" : "axis", x1: f.left, x2: f.right, y1: f.y(step), y2: f.y(step) }),
      svg("text", { class: "tick", x: f.left - 8, y: f.y(step) + 4, "text-anchor": "end" }, short(step)),
    ]),
    below(f),
  ];
}

function hover(f) {
  return f.categories.map((label, at) => {
    const tip = f.series.map((one) => `${one.name}: ${one.values[at] === null ? "–" : exact(one.values[at])}`).join("\n");
    return svg("rect", { class: "hover", x: f.left + f.band * at, y: EDGE.top, width: f.band, height: f.bottom - EDGE.top,
      "data-tip": `${label}\n${tip}` });
  });
}

function rounded(x, y, width, height, isUp) {
  const r = Math.min(4, width / 2, height);
  if (height < 0.5) return `M${x} ${y}h${width}v${Math.max(0.5, height)}h${-width}z`;
  return isUp
    ? `M${x} ${y + height}v${r - height}q0 ${-r} ${r} ${-r}h${width - 2 * r}q${r} 0 ${r} ${r}v${height - r}z`
    : `M${x} ${y}v${height - r}q0 ${r} ${r} ${r}h${width - 2 * r}q${r} 0 ${r} ${-r}v${r - height}z`;
}

function bars(f) {
  const group = Math.min(f.band * 0.72, 26 * f.series.length);
  const size = Math.max(1, group / f.series.length);
  return f.series.map((one, row) => one.values.map((value, at) => {
    if (value === null) return null;
    const zero = f.y(0);
    const end = f.y(value);
    const gap = f.series.length > 1 ? 1 : 0;
    return svg("path", { class: "bar", fill: colour(row),
      d: rounded(f.x(at) - group / 2 + size * row, Math.min(zero, end), size - gap, Math.abs(zero - end), value >= 0) });
  }));
}

function runs(f, values) {
  const all = [];
  let run = [];
  values.forEach((value, at) => {
    if (value === null) run = [];
    else {
      if (!run.length) all.push(run);
      run.push([f.x(at), f.y(value)]);
    }
  });
  return all;
}

const path = (points) => points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

function lines(f, isFilled) {
  return f.series.map((one, row) => runs(f, one.values).map((points) => [
    isFilled && svg("path", { class: "area", fill: colour(row),
      d: `${path(points)}L${points[points.length - 1][0]} ${f.y(0)}L${points[0][0]} ${f.y(0)}z` }),
    svg("path", { class: "line", stroke: colour(row), d: path(points) }),
    points.map(([x, y]) => svg("circle", { class: "dot", fill: colour(row), cx: x, cy: y,
      r: f.categories.length > 14 ? 2.2 : 3.2 })),
  ]));
}

function pie(chart, width) {
  const segments = chart.segments || [];
  const total = segments.reduce((sum, segment) => sum + Number(segment.value), 0);
  const [cx, cy, outer, inner] = [width / 2, HEIGHT / 2, 100, 62];
  let turn = -Math.PI / 2;
  const at = (angle, radius) => `${(cx + Math.cos(angle) * radius).toFixed(2)} ${(cy + Math.sin(angle) * radius).toFixed(2)}`;
  const slices = segments.map((segment, index) => {
    const share = Number(segment.value) / total;
    const end = turn + Math.min(share, 0.99999) * Math.PI * 2;
    const large = share > 0.5 ? 1 : 0;
    const d = `M${at(turn, outer)}A${outer} ${outer} 0 ${large} 1 ${at(end, outer)}L${at(end, inner)}A${inner} ${inner} 0 ${large} 0 ${at(turn, inner)}z`;
    turn = end;
    return svg("path", { class: "slice", fill: colour(index), d,
      "data-tip": `${segment.label}\n${exact(segment.value)} (${percent(share)})` });
  });
  return [slices, svg("text", { class: "pie-total", x: cx, y: cy + 7, "text-anchor": "middle" },
    total >= 100000 ? short(total) : round(total))];
}

const percent = (share) => figures({ style: "percent", maximumFractionDigits: share < 0.1 ? 1 : 0 }).format(share);

const DRAW = {
  bar: (chart, width) => { const f = frame(chart, width); return [axes(f), bars(f), hover(f)]; },
  line: (chart, width) => { const f = frame(chart, width); return [axes(f), lines(f, false), hover(f)]; },
  area: (chart, width) => { const f = frame(chart, width); return [axes(f), lines(f, true), hover(f)]; },
  pie,
};

function legend(chart) {
  if (chart.type === "pie") {
    const total = (chart.segments || []).reduce((sum, segment) => sum + Number(segment.value), 0);
    return chart.segments.map((segment, at) => [segment.label, colour(at),
      `${exact(segment.value)} · ${percent(segment.value / total)}`]);
  }
  const series = chart.series || [];
  return series.length > 1 ? series.map((one, at) => [one.name, colour(at), ""]) : [];
}

/** The same numbers as words, for those who cannot see the drawing. */
function spoken(block) {
  const { chart } = block;
  if (chart.type === "pie") {
    return h("table", null, h("caption", null, block.title), chart.segments.map((segment) =>
      h("tr", null, h("th", { scope: "row" }, segment.label), h("td", null, exact(segment.value)))));
  }
  const { categories, series } = seriesOf(chart);
  return h("table", null, h("caption", null, block.title),
    h("tr", null, h("td"), series.map((one) => h("th", { scope: "col" }, one.name))),
    categories.map((label, at) => h("tr", null, h("th", { scope: "row" }, label),
      series.map((one) => h("td", null, one.values[at] === null ? "–" : exact(one.values[at]))))));
}

const watcher = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) target.redraw?.(Math.round(contentRect.width));
});

export function chart(block) {
  const kind = block.chart || {};
  const picture = svg("svg", { role: "img", "aria-label": say("chart", { title: block.title }) });
  const stage = h("div", { class: "chart-stage" }, picture);
  let drawn = 0;
  stage.redraw = (width) => {
    if (!width || width === drawn || !DRAW[kind.type]) return;
    drawn = width;
    picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    picture.setAttribute("height", HEIGHT);
    picture.replaceChildren();
    const put = DRAW[kind.type](kind, width);
    picture.append(...put.flat(Infinity).filter(Boolean));
  };
  watcher.observe(stage);
  const entries = legend(kind);
  const labels = kind.axis_config || {};
  return h("figure", { class: `chart chart-${kind.type}` },
    h("figcaption", null, block.title),
    labels.y_label && h("div", { class: "axis-label" }, labels.y_label),
    h("div", { class: "chart-body" }, stage, entries.length > 0 && h("ul", { class: "legend" }, entries.map(([name, fill, value]) =>
      h("li", null, h("i", { class: "swatch", style: { background: fill } }), h("span", null, name),
        value && h("b", null, value))))),
    labels.x_label && h("div", { class: "axis-label below" }, labels.x_label),
    // A table is never smaller than its words: the box around it is what takes no room.
    h("div", { class: "unseen" }, spoken(block)));
}
