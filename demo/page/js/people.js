// Faces: initials on a colour for people, a small drawing for the app.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const COLOURS = ["#5b6ee1", "#2f9e7f", "#c9653d", "#a457b8", "#c94f6d", "#3d87b8", "#8a7a2e"];

function initialsOf(name) {
  const words = String(name || "?").trim().split(/\s+/);
  // Koreans go by their given name, the last two syllables; Japanese by the family name in front.
  if (/[\u3040-\u30FF\u4E00-\u9FFF]/.test(name)) return words[0].slice(0, 2);
  if (/[\u3131-\u318E\uAC00-\uD7A3]/.test(name)) return words[0].slice(-2);
  return words.slice(0, 2).map((word) => word[0]).join("").toUpperCase();
}

const colourOf = (id) => COLOURS[[...String(id)].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % COLOURS.length];

/** A person's tile; size is "", "small" or "tiny". */
export function avatar(user, size = "") {
  if (user?.is_bot) return appAvatar(size);
  const given = String(user?.color || "").replace(/^#/, "");
  const colour = /^[0-9a-f]{3,8}$/i.test(given) ? `#${given}` : colourOf(user?.id);
  return h("span", { class: `avatar ${size}`, style: { background: colour }, "aria-hidden": "true" }, initialsOf(user?.name));
}

export const appAvatar = (size = "") => h("span", { class: `avatar app ${size}`, "aria-hidden": "true" }, icon("bars"));
