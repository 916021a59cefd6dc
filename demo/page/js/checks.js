// What Slack's own client refuses before sending a view: empty required fields, lengths, formats, ranges.

import { isMulti, stateOf, valueName } from "./inputs.js";
import { say } from "./words.js";

const length = (value) => [...value].length;

function textProblem(element, value) {
  if (element.min_length && length(value) < element.min_length) return say("tooShort", { n: element.min_length });
  if (element.max_length && length(value) > element.max_length) return say("tooLong", { n: element.max_length });
  return null;
}

function numberProblem(element, value) {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(value.trim())) return say("badNumber");
  if (!element.is_decimal_allowed && !/^[+-]?\d+$/.test(value.trim())) return say("badInteger");
  if (element.min_value !== undefined && Number(value) < Number(element.min_value)) return say("atLeast", { n: element.min_value });
  if (element.max_value !== undefined && Number(value) > Number(element.max_value)) return say("atMost", { n: element.max_value });
  return null;
}

const PROBLEMS = {
  plain_text_input: textProblem,
  email_text_input: (element, value) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) ? null : say("badEmail")),
  url_text_input: (element, value) => (/^https?:\/\/[^\s/]+/.test(value) ? null : say("badUrl")),
  number_input: numberProblem,
};

/** {block_id: sentence} for the input blocks that cannot be submitted as they stand. */
export function problemsOf(ctx, blocks = []) {
  const problems = {};
  for (const block of blocks) {
    if (block.type !== "input" || !block.element || !valueName(block.element.type)) continue;
    const value = stateOf(ctx, block, block.element)[valueName(block.element.type)];
    const isEmpty = isMulti(block.element.type) ? !value?.length : value === null || value === undefined || value === "";
    if (isEmpty) {
      if (!block.optional) problems[block.block_id] = say("required");
      continue;
    }
    const problem = PROBLEMS[block.element.type]?.(block.element, value);
    if (problem) problems[block.block_id] = problem;
  }
  return problems;
}
