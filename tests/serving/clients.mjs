// @huggingface/inference against a server: node clients.mjs ADDRESS TOKEN, where its package is installed.
// Reads texts as a JSON list from stdin; prints the labels of each as the client gives them, then what a wrong token gets.
import { readFileSync } from "node:fs";
import { InferenceClient } from "@huggingface/inference";

const [address, token] = process.argv.slice(2);
const texts = JSON.parse(readFileSync(0, "utf-8"));
const client = new InferenceClient(token);
const answers = [];
for (const [number, inputs] of texts.entries()) {
  const endpointUrl = number % 2 ? address : `${address}/models/tiny`;
  answers.push(await client.textClassification({ endpointUrl, inputs, parameters: { top_k: 2 } }));
}
const refused = await new InferenceClient("wrong")
  .textClassification({ endpointUrl: address, inputs: "a" })
  .then(() => null, (error) => error.httpResponse?.status ?? String(error));
console.log(JSON.stringify({ answers, refused }));
