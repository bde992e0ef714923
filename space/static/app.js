// The demo in the visitor's browser: transformers.js runs the quantized file, and no text leaves the machine.
// Whatever a visitor or a model file says becomes a text node, never HTML.

const settings = JSON.parse(document.getElementById("settings").textContent);
const MOST_LINES = 5000;
const MOST_CHARACTERS = 10000;
const MOST_WORDS = 100; // more are not tried one by one
const READ_CHARACTERS = 500; // about what the model reads of a text
const SHOWN_ROWS = 200;
const SHOWN_CHARACTERS = 300; // of a text in the table
const BATCH = 16; // small enough that the page stays alive between batches
const RIGHT_ENOUGH = 0.6; // below the threshold, at most this share of the test rows was right
const SIGNS = { low: "▼", mid: "■", high: "▲" };
const FORMULA = /^ *[=+\-@\t\r\n＝＋－＠]/; // what spreadsheets take for the start of a formula
const HARD_PAIR = [
  "Castoria's net loss narrowed to USD 2 million from USD 9 million.",
  "Castoria's net loss widened to USD 9 million from USD 2 million.",
];

const byId = (id) => document.getElementById(id);
let classifier = null; // a promise, once loading has begun
let labels = [];
let doubt = { threshold: 0.5, right: null, rows: null, target: null, coverage: null, error: null };
let rows = [];
let stop = false;

// ---- the page's own elements

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function say(where, text, kind = "note") {
  const role = kind === "error" ? "alert" : "status";
  const line = element("p", { class: `fs-message fs-${kind}`, role });
  if (kind === "error") line.append(element("b", {}, "Not done. "));
  line.append(text);
  byId(where).replaceChildren(line);
}

const rowCount = (count) => `${count.toLocaleString("en")} ${count === 1 ? "row" : "rows"}`;
const percent = (share) => `${(share * 100).toFixed(1)} %`;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const tone = (label) => {
  const index = labels.indexOf(label);
  return index === 0 ? "low" : index === labels.length - 1 ? "high" : "mid";
};

function sign(label) {
  return element("span", { class: `fs-sign fs-${tone(label)}`, "aria-hidden": "true" }, SIGNS[tone(label)]);
}

// ---- the model

async function load() {
  const library = await import(new URL(settings.library, document.baseURI).href);
  const { env } = library;
  env.allowLocalModels = false;
  env.remoteHost = new URL(settings.host, document.baseURI).href;
  // transformers.js 4.3.1 asks for the first config.json at main whatever `revision` says, so the path names it too
  env.remotePathTemplate = `{model}/resolve/${encodeURIComponent(settings.revision)}/`;
  env.backends.onnx.wasm.wasmPaths = runtimePaths(env.backends.onnx.versions.web);
  const cached = await mayCache();
  env.useBrowserCache = cached;
  env.useWasmCache = cached;
  const found = await library.pipeline("text-classification", settings.model, {
    revision: settings.revision,
    dtype: settings.dtype,
    device: "wasm",
    progress_callback: showLoading,
  });
  const names = found.model.config.id2label;
  labels = Object.keys(names).sort((one, other) => one - other).map((index) => names[index]);
  await found("warm up"); // the first run is slow, and no visitor should wait for it
  byId("loading-bar").value = 100;
  byId("loading-bar").hidden = true;
  byId("loading-words").textContent = "The model is ready.";
  return found;
}

// The plain build of the runtime: half the size of the one that transformers.js takes, which also drives a GPU.
function runtimePaths(version) {
  const folder = settings.wasm ?? `https://cdn.jsdelivr.net/npm/onnxruntime-web@${version}/dist/`;
  const path = (ending) => new URL(`ort-wasm-simd-threaded.${ending}`, new URL(folder, document.baseURI)).href;
  return { mjs: path("mjs"), wasm: path("wasm") };
}

async function mayCache() {
  try {
    await caches.keys(); // refused where the page has no origin of its own
    return true;
  } catch {
    return false;
  }
}

function showLoading(event) {
  if (event.status !== "progress" || !String(event.file).endsWith(".onnx")) return;
  const share = event.total ? (100 * event.loaded) / event.total : 0;
  byId("loading-bar").value = share;
  byId("loading-words").textContent = `Loading the model: ${megabytes(event.loaded)} of ${megabytes(event.total || 0)}`;
}

