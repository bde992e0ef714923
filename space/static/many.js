// Many texts: pasted, classified batch by batch, shown, and downloaded as CSV.

import { isUnsure } from "./doubt.js";
import { markOf } from "./marks.js";
import { BATCH, best, labels, predict, ready } from "./model.js";
import { MOST_CHARACTERS } from "./one.js";
import { bars, byId, element, say, sign } from "./page.js";
import { count, percent, phrase, rowCount } from "./words.js";

export const MOST_LINES = 5000;
const SHOWN_ROWS = 200;
const SHOWN_CHARACTERS = 300; // of a text in the table
const FORMULA = /^ *[=+\-@\t\r\n＝＋－＠]/; // what spreadsheets take for the start of a formula

let rows = [];
let stop = false;

export async function classifyMany() {
  const lines = byId("lines").value.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  if (!lines.length) return say("progress", "There is nothing to classify yet: paste lines.", "error");
  if (lines.length > MOST_LINES) {
    return say("progress", `${count(lines.length)} lines; at most ${count(MOST_LINES)} ` +
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

export function cancel() {
  stop = true;
}

const findProblem = (text) =>
  text.length > MOST_CHARACTERS
    ? phrase("problem_long", { count: count(text.length), most: count(MOST_CHARACTERS) })
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
  for (const row of byLength) if (!row.scores) row.problem = phrase("not_done");
}

function showProgress(done, total, seconds) {
  const left = (((total - done) * seconds) / done).toFixed(0);
  const values = { done: count(done), total: count(total), seconds: left };
  const words = phrase(seconds > 1 ? "progress_left" : "progress", values);
  const bar = element("progress", { max: total, value: done });
  byId("progress").replaceChildren(element("div", { class: "fs-progress" }, element("label", {}, words, bar)));
}

function setRunning(running) {
  byId("classify-all").disabled = running;
  byId("cancel").disabled = !running;
  byId("csv").disabled = running || !rows.length;
}

function showMany(seconds) {
  const done = rows.filter((row) => row.scores);
  const having = (label) => done.filter((row) => best(row.scores)[0] === label).length;
  const shares = new Map(labels.map((label) => [label, having(label) / Math.max(1, done.length)]));
  const amounts = new Map([...shares].map(([label, share]) => [label, `${count(having(label))} · ${percent(share)}`]));
  const kept = rows.length - done.length;
  say("progress", phrase(stop ? "cancelled" : "done", {
    rows: rowCount(done.length),
    seconds: seconds.toFixed(1),
    unsure: count(done.filter((row) => isUnsure(best(row.scores)[1])).length),
    kept: kept ? phrase("kept", { count: count(kept) }) : "",
  }));
  byId("summary").replaceChildren(element("div", { class: "fs-summary" }, bars(shares, amounts)));
  byId("table").replaceChildren(resultTable());
}

function resultTable() {
  const head = element("tr", {},
    ...["row", "text", "label"].map((name) => element("th", { scope: "col" }, phrase(`column_${name}`))),
    ...labels.map((label) => element("th", { scope: "col", class: "fs-number" }, phrase("column_share", { label }))));
  const body = element("tbody", {}, ...rows.slice(0, SHOWN_ROWS).map(resultRow));
  const table = element("table", { class: "fs-table fs-results" }, element("thead", {}, head), body);
  const more = rows.length > SHOWN_ROWS ? `The first ${SHOWN_ROWS} of ${rows.length} rows; the CSV has all.` : "";
  return element("div", {}, element("p", { class: "fs-quiet" }, more),
    element("div", { class: "fs-scroll", tabindex: "0", role: "region", "aria-label": phrase("results") }, table));
}

function resultRow(row) {
  const text = row.text.length > SHOWN_CHARACTERS ? `${row.text.slice(0, SHOWN_CHARACTERS)}…` : row.text;
  const line = element("tr", {}, element("td", {}, String(row.number)), element("td", {}, text));
  if (!row.scores) {
    const said = phrase("problem", { problem: row.problem });
    line.append(element("td", { class: "fs-problem", colspan: String(labels.length + 1) }, said));
    return line;
  }
  const [label, score] = best(row.scores);
  const named = element("td", {}, sign(markOf(labels, label)), ` ${label} `);
  if (isUnsure(score)) named.append(element("small", {}, phrase("unsure")));
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
    const unsure = row.scores ? String(isUnsure(score)) : "";
    return [row.text, label, row.scores ? score.toFixed(6) : "", ...shares, unsure, row.scores ? "" : row.problem];
  });
  return "\ufeff" + [head, ...lines].map((line) => line.map(cell).join(",") + "\r\n").join("");
}

export function download() {
  const address = URL.createObjectURL(new Blob([toCsv()], { type: "text/csv;charset=utf-8" }));
  element("a", { href: address, download: "classified.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
