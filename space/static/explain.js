// Which words decided: by leaving out one at a time, or by Shapley values, as inference/explain.py does it.

import { BATCH, best, predict } from "./model.js";
import { drawOrders } from "./orders.js";

const MOST_WORDS = 100; // more are not tried
const READ_CHARACTERS = 500; // about what the model reads of a text

// Returns the label, the words with what each did for it (0 where it was not tried), and the number of orders, if any.
export async function explain(text, method) {
  const spans = [...text.matchAll(/\S+/g)].map((found) => [found.index, found.index + found[0].length]);
  const tried = spans.filter(([start]) => start < READ_CHARACTERS).slice(0, MOST_WORDS);
  const { label, effects, orders } = await (method === "shapley" ? shareOut : leaveEachOut)(text, tried);
  const words = spans.map(([start, end], index) => ({ text: text.slice(start, end), effect: effects[index] ?? 0 }));
  return { label, words, orders };
}

async function leaveEachOut(text, spans) {
  const [whole, ...others] = await predictAll([text, ...spans.map((span) => leaveOut(text, [span]))]);
  const [label, score] = best(whole);
  return { label, effects: others.map((one) => score - one.get(label)) };
}

// Words are added in random orders; the effect of a word is the mean of what it changes.
async function shareOut(text, spans) {
  const orders = drawOrders(spans.length);
  const kept = new Map(); // the same words, in whatever order, are one text
  for (const order of orders) {
    for (let size = 0; size <= order.length; size++) kept.set(name(order, size), new Set(order.slice(0, size)));
  }
  const found = await predictAll([...kept.values()].map((one) => leaveOut(text, spans.filter((_, index) => !one.has(index)))));
  const scores = new Map([...kept.keys()].map((key, index) => [key, found[index]]));
  const [label] = best(scores.get(name(orders[0], spans.length)));
  const effects = spans.map(() => 0);
  for (const order of orders) {
    order.forEach((word, size) => {
      const change = scores.get(name(order, size + 1)).get(label) - scores.get(name(order, size)).get(label);
      effects[word] += change / orders.length;
    });
  }
  return { label, effects, orders: orders.length };
}

const name = (order, size) => order.slice(0, size).sort((one, other) => one - other).join();

function leaveOut(text, spans) {
  const pieces = spans.map(([start], index) => text.slice(index ? spans[index - 1][1] : 0, start));
  return pieces.join("") + text.slice(spans.length ? spans[spans.length - 1][1] : 0);
}

async function predictAll(texts) {
  const found = [];
  for (let start = 0; start < texts.length; start += BATCH) {
    found.push(...(await predict(texts.slice(start, start + BATCH))));
  }
  return found;
}