function ready() {
  if (!classifier) {
    byId("load").hidden = true;
    byId("loading-words").textContent = "Loading the model.";
    classifier = load();
    classifier.catch((error) => {
      classifier = null;
      byId("load").hidden = false;
      byId("loading-words").textContent = `The model could not be loaded: ${error.message}`;
    });
  }
  return classifier;
}

// Returns one Map label -> probability for each text, in the model's order of labels.
async function predict(texts) {
  const model = await ready();
  const found = await model(texts.map((text) => text.toWellFormed?.() ?? text), { top_k: null });
  return found.map((answer) => {
    const scores = new Map(answer.map((one) => [one.label, one.score]));
    return new Map(labels.map((label) => [label, scores.get(label)]));
  });
}

const best = (scores) => [...scores].reduce((one, other) => (other[1] > one[1] ? other : one));

// ---- what came with the model

async function readMetrics() {
  const root = new URL(settings.host, document.baseURI).href.replace(/\/$/, "");
  const answer = await fetch(`${root}/${settings.model}/resolve/${settings.revision}/metrics.json`);
  if (!answer.ok) return;
  const metrics = await answer.json();
  const variant = metrics.variants.find((one) => one.name === metrics.default_variant);
  doubt = metrics.abstention
    ? readDoubt(metrics.abstention)
    : findDoubt(variant.scores.reliability, Object.keys(variant.scores.per_class).length);
  for (const example of metrics.examples) byId("examples").append(exampleButton(example));
  const accuracy = variant.scores.accuracy_interval;
  byId("foot").append(
    element("p", {}, `${megabytes(variant.bytes)}, kept by your browser after the first visit. Accuracy ` +
      `${percent(variant.scores.accuracy)} (95 % interval ${percent(accuracy.low)} to ${percent(accuracy.high)}) ` +
      `on ${variant.scores.n.toLocaleString("en")} test headlines. ${doubtWords()}`),
  );
}

// The threshold that was fitted when the release was made, with what it did on the test rows; as in the Gradio form.
function readDoubt({ target_error: target, threshold, test }) {
  const none = { target, right: null, rows: null, coverage: null, error: null };
  if (threshold === null) return { ...none, threshold: Infinity };
  const right = test.error_below === null ? null : 1 - test.error_below;
  return { ...none, threshold, right, rows: test.rows - test.answered, coverage: test.coverage, error: test.error };
}

// For a release whose metrics.json has none: the largest edge of a bin below which at most RIGHT_ENOUGH of the test rows were right; as in the Gradio form.
function findDoubt(reliability, labelCount) {
  const none = { target: null, coverage: null, error: null };
  let found = { ...none, threshold: 1 / labelCount, right: null, rows: null };
  let count = 0;
  let right = 0;
  reliability.count.forEach((inBin, index) => {
    count += inBin;
    right += inBin * reliability.accuracy[index];
    const edge = (index + 1) / reliability.count.length;
    if (count && right / count <= RIGHT_ENOUGH && edge <= 0.9) {
      found = { ...none, threshold: edge, right: right / count, rows: count };
    }
  });
  return found;
}

function doubtWords() {
  if (doubt.target !== null && doubt.rows === null) {
    return "Every answer counts as unsure: on the validation headlines no threshold was found above which at " +
      `most ${percent(doubt.target)} are wrong.`;
  }
  if (doubt.right === null) return `Answers below ${percent(doubt.threshold)} count as unsure.`;
  const lower = `Unsure below ${percent(doubt.threshold)}: of the ${doubt.rows.toLocaleString("en")} test headlines ` +
    `that scored lower, ${percent(doubt.right)} were right`;
  if (doubt.error === null) {
    return `${lower}. The card of this release names no threshold; this one is read off its reliability.`;
  }
  return `${lower}; of the others, ${percent(doubt.coverage)} of all, ${percent(doubt.error)} were wrong. ` +
    "It is the threshold of the model card.";
}

function exampleButton(example) {
  const button = element("button", { type: "button" }, example.title);
  button.addEventListener("click", () => {
    byId("headline").value = example.text;
    classifyOne();
  });
  return button;
}

