// One delegated listener: an element says what it does with data-do, data-input, data-change, data-keys or data-submit.

const handlers = { do: {}, input: {}, change: {}, keys: {}, submit: {} };
const KIND_OF = { click: "do", input: "input", change: "change", keydown: "keys", submit: "submit" };

/** Whether a key belongs to the input method. Safari ends a composition before it tells of the key that ended it. */
export const composing = (event) => event.isComposing || event.keyCode === 229;

/** Register what happens for data-<kind>="name"; the handler gets (node, event). */
export function when(kind, name, handler) {
  handlers[kind][name] = handler;
}

function listen(event) {
  const kind = KIND_OF[event.type];
  if (kind === "keys" && composing(event)) return;
  const from = event.target instanceof Element ? event.target : null;
  for (let node = from?.closest(`[data-${kind}]`); node; node = node.parentElement?.closest(`[data-${kind}]`)) {
    const handler = handlers[kind][node.dataset[kind]];
    if (!handler) continue;
    if (kind === "do" && node.disabled) return;
    if (handler(node, event) !== "on") return;
  }
}

export function listenForEverything() {
  for (const type of Object.keys(KIND_OF)) document.addEventListener(type, listen);
  document.addEventListener("submit", (event) => event.preventDefault());
}
