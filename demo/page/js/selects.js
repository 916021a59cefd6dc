// Every kind of select: one field, one searchable list; only where the options come from differs.

import { askOptions } from "./api.js";
import { avatar } from "./people.js";
import { freshId, h } from "./dom.js";
import { bind, boundOf } from "./bound.js";
import { composing, when } from "./events.js";
import { icon } from "./icons.js";
import { enter, isMulti, valueOf } from "./inputs.js";
import { closePopover, openPopover, replace } from "./popover.js";
import { plain } from "./richtext.js";
import { channelOf, nameOf, world } from "./world.js";
import { say } from "./words.js";

const kindOf = (type) => type.replace(/^multi_/, "");

const ofOption = (option) => ({ id: option.value, label: plain(option.text), more: plain(option.description), payload: option });
const ofUser = (user) => ({ id: user.id, label: user.name, more: user.title, mark: avatar(user, "tiny"), payload: user.id });
const ofChannel = (channel) => ({ id: channel.id, label: channel.name, mark: h("span", { class: "hash" }, icon("hash")),
  payload: channel.id });
const ofDm = (dm) => ({ id: dm.id, label: dm.name || nameOf(dm.user_id), mark: h("span", { class: "hash" }, icon("person")),
  payload: dm.id });

function conversations(element) {
  const include = element.filter?.include || ["public", "private", "im", "mpim"];
  const channels = include.includes("public") || include.includes("private") ? world.channels.map(ofChannel) : [];
  const dms = include.includes("im") ? world.dms.filter((dm) => !(element.filter?.exclude_bot_users && (dm.bot || dm.is_bot))).map(ofDm) : [];
  return channels.concat(dms);
}

const GROUPS = {
  static_select: (element) => groupsOf(element),
  users_select: () => [{ items: [...world.users.values()].filter((user) => !user.is_bot).map(ofUser) }],
  channels_select: () => [{ items: world.channels.map(ofChannel) }],
  conversations_select: (element) => [{ items: conversations(element) }],
};

function groupsOf(answer) {
  if (answer.option_groups) return answer.option_groups.map((group) => ({ label: plain(group.label),
    items: (group.options || []).map(ofOption) }));
  return [{ items: (answer.options || []).map(ofOption) }];
}

/** What is chosen now, as items that can be shown. */
function chosen(element, value) {
  const all = Array.isArray(value) ? value : value ? [value] : [];
  return all.map((each) => {
    if (typeof each === "object") return ofOption(each);
    const kind = kindOf(element.type);
    if (kind === "users_select") return ofUser(world.users.get(each) || { id: each, name: nameOf(each) });
    const channel = channelOf(each);
    return channel?.user_id || channel?.bot ? ofDm(channel) : ofChannel(channel || { id: each, name: each });
  });
}

export function picker(element, block, ctx) {
  return bind(fieldParts(h("div", { class: isMulti(element.type) ? "select multi" : "select" }), element, block, ctx), element,
    block, ctx);
}

function fieldParts(node, element, block, ctx) {
  const now = chosen(element, valueOf(ctx, block, element));
  const hint = plain(element.placeholder) || say("choose");
  const multi = isMulti(element.type);
  const open = node.querySelector(".select-open") || h("button",
    { type: "button", class: "select-open", role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false",
    autofocus: element.focus_on_load, data: { do: "open-picker", keys: "open-picker", labelled: "" } });
  if (block.type !== "input") open.setAttribute("aria-label", hint);
  const single = !multi && now[0];
  open.replaceChildren(...[single?.mark, h("span", { class: single ? "select-text" : "select-text placeholder" },
    single ? single.label : multi && now.length ? "" : hint), icon("down")].filter(Boolean));
  const chips = multi ? now.map((item) => h("span", { class: "chip", title: item.label }, item.mark, h("span", null, item.label),
    h("button", { type: "button", class: "chip-remove", "aria-label": say("remove", { name: item.label }),
      data: { do: "unpick", id: item.id } }, icon("close")))) : [];
  const clear = single && block.type === "input" && block.optional && h("button",
    { type: "button", class: "select-clear", "aria-label": say("remove", { name: single.label }),
    data: { do: "unpick", id: single.id } }, icon("close"));
  for (const child of [...node.children]) if (child !== open) child.remove();
  if (!open.isConnected) node.append(open);
  open.before(...chips);
  if (clear) open.after(clear);
  return node;
}

/** Draw the field again after its value changed. */
export function redrawField(node) {
  const { element, block, ctx } = boundOf(node);
  fieldParts(node, element, block, ctx);
}

function tellPicked(node, before) {
  node.dispatchEvent(new CustomEvent("picked", { bubbles: true, detail: { before, redraw: () => redrawField(node) } }));
}

function pick(node, item) {
  const { element, block, ctx } = boundOf(node);
  const before = valueOf(ctx, block, element);
  if (!isMulti(element.type)) enter(ctx, block, element, item.payload);
  else {
    const idOf = (each) => (typeof each === "object" ? each.value : each);
    const without = before.filter((each) => idOf(each) !== item.id);
    const isFull = element.max_selected_items && before.length >= element.max_selected_items;
    if (without.length === before.length && isFull) return;
    enter(ctx, block, element, without.length === before.length ? [...before, item.payload] : without);
  }
  redrawField(node);
  tellPicked(node, before);
}

function unpick(node, id) {
  const { element, block, ctx } = boundOf(node);
  const before = valueOf(ctx, block, element);
  enter(ctx, block, element, isMulti(element.type) ? before.filter((each) => (typeof each === "object" ? each.value : each) !== id) : null);
  redrawField(node);
  tellPicked(node, before);
  node.querySelector(".select-open").focus();
}

