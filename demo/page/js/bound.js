// Which element of which block in which place a node draws.

const bound = new WeakMap();

export function bind(node, element, block, ctx) {
  bound.set(node, { element, block, ctx });
  if (block.block_id) node.dataset.block = block.block_id;
  if (element.action_id) node.dataset.action = element.action_id;
  return node;
}

/** {element, block, ctx} of the nearest drawn element around a node. */
export function boundOf(node) {
  for (let at = node; at; at = at.parentElement) if (bound.has(at)) return bound.get(at);
  return null;
}