// ---- one headline

async function classifyOne() {
  const text = byId("headline").value;
  const refusal = findRefusal(text);
  if (refusal) return say("answer", refusal, "error");
  say("answer", "Working.");
  try {
    const shown = await answer(text, "");
    byId("answer").replaceChildren(shown);
    shown.append(await reasons(text));
  } catch (error) {
    say("answer", `The model failed: ${error.message}`, "error");
  }
}

async function classifyPair() {
  say("answer", "Working.");
  const halves = [];
  for (const text of HARD_PAIR) {
    const half = await answer(text, text);
    half.append(await reasons(text));
    halves.push(half);
  }
  byId("answer").replaceChildren(element("div", { class: "fs-pair" }, ...halves));
}

function findRefusal(text) {
  if (!text.trim()) return "There is no text yet. Write a headline above, or take an example.";
  if (text.length > MOST_CHARACTERS) {
    return `The text has ${text.length.toLocaleString("en")} characters; at most ` +
      `${MOST_CHARACTERS.toLocaleString("en")} are taken. Paste a headline, or put many of them below.`;
  }
  return null;
}

async function answer(text, title) {
  await ready(); // loading is no part of the time
  const started = performance.now();
  const [scores] = await predict([text]);
  const took = performance.now() - started;
  const [label, score] = best(scores);
  const unsure = score < doubt.threshold;
  const verdict = unsure ? `Unsure, perhaps ${label}` : label[0].toUpperCase() + label.slice(1);
  const shown = element("div", { class: "fs-answer" });
  if (title) shown.append(element("p", { class: "fs-text" }, title));
  shown.append(
    element("p", { class: `fs-verdict fs-${unsure ? "unsure" : tone(label)}` },
      element("span", { "aria-hidden": "true" }, unsure ? "?" : SIGNS[tone(label)]),
      ` ${verdict} `, element("small", {}, percent(score))),
    bars(scores),
    element("p", { class: "fs-quiet" },
      `${unsure ? doubtWords() : "Calibrated probabilities."} Took ${took.toFixed(1)} ms.`),
  );
  return shown;
}

function bars(shares, amounts = new Map()) {
  const table = element("table", { class: "fs-bars" },
    element("caption", { class: "fs-hidden" }, "Share of each label"));
  for (const [label, share] of shares) {
    const bar = element("span", { class: `fs-bar fs-${tone(label)}` });
    bar.style.width = `${share * 100}%`;
    table.append(element("tr", {},
      element("th", { scope: "row" }, sign(label), ` ${label}`),
      element("td", { class: "fs-track" }, bar),
      element("td", { class: "fs-number" }, amounts.get(label) ?? percent(share))));
  }
  return table;
}

// Leave-one-out: every word is left out in turn, and its effect is what the label's probability loses.
async function reasons(text) {
  const spans = [...text.matchAll(/\S+/g)].map((found) => [found.index, found.index + found[0].length]);
  const tried = spans.filter(([start]) => start < READ_CHARACTERS).slice(0, MOST_WORDS);
  const variants = [text, ...tried.map(([start, end]) => text.slice(0, start) + text.slice(end))];
  const found = [];
  for (let start = 0; start < variants.length; start += BATCH) {
    found.push(...(await predict(variants.slice(start, start + BATCH))));
  }
  const [label, whole] = best(found[0]);
  const words = element("p", { class: "fs-words" });
  spans.forEach(([start, end], index) => {
    const effect = index < tried.length ? whole - found[index + 1].get(label) : 0;
    words.append(word(text.slice(start, end), effect), " ");
  });
  return element("div", { class: "fs-explanation" },
    element("h3", {}, `Which words decided for “${label}”`), words,
    element("p", { class: "fs-quiet" }, "Each word was left out in turn. The number says by how many percentage " +
      `points the probability of “${label}” is lower (+) or higher (−) without it. Words act together, so the ` +
      "numbers need not add up."));
}

