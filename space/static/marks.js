// The sign and the colour of each label: those of its tone, or plain ones that judge nothing; as in the Gradio form.

import { WORDS } from "./words.js";

const PLAIN_COLOURS = 6; // --fs-plain-0 and on, in style.css
let tones = {}; // label -> good, bad or neither

export const takeTones = (found) => (tones = found);

export const unsureMark = () => ({ sign: WORDS.signs.unsure, kind: "unsure" });

export function markOf(labels, label) {
  if (Object.hasOwn(tones, label)) return { sign: WORDS.signs[tones[label]], kind: tones[label] };
  const number = labels.filter((one) => !Object.hasOwn(tones, one)).indexOf(label);
  const signs = WORDS.plain_signs;
  return { sign: signs[Math.floor(number / PLAIN_COLOURS) % signs.length], kind: `plain-${number % PLAIN_COLOURS}` };
}
