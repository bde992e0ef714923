// What the page is made of. Whatever a visitor or a model file says becomes a text node, never HTML.

import { markOf } from "./marks.js";
import { percent, phrase } from "./words.js";

export const byId = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function say(where, text, kind = "note") {
  const role = kind === "error" ? "alert" : "status";
  const line = element("p", { class: `fs-message fs-${kind}`, role });
  if (kind === "error") line.append(element("b", {}, phrase("refused")), " ");
  line.append(text);
  byId(where).replaceChildren(line);
}

export function sign(mark) {
  return element("span", { class: `fs-sign fs-${mark.kind}`, "aria-hidden": "true" }, mark.sign);
}

// A bar with its name and its number for each label; shares and amounts are Maps by label.
export function bars(shares, amounts = new Map()) {
  const labels = [...shares.keys()];
  const table = element("table", { class: "fs-bars" },
    element("caption", { class: "fs-hidden" }, phrase("shares")));
  for (const [label, share] of shares) {
    const mark = markOf(labels, label);
    const bar = element("span", { class: `fs-bar fs-${mark.kind}` });
    bar.style.width = `${share * 100}%`;
    table.append(element("tr", {},
      element("th", { scope: "row" }, sign(mark), ` ${label}`),
      element("td", { class: "fs-track" }, bar),
      element("td", { class: "fs-number" }, amounts.get(label) ?? percent(share))));
  }
  return table;
}