function word(text, effect) {
  if (Math.abs(effect) < 0.005) return element("span", { class: "fs-word" }, text);
  const strength = Math.min(5, 1 + Math.floor(Math.abs(effect) * 10));
  const side = effect > 0 ? "for" : "against";
  const points = `${effect > 0 ? "+" : "−"}${Math.round(Math.abs(effect) * 100)}`;
  return element("span", { class: `fs-word fs-${side} fs-strength-${strength}` }, text, element("sub", {}, points));
}

// ---- many headlines

async function classifyMany() {
  const lines = byId("lines").value.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  if (!lines.length) return say("progress", "There is nothing to classify yet: paste lines.", "error");
  if (lines.length > MOST_LINES) {
    return say("progress", `${lines.length.toLocaleString("en")} lines; at most ${MOST_LINES.toLocaleString("en")} ` +
      "are taken in a browser. Split them, or run the model on a machine of your own.", "error");
  }
  stop = false;
  setRunning(true);
  rows = lines.map((text, index) => ({ number: index + 1, text, scores: null, problem: findProblem(text) }));
  try {
    await ready();
    const started = performance.now(); // loading is no part of the time
    await advance(rows.filter((row) => !row.problem), started);
    showMany((performance.now() - started) / 1000);
  } catch (error) {
    say("progress", `The model failed: ${error.message}`, "error");
  } finally {
    setRunning(false);
  }
}

const findProblem = (text) =>
  text.length > MOST_CHARACTERS
    ? `${text.length.toLocaleString("en")} characters; at most ${MOST_CHARACTERS.toLocaleString("en")} are read`
    : null;

async function advance(open, started) {
  const byLength = [...open].sort((one, other) => one.text.length - other.text.length);
  for (let start = 0; start < byLength.length && !stop; start += BATCH) {
    const batch = byLength.slice(start, start + BATCH);
    const found = await predict(batch.map((row) => row.text));
    batch.forEach((row, index) => (row.scores = found[index]));
    showProgress(start + batch.length, byLength.length, (performance.now() - started) / 1000);
    await new Promise((resolve) => setTimeout(resolve)); // lets the page answer a click on Cancel
  }
  for (const row of byLength) if (!row.scores) row.problem = "not classified: cancelled";
}

function showProgress(done, total, seconds) {
  const left = seconds > 1 ? `, ${(((total - done) * seconds) / done).toFixed(0)} s left` : "";
  const bar = element("progress", { max: total, value: done });
  const words = `${done.toLocaleString("en")} of ${total.toLocaleString("en")} rows${left}`;
  byId("progress").replaceChildren(element("div", { class: "fs-progress" }, element("label", {}, words, bar)));
}

function setRunning(running) {
  byId("classify-all").disabled = running;
  byId("cancel").disabled = !running;
  byId("csv").disabled = running || !rows.length;
}

function showMany(seconds) {
  const done = rows.filter((row) => row.scores);
  const counts = new Map(labels.map((label) => [label, done.filter((row) => best(row.scores)[0] === label).length]));
  const unsure = done.filter((row) => best(row.scores)[1] < doubt.threshold).length;
  const shares = new Map([...counts].map(([label, count]) => [label, count / Math.max(1, done.length)]));
  const amounts = new Map([...counts].map(([label, count]) => [label, `${count} · ${percent(shares.get(label))}`]));
  const kept = rows.length - done.length;
  say("progress", `${stop ? "Cancelled" : "Done"}: ${rowCount(done.length)} classified in ${seconds.toFixed(1)} s; ` +
    `${unsure.toLocaleString("en")} of them unsure${kept ? `; ${kept.toLocaleString("en")} kept without an answer` : ""}.`);
  byId("summary").replaceChildren(element("div", { class: "fs-summary" }, bars(shares, amounts)));
  byId("table").replaceChildren(resultTable());
}

function resultTable() {
  const head = element("tr", {},
    ...["row", "text", "label"].map((name) => element("th", { scope: "col" }, name)),
    ...labels.map((label) => element("th", { scope: "col", class: "fs-number" }, `p ${label}`)));
  const body = element("tbody", {}, ...rows.slice(0, SHOWN_ROWS).map(resultRow));
  const table = element("table", { class: "fs-table fs-results" }, element("thead", {}, head), body);
  const more = rows.length > SHOWN_ROWS ? `The first ${SHOWN_ROWS} of ${rows.length} rows; the CSV has all.` : "";
  return element("div", {}, element("p", { class: "fs-quiet" }, more),
    element("div", { class: "fs-scroll", tabindex: "0", role: "region", "aria-label": "Results" }, table));
}

