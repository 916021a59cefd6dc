// Panels that float over the page: lists, menus, calendars. A click elsewhere closes them, the browser sees to that.

import { freshId, h } from "./dom.js";
import { composing } from "./events.js";

let open = null;

// A field of many chips is opened from inside; its list lines up with the whole field.
const frameOf = (anchor) => anchor.closest(".select.multi") || anchor;

function place(panel, anchor) {
  const box = frameOf(anchor).getBoundingClientRect();
  const height = panel.offsetHeight;
  const width = Math.max(panel.offsetWidth, 1);
  const below = innerHeight - box.bottom;
  const goesUp = below < height + 12 && box.top > below;
  const left = anchor.dataset.align === "end" ? box.right - width : box.left;
  panel.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  panel.style.top = goesUp ? `${Math.max(8, box.top - height - 6)}px` : `${Math.max(8, Math.min(box.bottom + 6, innerHeight - height - 8))}px`;
}

/** Open a panel beside anchor and return it; a second call closes the first. */
export function openPopover(anchor, { className = "", label = null, wide = false }, ...content) {
  const wasHere = open?.anchor === anchor;
  closePopover();
  if (wasHere) return null;
  const panel = h("div", { class: `popover ${className}`, popover: "auto", id: freshId("popover"), "aria-label": label },
    ...content);
  if (wide) panel.style.minWidth = `${frameOf(anchor).offsetWidth}px`;
  (anchor.closest("dialog") || document.body).append(panel);
  panel.addEventListener("toggle", ({ newState }) => {
    if (newState !== "closed") return;
    const hadFocus = panel.contains(document.activeElement) || document.activeElement === document.body;
    anchor.setAttribute("aria-expanded", "false");
    panel.remove();
    if (open?.panel === panel) open = null;
    if (hadFocus && anchor.isConnected) anchor.focus({ preventScroll: true });
  });
  panel.showPopover();
  place(panel, anchor);
  anchor.setAttribute("aria-expanded", "true");
  // A field draws its inside anew with each choice; what was opened from it stays open.
  open = { panel, anchor, field: anchor.closest("[data-block]") };
  return panel;
}

export function closePopover() {
  if (!open) return;
  const { panel, anchor } = open;
  open = null;
  if (panel.isConnected) panel.hidePopover();
  if (anchor.isConnected && (document.activeElement === document.body || !document.activeElement)) anchor.focus({ preventScroll: true });
}

/** Close what was opened from something that is not there any more. */
export function closeOrphan() {
  if (open && !(open.anchor.isConnected || open.field?.isConnected)) closePopover();
}

export const replace = (panel, anchor) => panel.isConnected && place(panel, anchor);

// A panel does not follow what scrolls away beneath it; its own list may scroll.
document.addEventListener("scroll", (event) => {
  if (open && event.target instanceof Node && !open.panel.contains(event.target)) place(open.panel, open.anchor);
}, true);

// One Escape closes one thing: left to itself, Safari closes with the panel the dialog below it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || composing(event) || !open) return;
  event.preventDefault();
  closePopover();
});

/** A menu of {label, more, run, tone, checked}; arrow keys move, Enter chooses. */
export function openMenu(anchor, label, items) {
  const list = h("div", { class: "menu", role: "menu", "aria-label": label });
  const panel = openPopover(anchor, { className: "menu-panel" }, list);
  if (!panel) return;
  list.append(...items.map((item) => {
    const role = item.checked === undefined ? "menuitem" : "menuitemradio";
    const look = { class: `menu-item ${item.tone || ""}`, role, tabindex: -1,
      "aria-checked": item.checked === undefined ? null : String(item.checked) };
    const inside = [item.mark, h("span", { class: "menu-words" }, h("span", null, item.label),
      item.more && h("small", null, item.more)), item.badge];
    const node = item.href ? h("a", { ...look, href: item.href, target: "_blank", rel: "noopener noreferrer" },
      inside) : h("button", { ...look, type: "button" }, inside);
    node.addEventListener("click", () => {
      closePopover();
      item.run?.();
    });
    return node;
  }));
  list.addEventListener("keydown", (event) => moveIn(list, event));
  place(panel, anchor);
  (list.querySelector("[aria-checked=true]") || list.firstElementChild)?.focus();
}

function moveIn(list, event) {
  const items = [...list.children];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items[(to + items.length) % items.length].focus();
}
