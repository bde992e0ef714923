// Print the scores of transformers.js as JSON, for the files of a release by their dtype.
//
// node scores.mjs RELEASE < texts.json > scores.json
//
// Besides the library's own pipeline the raw session is asked for a padded batch of 32, because a text's score
// must not depend on its neighbours.
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { env, pipeline } from "@huggingface/transformers";

const release = resolve(process.argv[2]);
const texts = JSON.parse(readFileSync(0, "utf-8"));
env.allowRemoteModels = false;
env.localModelPath = dirname(release);
env.useFSCache = false;

const byLabel = (entries) => Object.fromEntries(entries.map(({ label, score }) => [label, score]));

async function scoresOf(dtype) {
  const classifier = await pipeline("text-classification", basename(release), { dtype, device: "cpu" });
  const alone = [];
  for (const text of texts) alone.push(byLabel(await classifier(text, { top_k: 16 })));
  const batch = texts.slice(0, 31).concat("a much longer text than the others " .repeat(12));
  const together = (await classifier(batch, { top_k: 16 })).slice(0, 31).map(byLabel);
  const { tokenizer } = classifier;
  const lengths = texts.map((text) => tokenizer.encode(text).length);
  const abstainBelow = classifier.model.config.finsent_abstain_below ?? null;
  await classifier.dispose();
  return { alone, together, lengths, abstainBelow };
}

const suffixes = { fp32: "", q8: "_quantized", fp16: "_fp16", q4: "_q4" };
const result = { version: env.version };
for (const [dtype, suffix] of Object.entries(suffixes)) {
  if (existsSync(join(release, "onnx", `model${suffix}.onnx`))) result[dtype] = await scoresOf(dtype);
}
process.stdout.write(JSON.stringify(result));
