// The JavaScript clients against a local Hub; prints "ok" when every step went as it should.
// Usage: node clients.mjs ENDPOINT CLASSIFIER_FOLDER XET(0|1), run where the packages of package.json are installed.
import assert from "node:assert/strict";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as hub from "@huggingface/hub";
import { InferenceClient } from "@huggingface/inference";
import { env, pipeline } from "@huggingface/transformers";

const [endpoint, folder, xet] = process.argv.slice(2);
const [WRITE, READ] = ["hf_writer", "hf_reader"];
const repo = { type: "model", name: `ann/javascript-${xet}` };
const options = { hubUrl: endpoint, accessToken: WRITE, repo };

async function refused(status, call) {
  await assert.rejects(call, (error) => {
    assert.equal(error.statusCode, status, error.message);
    return true;
  });
}

function noise(size) {
  const bytes = new Uint8Array(size);
  let state = 12345;
  for (let n = 0; n < size; n++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[n] = state >>> 16;
  }
  return bytes;
}

async function upload() {
  await hub.createRepo(options);
  await refused(409, () => hub.createRepo(options));
  const names = ["config.json", "tokenizer.json", "tokenizer_config.json", "README.md", "onnx/model.onnx"];
  const files = await Promise.all(
    names.map(async (path) => ({ path, content: new Blob([await readFile(join(folder, path))]) })),
  );
  files.push({ path: "large.bin", content: new Blob([noise(1_500_000)]) });
  const done = await hub.uploadFiles({ ...options, files, title: "release", useXet: xet === "1" });
  const listed = [];
  for await (const entry of hub.listFiles({ ...options, recursive: true })) listed.push(entry);
  const large = listed.find((entry) => entry.path === "large.bin");
  assert.equal(large.lfs.size, 1_500_000);
  const content = await hub.downloadFile({ ...options, path: "large.bin", xet: xet === "1" });
  assert.deepEqual(new Uint8Array(await content.arrayBuffer()), noise(1_500_000));
  assert.equal(await hub.downloadFile({ ...options, path: "none.bin" }), null);
  return done.commit.oid;
}

async function propose(parent) {
  const file = { path: "a.txt", content: new Blob(["one"]) };
  const pull = await hub.uploadFiles({ ...options, files: [file], title: "pull", isPullRequest: true });
  assert.match(pull.pullRequestUrl, /discussions\/1$/);
  const seen = await hub.downloadFile({ ...options, path: "a.txt", revision: "refs/pr/1" });
  assert.equal(await seen.text(), "one");
  assert.equal(await hub.downloadFile({ ...options, path: "a.txt" }), null);
  await hub.uploadFile({ ...options, file: { path: "b.txt", content: new Blob(["b"]) } });
  await refused(412, () => hub.uploadFile({ ...options, file, parentCommit: parent }));
  await hub.deleteFile({ ...options, path: "b.txt" });
  await hub.createBranch({ ...options, branch: "dev/x" });
  const dev = [];
  for await (const entry of hub.listFiles({ ...options, revision: "dev/x" })) dev.push(entry.path);
  assert.ok(dev.includes("large.bin") && !dev.includes("b.txt"));
  const commits = [];
  for await (const commit of hub.listCommits(options)) commits.push(commit.title);
  assert.equal(commits.length, 4);
}

async function rights() {
  const reader = { ...options, accessToken: READ };
  await refused(403, () => hub.uploadFile({ ...reader, file: { path: "c.txt", content: new Blob(["c"]) } }));
  assert.equal(await hub.repoExists({ hubUrl: endpoint, repo: { type: "model", name: "ann/none" } }), false);
  assert.equal((await hub.whoAmI({ hubUrl: endpoint, accessToken: WRITE })).name, "ann");
  const info = await hub.modelInfo({ hubUrl: endpoint, accessToken: WRITE, name: repo.name });
  assert.equal(info.name, repo.name);
  await refused(404, () => hub.downloadFile({ ...options, path: "config.json", revision: "none" }));
  const hidden = { ...options, repo: { type: "model", name: `ann/hidden-${xet}` } };
  await hub.createRepo({ ...hidden, private: true });
  await refused(401, () => hub.listFiles({ ...hidden, accessToken: undefined }).next());
  assert.equal((await hub.listFiles(hidden).next()).value.path, ".gitattributes");
  await hub.deleteRepo(hidden);
}

async function infer() {
  const client = new InferenceClient(WRITE);
  const endpointUrl = `${endpoint}/hf-inference/models/${repo.name}`;
  env.remoteHost = `${endpoint}/`;
  env.allowLocalModels = false;
  env.cacheDir = await mkdtemp(join(tmpdir(), "transformers-js-"));
  const classify = await pipeline("text-classification", repo.name, { dtype: "fp32" });
  const [here] = await classify("profit rises");
  assert.ok(["negative", "neutral", "positive"].includes(here.label));
  await hub.uploadFile({
    ...options,
    file: { path: "model.safetensors", content: new Blob([await readFile(join(folder, "model.safetensors"))]) },
    useXet: xet === "1",
  });
  const served = await client.textClassification({ endpointUrl, inputs: "profit rises" });
  assert.equal(served[0].label, here.label);
  assert.ok(Math.abs(served[0].score - here.score) < 1e-3);
}

async function remove() {
  await hub.deleteRepo(options);
  assert.equal(await hub.repoExists(options), false);
}

const oid = await upload();
await propose(oid);
await rights();
await infer();
await remove();
console.log("ok");