function resultRow(row) {
  const text = row.text.length > SHOWN_CHARACTERS ? `${row.text.slice(0, SHOWN_CHARACTERS)}…` : row.text;
  const line = element("tr", {}, element("td", {}, String(row.number)), element("td", {}, text));
  if (!row.scores) {
    line.append(element("td", { class: "fs-problem", colspan: String(labels.length + 1) }, `problem: ${row.problem}`));
    return line;
  }
  const [label, score] = best(row.scores);
  const named = element("td", {}, sign(label), ` ${label} `);
  if (score < doubt.threshold) named.append(element("small", {}, "unsure"));
  line.append(named, ...[...row.scores.values()].map((share) => element("td", { class: "fs-number" }, share.toFixed(3))));
  return line;
}

// An apostrophe goes before text that a spreadsheet would run as a formula.
function cell(value) {
  const text = String(value ?? "");
  const safe = FORMULA.test(text) && (text.trim() === "" || Number.isNaN(Number(text))) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function toCsv() {
  const head = ["text", "predicted label", "score", ...labels.map((label) => `p ${label}`), "unsure", "problem"];
  const lines = rows.map((row) => {
    const [label, score] = row.scores ? best(row.scores) : ["", ""];
    const shares = labels.map((name) => row.scores?.get(name).toFixed(6));
    const unsure = row.scores ? String(score < doubt.threshold) : "";
    return [row.text, label, row.scores ? score.toFixed(6) : "", ...shares, unsure, row.scores ? "" : row.problem];
  });
  return "\ufeff" + [head, ...lines].map((line) => line.map(cell).join(",") + "\r\n").join("");
}

function download() {
  const address = URL.createObjectURL(new Blob([toCsv()], { type: "text/csv;charset=utf-8" }));
  element("a", { href: address, download: "sentiment.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// ---- light and dark

function keptTheme() {
  try {
    return localStorage.getItem("finsent-theme");
  } catch {
    return null; // refused where the page has no origin of its own
  }
}

function switchTheme() {
  const dark = document.body.classList.toggle("dark");
  try {
    localStorage.setItem("finsent-theme", dark ? "dark" : "light");
  } catch {
    // it holds for this visit only
  }
}

// A publisher may leave the page as it is and put a file beside it: {"id": ..., "revision": ...}.
async function readPinned() {
  if (!settings.pinned) return;
  const answer = await fetch(settings.pinned).catch(() => null);
  if (!answer?.ok) return;
  const { id, revision, ...more } = await answer.json();
  Object.assign(settings, more, { model: id ?? settings.model, revision: revision ?? settings.revision });
}

async function start() {
  const theme = keptTheme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.body.classList.toggle("dark", theme === "dark"); // before anything is waited for: no flash of white
  byId("theme").addEventListener("click", switchTheme);
  await readPinned();
  byId("title").textContent = document.title = settings.title;
  byId("many-limit").textContent = `Up to ${MOST_LINES.toLocaleString("en")} lines.`;
  const page = `${new URL(settings.host, document.baseURI).href.replace(/\/$/, "")}/${settings.model}`;
  byId("foot").append(element("p", {}, "Model: ",
    element("a", { href: `${page}/tree/${settings.revision}`, rel: "noopener" }, settings.model),
    `, revision ${settings.revision.slice(0, 12)}.`));
  byId("load").addEventListener("click", ready);
  byId("pair").addEventListener("click", classifyPair);
  byId("csv").addEventListener("click", download);
  byId("cancel").addEventListener("click", () => (stop = true));
  for (const [form, run] of [["one", classifyOne], ["many", classifyMany]]) {
    byId(form).addEventListener("submit", (event) => {
      event.preventDefault();
      run();
    });
  }
  byId("headline").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    classifyOne();
  });
  readMetrics().catch(() => {}); // the model answers without its figures, too
  if (navigator.connection?.saveData) byId("load").hidden = false;
  else ready();
}

start();
