// One text: the answer first, then the words that decided.

import { doubtWords, isUnsure } from "./doubt.js";
import { explain } from "./explain.js";
import { markOf, unsureMark } from "./marks.js";
import { best, labels, predict, ready } from "./model.js";
import { bars, byId, element, say } from "./page.js";
import { begin, count, percent, phrase } from "./words.js";

export const MOST_CHARACTERS = 10000;
const VISIBLE_EFFECT = 0.005; // half a percentage point: less is rounded away anyway

let asked = 0; // how often; the answer to an older question never takes the place of a newer one's

export async function classifyOne() {
  const text = byId("text").value;
  const mine = ++asked;
  const refusal = findRefusal(text);
  if (refusal) return say("answer", refusal, "error");
  say("answer", "Working.");
  try {
    const shown = await answer(text, "");
    if (mine === asked) byId("answer").replaceChildren(shown);
    shown.append(await reasons(text));
  } catch (error) {
    if (mine === asked) say("answer", `The model failed: ${error.message}`, "error");
  }
}

export async function classifyPair({ texts, note }) {
  const mine = ++asked;
  say("answer", "Working.");
  const halves = [];
  for (const text of texts) {
    const half = await answer(text, text);
    half.append(await reasons(text));
    halves.push(half);
  }
  const told = note ? [element("p", { class: "fs-quiet" }, note)] : [];
  if (mine === asked) byId("answer").replaceChildren(...told, element("div", { class: "fs-pair" }, ...halves));
}

function findRefusal(text) {
  if (!text.trim()) return phrase("refused_empty");
  if (text.length <= MOST_CHARACTERS) return null;
  return phrase("refused_long", { count: count(text.length), most: count(MOST_CHARACTERS) });
}

async function answer(text, title) {
  await ready(); // loading is no part of the time
  const started = performance.now();
  const [scores] = await predict([text]);
  const took = phrase("took", { milliseconds: (performance.now() - started).toFixed(1) });
  const [label, score] = best(scores);
  const unsure = isUnsure(score);
  const shown = element("div", { class: "fs-answer" });
  if (title) shown.append(element("p", { class: "fs-text" }, title));
  shown.append(
    verdict(label, score, unsure),
    bars(scores),
    element("p", { class: "fs-quiet" }, `${unsure ? doubtWords() : phrase("calibrated")} ${took}`),
  );
  return shown;
}

function verdict(label, score, unsure) {
  const mark = unsure ? unsureMark() : markOf(labels, label);
  const said = unsure ? phrase("verdict_unsure", { label }) : begin(label);
  return element("p", { class: `fs-verdict fs-${mark.kind}` },
    element("span", { "aria-hidden": "true" }, mark.sign), ` ${said} `, element("small", {}, percent(score)));
}

async function reasons(text) {
  const { label, words, orders } = await explain(text, byId("method").value);
  const shown = element("p", { class: "fs-words" });
  for (const one of words) shown.append(word(one.text, one.effect), " ");
  const note = orders ? phrase("shapley_note", { label, orders }) : phrase("words_note", { label });
  return element("div", { class: "fs-explanation" },
    element("h3", {}, phrase("words_title", { label })), shown, element("p", { class: "fs-quiet" }, note));
}

function word(text, effect) {
  if (Math.abs(effect) < VISIBLE_EFFECT) return element("span", { class: "fs-word" }, text);
  const strength = Math.min(5, 1 + Math.floor(Math.abs(effect) * 10));
  const side = effect > 0 ? "for" : "against";
  const points = `${effect > 0 ? "+" : "−"}${Math.round(Math.abs(effect) * 100)}`;
  return element("span", { class: `fs-word fs-${side} fs-strength-${strength}` }, text, element("sub", {}, points));
}
