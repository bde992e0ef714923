// The demo in the visitor's browser: what the page does when it opens, and what its buttons start.

import "./theme.js"; // first: it waits for nothing
import { doubtWords, takeDoubt } from "./doubt.js";
import { MOST_LINES, cancel, classifyMany, download } from "./many.js";
import { takeTones } from "./marks.js";
import { loaded, ready } from "./model.js";
import { classifyOne, classifyPair } from "./one.js";
import { byId, element } from "./page.js";
import { hub, readPinned, settings } from "./settings.js";
import { count, fillPage, megabytes, percent } from "./words.js";

// ---- what came with the model

async function readMetrics() {
  const answer = await fetch(`${hub()}/${settings.model}/resolve/${settings.revision}/metrics.json`);
  if (!answer.ok) return;
  const metrics = await answer.json();
  const variant = metrics.variants.find((one) => one.name === metrics.default_variant);
  takeDoubt(metrics, variant);
  takeWords(metrics.words ?? {}); // a release from before has none
  for (const example of metrics.examples) byId("examples").append(exampleButton(example));
  const accuracy = variant.scores.accuracy_interval;
  byId("foot").append(
    element("p", {}, `${megabytes(variant.bytes)}, kept by your browser after the first visit. Accuracy ` +
      `${percent(variant.scores.accuracy)} (95 % interval ${percent(accuracy.low)} to ${percent(accuracy.high)}) ` +
      `on ${count(variant.scores.n)} test rows. ${doubtWords()}`),
  );
  byId("lines").placeholder = metrics.examples.slice(0, 2).map((one) => one.text).join("\n");
  if (metrics.examples.length) openWith(metrics.examples[0].text);
}

function takeWords({ unit = settings.unit, tones = {}, pair = null, notice = null }) {
  fillPage(unit);
  takeTones(tones);
  byId("pair").hidden = !pair;
  byId("pair").addEventListener("click", () => classifyPair(pair));
  if (notice) byId("foot").append(element("p", {}, element("b", {}, notice)));
}

// The first example stands there at once, and its answer once there is a model, unless the visitor was quicker: whoever
// is in the field is about to write, and would write behind it.
function openWith(text) {
  const field = byId("text");
  field.placeholder = text;
  if (field.value || document.activeElement === field) return;
  field.value = text;
  loaded.then(() => {
    if (field.value === text && !byId("answer").hasChildNodes()) classifyOne();
  });
}

function exampleButton(example) {
  const button = element("button", { type: "button" }, example.title);
  button.addEventListener("click", () => {
    byId("text").value = example.text;
    classifyOne();
  });
  return button;
}

async function start() {
  await readPinned();
  fillPage(settings.unit);
  byId("title").textContent = document.title = settings.title;
  byId("many-limit").textContent = `Up to ${count(MOST_LINES)} lines.`;
  const page = `${hub()}/${settings.model}`;
  byId("foot").append(element("p", {}, "Model: ",
    element("a", { href: `${page}/tree/${settings.revision}`, rel: "noopener" }, settings.model),
    `, revision ${settings.revision.slice(0, 12)}.`));
  byId("load").addEventListener("click", ready);
  byId("method").addEventListener("change", () => byId("answer").hasChildNodes() && classifyOne());
  byId("csv").addEventListener("click", download);
  byId("cancel").addEventListener("click", cancel);
  for (const [form, run] of [["one", classifyOne], ["many", classifyMany]]) {
    byId(form).addEventListener("submit", (event) => {
      event.preventDefault();
      run();
    });
  }
  document.dispatchEvent(new Event("ready")); // for early.js
  readMetrics().catch(() => {}); // the model answers without its figures, too
  if (navigator.connection?.saveData) byId("load").hidden = false;
  else ready();
}

start();
