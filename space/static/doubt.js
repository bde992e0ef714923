// From which probability on an answer counts, and what the test rows say of those below; as in the Gradio form.

import { count, percent, phrase } from "./words.js";

const RIGHT_ENOUGH = 0.6; // below the threshold, at most this share of the test rows was right
const NO_FIGURES = { threshold: 0.5, right: null, rows: null, target: null, coverage: null, error: null };
let doubt = NO_FIGURES;

export const isUnsure = (score) => score < doubt.threshold;

// Takes the threshold from metrics.json, where `variant` is the file that the page runs.
export function takeDoubt(metrics, variant) {
  doubt = metrics.abstention
    ? readDoubt(metrics.abstention)
    : findDoubt(variant.scores.reliability, Object.keys(variant.scores.per_class).length);
}

// The threshold that was fitted when the release was made, with what it did on the test rows.
function readDoubt({ target_error: target, threshold, test }) {
  const none = { ...NO_FIGURES, target };
  if (threshold === null) return { ...none, threshold: Infinity };
  const right = test.error_below === null ? null : 1 - test.error_below;
  return { ...none, threshold, right, rows: test.rows - test.answered, coverage: test.coverage, error: test.error };
}

// For a release whose metrics.json has none: the largest edge of a bin below which at most RIGHT_ENOUGH of the test
// rows were right.
function findDoubt(reliability, labelCount) {
  let found = { ...NO_FIGURES, threshold: 1 / labelCount };
  let rows = 0;
  let right = 0;
  reliability.count.forEach((inBin, index) => {
    rows += inBin;
    right += inBin * reliability.accuracy[index];
    const edge = (index + 1) / reliability.count.length;
    if (rows && right / rows <= RIGHT_ENOUGH && edge <= 0.9) {
      found = { ...NO_FIGURES, threshold: edge, right: right / rows, rows };
    }
  });
  return found;
}

export function doubtWords() {
  if (doubt.target !== null && doubt.rows === null) return phrase("doubt_always", { target: percent(doubt.target) });
  const threshold = percent(doubt.threshold);
  if (doubt.right === null) return phrase("doubt_unmeasured", { threshold });
  const lower = phrase("doubt_lower", { threshold, rows: count(doubt.rows), right: percent(doubt.right) });
  if (doubt.error === null) return phrase("doubt_from_reliability", { lower });
  return phrase("doubt_from_card", { lower, coverage: percent(doubt.coverage), error: percent(doubt.error) });
}
