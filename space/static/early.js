// What a visitor sends before the page is ready is kept, and sent again once it is. A classic script: it waits for no
// module and no other file.
"use strict";

const keptForms = new Set();

function keepForm(event) {
  event.preventDefault();
  keptForms.add(event.target);
}

document.addEventListener("submit", keepForm);
document.addEventListener("ready", () => {
  document.removeEventListener("submit", keepForm);
  for (const form of keptForms) form.requestSubmit();
});
document.getElementById("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});
