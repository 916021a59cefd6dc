// The only way this page makes elements: text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";
const SAFE_SCHEMES = new Set(["http:", "https:", "mailto:", "slack:", "tel:"]);

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "data") Object.assign(node.dataset, value);
    else if (name === "style") for (const [rule, to] of Object.entries(value)) node.style.setProperty(rule, to);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);
export const svg = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);

/** Return the address if a reader may be sent there, else null (javascript:, data: and the like). */
export function safeUrl(address) {
  try {
    const url = new URL(String(address), location.href);
    return SAFE_SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Return an image address that cannot make this page call another host; others are shown by their alt text. */
export function localImage(address) {
  const text = String(address || "");
  if (/^data:image\/(png|jpeg|gif);base64,/.test(text)) return text;
  const url = safeUrl(text);
  return url && new URL(url).origin === location.origin ? url : null;
}

const drawn = new WeakMap();

/** Make parent's children match items ({key, sig, make}), keeping every node whose sig has not changed.
 *  Kept nodes keep their focus, caret and half-composed Hangul. */
export function keep(parent, items) {
  const known = new Map();
  for (const child of [...parent.children]) {
    const was = drawn.get(child);
    if (was && !known.has(was.key)) known.set(was.key, child);
    else if (!child.popover) child.remove(); // an open list or menu is not drawn here, and closes by itself
  }
  let here = parent.firstElementChild;
  for (const { key, sig, make } of items) {
    const old = known.get(key);
    known.delete(key);
    let node = old;
    if (!old || drawn.get(old).sig !== sig) {
      node = make();
      drawn.set(node, { key, sig });
      if (old) {
        if (here === old) here = node;
        old.replaceWith(node);
      }
    }
    if (here === node) here = node.nextElementSibling;
    else parent.insertBefore(node, here);
  }
  for (const gone of known.values()) gone.remove();
  return parent;
}

/** Draw a single region again only when sig changed. */
export function keepOne(parent, sig, make) {
  return keep(parent, [{ key: "only", sig, make }]);
}

let serial = 0;
export const freshId = (prefix) => `${prefix}-${(serial += 1)}`;
