"""The demo as a Gradio app: one text, many, a comparison, and what the model is.

MODEL_ID is owner/name or a folder, MODEL_REVISION its commit, tag or branch; where they are not set,
model.json, which the push tool writes beside this file, says so. GRADIO_SERVER_PORT is Gradio's.
"""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

import about
from body_limit import BodyLimit
from compare import add_compare
from endpoints import add_endpoints
from gradio_theme import make_theme
from kept_files import KEEP_SECONDS
from many import Many
from model import Model, load_model
from newest import forget_old_events
from one import add_one
from table import MEGABYTE, MOST_BYTES
from words import phrase

DEFAULT_MODEL = "finsent/finsent-quickstart"
HERE = Path(__file__).parent
PIN = HERE / "model.json"
MOST_WAITING = 200
MOST_EVENTS = 1_000  # that are remembered; more than can wait or run
MOST_SESSIONS = 400  # Gradio keeps 0.13 MB for each, and every API call is one
SWITCH_THEME = """() => {
  const dark = document.body.classList.toggle("dark");
  try { localStorage.setItem("finsent-theme", dark ? "dark" : "light"); } catch { /* it may be forbidden */ }
}"""
# Where this visitor has the app: behind a proxy or at another port than was asked for, no setting says that.
READ_ADDRESS = "() => [window.location.origin + window.location.pathname.replace(/\\/+$/, '')]"
# On load: the theme of the last visit, and names for what Gradio leaves nameless to screen readers.
ON_LOAD = """() => {
  const names = {"ul[role=listbox]": "Choices"};
  const name = () => {
    for (const [selector, label] of Object.entries(names)) {
      for (const found of document.querySelectorAll(`${selector}:not([aria-label])`)) {
        found.setAttribute("aria-label", label);
      }
    }
  };
  new MutationObserver(name).observe(document.body, {childList: true, subtree: true});
  name();
  let kept = null;
  try { kept = localStorage.getItem("finsent-theme"); } catch { /* it may be forbidden */ }
  if (kept) document.body.classList.toggle("dark", kept === "dark");
}"""


def build(model: Model) -> gr.Blocks:
    """Return the app around a model."""
    with gr.Blocks(
        title=model.title, analytics_enabled=False, delete_cache=(KEEP_SECONDS, KEEP_SECONDS)
    ) as demo:
        with gr.Row(elem_classes="fs-top"):
            gr.HTML(f"<h1>{about.heading(model)}</h1>", padding=False)
            theme = gr.Button(phrase("theme"), size="sm", scale=0, min_width=0, elem_id="theme")
        theme.click(None, js=SWITCH_THEME, api_visibility="private")
        demo.load(None, js=ON_LOAD, api_visibility="private")
        add_endpoints(model)  # first, so that their names are free
        with gr.Tab(phrase("one", model.unit)):
            add_one(model)
        with gr.Tab(phrase("many")):
            Many(model)
        with gr.Tab("Compare"):
            add_compare(model)
        with gr.Tab("About"):
            address = gr.Textbox(visible=False)
            page = gr.HTML(elem_id="about", padding=False)
        describe = partial(about.describe, model)
        demo.load(describe, address, page, js=READ_ADDRESS, queue=False, api_visibility="private")
    demo.queue(max_size=MOST_WAITING, default_concurrency_limit=2)
    forget_old_events(demo, MOST_EVENTS)
    return demo


def chosen_model() -> tuple[str, str | None]:
    """Return model and revision: of the environment, else of model.json, else the default at main (None)."""
    if named := os.environ.get("MODEL_ID"):
        return named, os.environ.get("MODEL_REVISION")
    if not PIN.is_file():
        return DEFAULT_MODEL, os.environ.get("MODEL_REVISION")
    written = json.loads(PIN.read_text(encoding="utf-8"))
    return written["id"], os.environ.get("MODEL_REVISION") or written["revision"]


def main() -> None:
    """Load the model and serve until the process is ended."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was kept for visitors is deleted
    # Gradio would make a table of all events so far after each of them, for a dashboard that is off here
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))
    model = load_model(*chosen_model())
    build(model).launch(
        theme=make_theme(),
        css_paths=[HERE / "static" / "style.css", HERE / "gradio.css"],
        max_file_size=MOST_BYTES,
        app_kwargs={"middleware": [Middleware(BodyLimit, most=MOST_BYTES + MEGABYTE)]},  # a form has more
        max_threads=8,
        state_session_capacity=MOST_SESSIONS,
        mcp_server=True,
        ssr_mode=False,
        footer_links=["api"],
        show_error=True,
    )


if __name__ == "__main__":
    main()