const folded = (text) => String(text || "").normalize("NFC").toLocaleLowerCase();

/** The open list of one field: what is searched, what is shown, which row is active. */
class List {
  constructor(node, anchor) {
    Object.assign(this, boundOf(node), { node, anchor, active: 0, rows: [], asked: 0, timer: 0 });
    this.isExternal = kindOf(this.element.type) === "external_select";
    this.id = freshId("list");
    this.search = h("input", { class: "list-search", type: "text", role: "combobox", "aria-expanded": "true",
      "aria-controls": this.id, "aria-autocomplete": "list", autocomplete: "off",
      "aria-label": plain(this.element.placeholder) || say("search"), placeholder: say("search") });
    this.box = h("div", { class: "list", role: "listbox", id: this.id,
      "aria-multiselectable": isMulti(this.element.type) ? "true" : null });
    this.panel = openPopover(anchor, { className: "list-panel", wide: true },
      h("div", { class: "list-head" }, icon("search"), this.search), this.box);
    if (!this.panel) return;
    this.search.addEventListener("input", () => this.look());
    this.search.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("mousedown", (event) => event.preventDefault());
    this.box.addEventListener("click", (event) => this.click(event));
    this.look();
    this.search.focus();
  }

  look() {
    const query = this.search.value.trim();
    if (!this.isExternal) {
      const groups = GROUPS[kindOf(this.element.type)](this.element);
      const total = groups.reduce((sum, group) => sum + group.items.length, 0);
      this.panel.classList.toggle("short", total < 8 && !query);
      const fits = (item) => folded(item.label).includes(folded(query)) || folded(item.more).includes(folded(query));
      this.show(groups.map((group) => ({ ...group, items: group.items.filter(fits) })));
      return;
    }
    const least = this.element.min_query_length ?? 3;
    clearTimeout(this.timer);
    this.asked += 1;
    if ([...query].length < least) this.state("list-note", say("typeMore", { n: least }));
    else {
      this.state("list-note loading", say("loading"));
      this.timer = setTimeout(() => this.ask(query), query ? 180 : 0);
    }
  }

  async ask(query) {
    const mine = this.asked;
    let answer = null;
    try {
      answer = await askOptions(this.ctx.container, this.block.block_id, this.element.action_id, query);
    } catch { /* shown below as a list that could not be loaded */ }
    if (mine !== this.asked || !this.panel.isConnected) return;
    if (answer?.options || answer?.option_groups) this.show(groupsOf(answer));
    else {
      this.state("list-note failed", say("optionsFailed"));
      this.box.append(h("button", { type: "button", class: "button plain small", data: { again: "" } }, say("retry")));
    }
  }

  state(look, sentence) {
    this.rows = [];
    this.search.removeAttribute("aria-activedescendant");
    this.box.replaceChildren(h("div", { class: look, role: "status" }, sentence));
    replace(this.panel, this.anchor);
  }

  show(groups) {
    const now = new Set(chosen(this.element, valueOf(this.ctx, this.block, this.element)).map((item) => item.id));
    this.rows = groups.flatMap((group) => group.items);
    if (!this.rows.length) {
      this.state("list-note", say("noResults"));
      return;
    }
    let at = -1;
    const row = (item) => h("div", { class: "list-row", role: "option", id: `${this.id}-${(at += 1)}`,
      "aria-selected": String(now.has(item.id)), data: { at } },
      item.mark, h("span", { class: "list-words" }, h("span", null, item.label), item.more && h("small", null, item.more)),
        now.has(item.id) && icon("check"));
    this.box.replaceChildren(...groups.filter((group) => group.items.length).map((group) =>
      h("div", { role: "group", "aria-label": group.label || null }, group.label && h("div", { class: "list-group" }, group.label),
        group.items.map(row))));
    const first = this.rows.findIndex((item) => now.has(item.id));
    this.move(Math.min(this.keepAt ?? (this.search.value ? 0 : Math.max(first, 0)), this.rows.length - 1));
    replace(this.panel, this.anchor);
  }

  move(to) {
    if (!this.rows.length) return;
    this.active = (to + this.rows.length) % this.rows.length;
    for (const row of this.box.querySelectorAll(".list-row")) row.classList.toggle("active",
      Number(row.dataset.at) === this.active);
    const row = this.box.querySelector(`[data-at="${this.active}"]`);
    this.search.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  choose(at) {
    const item = this.rows[at];
    if (!item) return;
    if (!isMulti(this.element.type)) closePopover();
    pick(this.node, item);
    if (!isMulti(this.element.type)) return;
    this.keepAt = at;
    this.show([{ items: this.rows }]);
    this.keepAt = undefined;
    this.search.select(); // the next letter begins the next search
  }

  key(event) {
    if (composing(event)) return;
    const moves = { ArrowDown: this.active + 1, ArrowUp: this.active - 1 };
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === "Enter") this.choose(this.active);
    else if (event.key === "Tab") {
      closePopover();
      return;
    } else return;
    event.preventDefault();
  }

  click(event) {
    if (event.target.closest("[data-again]")) {
      this.look();
      return;
    }
    const row = event.target.closest(".list-row");
    if (row) this.choose(Number(row.dataset.at));
  }
}

const openList = (anchor) => new List(anchor.closest(".select"), anchor);

when("do", "open-picker", (anchor) => { openList(anchor); });
when("keys", "open-picker", (anchor, event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  if (anchor.getAttribute("aria-expanded") !== "true") openList(anchor);
});
when("do", "unpick", (button) => unpick(button.closest(".select"), button.dataset.id));
