// The words of the demo: words.json, which the Gradio form reads too.

export const WORDS = await (await fetch("words.json")).json();

// Returns a sentence with its values filled in.
export function phrase(name, values = {}) {
  return WORDS[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export const count = (number) => number.toLocaleString("en");
export const percent = (share) => `${(share * 100).toFixed(1)} %`;
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
export const rowCount = (rows) => phrase(rows === 1 ? "row" : "rows", { count: count(rows) });

export const begin = (words) => words.slice(0, 1).toUpperCase() + words.slice(1);

// Fills what the page itself says: data-words names the text of an element, `unit` what one text and several are called.
export function fillPage({ one, many }) {
  const values = { one, many, One: begin(one), Many: begin(many) };
  for (const found of document.querySelectorAll("[data-words]")) {
    found.textContent = phrase(found.dataset.words, values);
  }
}
