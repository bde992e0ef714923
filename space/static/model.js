// The model in the visitor's browser: transformers.js runs the quantized file, and no text leaves the machine.

import { byId } from "./page.js";
import { hub, settings } from "./settings.js";
import { megabytes } from "./words.js";

const KEPT = "finsent"; // a cache of this page
export const BATCH = 16; // small enough that the page stays alive between batches
export let labels = [];
let classifier = null; // a promise, once loading has begun
let tellLoaded;
export const loaded = new Promise((resolve) => (tellLoaded = resolve)); // whoever started it, and at which try

async function load() {
  const library = await import(await fetchChecked(settings.library));
  const { env } = library;
  env.allowLocalModels = false;
  env.remoteHost = hub();
  // transformers.js 4.3.1 asks for the first config.json at main whatever `revision` says, so the path names it too
  env.remotePathTemplate = `{model}/resolve/${encodeURIComponent(settings.revision)}/`;
  env.backends.onnx.wasm.wasmPaths = await runtimePaths(env.backends.onnx.versions.web);
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
async function runtimePaths(version) {
  const folder = settings.wasm ?? `https://cdn.jsdelivr.net/npm/onnxruntime-web@${version}/dist/`;
  const path = (ending) => fetchChecked(`${folder}ort-wasm-simd-threaded.${ending}`);
  const [mjs, wasm] = await Promise.all([path("mjs"), path("wasm")]);
  return { mjs, wasm };
}

// What runs in the page is what was tested: an import cannot be given a hash in every browser, a fetch can.
async function fetchChecked(address) {
  const name = address.split("/").pop();
  const integrity = settings.integrity[name];
  if (!integrity) throw new Error(`no hash is known for ${name}`);
  const answer = await fetchKept(new URL(address, document.baseURI).href, integrity);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  const type = name.endsWith(".wasm") ? "application/wasm" : "text/javascript";
  return URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type }));
}

// Kept where transformers.js keeps the model: what a browser keeps of its own accord it also drops, and the runtime is
// larger than many a model.
async function fetchKept(url, integrity) {
  const kept = (await mayCache()) ? await caches.open(KEPT) : null;
  const found = await kept?.match(url);
  if (found && (await hash(found.clone())) === integrity) return found;
  const answer = await fetch(url, { integrity });
  if (answer.ok) await kept?.put(url, answer.clone()).catch(() => {}); // the visitor's disk may be full
  return answer;
}

async function hash(answer) {
  const digest = await crypto.subtle.digest("SHA-384", await answer.arrayBuffer());
  return `sha384-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
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

export function ready() {
  if (!classifier) {
    byId("load").hidden = true;
    byId("loading-words").textContent = "Loading the model.";
    classifier = load();
    classifier.then(tellLoaded, (error) => {
      classifier = null;
      byId("load").hidden = false;
      byId("loading-words").textContent = `The model could not be loaded: ${error.message}`;
    });
  }
  return classifier;
}

// Returns one Map label -> probability for each text, in the model's order of labels.
export async function predict(texts) {
  const model = await ready();
  const found = await model(texts.map((text) => text.toWellFormed?.() ?? text), { top_k: null });
  return found.map((answer) => {
    const scores = new Map(answer.map((one) => [one.label, one.score]));
    return new Map(labels.map((label) => [label, scores.get(label)]));
  });
}

export const best = (scores) => [...scores].reduce((one, other) => (other[1] > one[1] ? other : one));
