// Light or dark: as at the last visit, else as the visitor's machine is. Set before anything is waited for, so that
// no white flashes up.

function keptTheme() {
  try {
    return localStorage.getItem("finsent-theme");
  } catch {
    return null; // refused where the page has no origin of its own
  }
}

function switchTheme() {
  const dark = document.body.classList.toggle("dark");
  try {
    localStorage.setItem("finsent-theme", dark ? "dark" : "light");
  } catch {
    // it holds for this visit only
  }
}

const theme = keptTheme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
document.body.classList.toggle("dark", theme === "dark");
document.getElementById("theme").addEventListener("click", switchTheme);
