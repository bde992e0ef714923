"use strict";

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const text = button.parentElement.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy";
    }
  });
}

function showError(result, message) {
  const line = document.createElement("p");
  line.className = "error";
  line.textContent = message;
  result.replaceChildren(line);
}

function showScores(result, scores) {
  // Text and numbers are set as text, never as HTML: labels come from a repository.
  result.replaceChildren(
    ...scores.map(({ label, score }) => {
      const row = document.createElement("div");
      row.className = "row";
      const bar = document.createElement("progress");
      bar.max = 1;
      bar.value = score;
      const name = document.createElement("span");
      name.textContent = label;
      const number = document.createElement("span");
      number.textContent = score.toFixed(3);
      row.append(bar, name, number);
      return row;
    }),
  );
}

async function classify(model, text) {
  const started = performance.now();
  for (;;) {
    const response = await fetch(`/hf-inference/models/${model}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: text, parameters: { top_k: 10 } }),
    });
    const answer = await response.json();
    if (response.ok) return answer[0];
    const loading = response.status === 503 && performance.now() - started < 120000;
    if (!loading) throw new Error(answer.error || `HTTP ${response.status}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

for (const widget of document.querySelectorAll(".widget")) {
  const input = widget.querySelector("textarea");
  const examples = widget.querySelector("select");
  const button = widget.querySelector("button");
  const result = widget.querySelector(".result");
  examples?.addEventListener("change", () => {
    input.value = examples.value;
    button.click();
  });
  button.addEventListener("click", async () => {
    button.disabled = true;
    result.textContent = "Computing…";
    try {
      showScores(result, await classify(widget.dataset.model, input.value));
    } catch (error) {
      showError(result, error.message);
    } finally {
      button.disabled = false;
    }
  });
  if (new URLSearchParams(location.search).has("try")) button.click();
}
