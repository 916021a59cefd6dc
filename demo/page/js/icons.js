// Small line drawings of our own, 20 by 20.

import { h, svg } from "./dom.js";
import { say } from "./words.js";

const PATHS = {
  hash: "M8 3 6.5 17M13.5 3 12 17M3.5 7.5h13.5M3 12.5h13.5",
  lock: "M5.5 9h9a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1zM7 9V6.5a3 3 0 0 1 6 0V9",
  home: "M3 9.2 10 3.5l7 5.7V16a1 1 0 0 1-1 1h-3.5v-4.5h-5V17H4a1 1 0 0 1-1-1z",
  lab: "M7.5 3h5M8.5 3v5l-4.3 7.2A1.2 1.2 0 0 0 5.2 17h9.6a1.2 1.2 0 0 0 1-1.8L11.5 8V3M6.4 12h7.2",
  close: "M5 5l10 10M15 5 5 15",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  send: "M3.5 3.8 17 10 3.5 16.2 5 10zM5 10h6",
  reply: "M4 4.5h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1h-6L6.5 16.5v-3H4a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1z",
  eye: "M2.5 10S5.2 5 10 5s7.5 5 7.5 5-2.7 5-7.5 5-7.5-5-7.5-5zM10 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z",
  down: "M5 7.5 10 12.5 15 7.5", up: "M5 12.5 10 7.5 15 12.5", left: "M12.5 5 7.5 10l5 5", right: "M7.5 5l5 5-5 5",
  sort: "M6.5 8 10 4.5 13.5 8M6.5 12 10 15.5 13.5 12",
  dots: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  check: "M4 10.5 8 14.5 16 5.5",
  calendar: "M4 5h12a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM3 8.5h14M7 3v3.5M13 3v3.5",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6v4.2l2.8 1.8",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l4 4",
  copy: "M7.5 7.5h8a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1h-8a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1zM13 7.5v-3a1 1 0 0 0-1-1H4.5a1 1 0 0 0-1 1v7a1 1 0 0 0 1 1h2",
  trash: "M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5 6.300 16.5h7.400l.8-11",
  thumbUp: "M6 9v8H3.5V9zM6 9.5 9.5 3c1.5 0 2 1 1.700 2.5L10.800 8H15a1.5 1.5 0 0 1 1.5 1.800l-1.200 5.700A1.800 1.800 0 0 1 13.5 17H6",
  thumbDown: "M14 11V3h2.5v8zM14 10.5 10.5 17c-1.5 0-2-1-1.700-2.5L9.200 12H5a1.5 1.5 0 0 1-1.5-1.800l1.200-5.700A1.800 1.800 0 0 1 6.5 3H14",
  info: "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 9v5M10 6.200h.01",
  warning: "M10 3 18 16.5H2zM10 8v4M10 14.200h.01",
  error: "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 6v5M10 13.700h.01",
  success: "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM6.5 10.200l2.400 2.400 4.600-5",
  file: "M5 3h6.5L15 6.5V17H5zM11.5 3v3.5H15",
  mail: "M4 5h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM3.500 6l6.500 5 6.500-5",
  play: "M7 5v10l8-5z",
  person: "M10 10a3.200 3.200 0 1 0 0-6.400A3.200 3.200 0 0 0 10 10zM3.5 17a6.5 6.5 0 0 1 13 0",
  circle: "M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z",
  bars: "M4 16.5v-5M8 16.5v-9M12 16.5v-7M16 16.5v-12",
};

export const icon = (name, label) => svg("svg", {
  class: `icon icon-${name}`, viewBox: "0 0 20 20", ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }),
}, svg("path", { d: PATHS[name] || PATHS.circle }));

/** What opens the side bar where it is folded away. */
export const menuButton = () => h("button", { type: "button", class: "icon-button menu-button", "aria-label": say("openMenu"),
  data: { do: "open-drawer" } }, icon("menu"));
