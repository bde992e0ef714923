"""A Space of ten lines in both forms."""

from __future__ import annotations

from pathlib import Path

APP = """import os

import gradio as gr
from huggingface_hub import hf_hub_download

config = hf_hub_download(os.environ["MODEL_ID"], "config.json", revision=os.environ["MODEL_REVISION"])


def classify(text: str) -> str:
    return f"positive by {os.environ['MODEL_REVISION'][:8]}"


gr.Interface(classify, "text", "text", api_name="classify").launch()
"""
PAGE = """<!doctype html><html><p>demo</p>
<script type="application/json" id="settings">{"pinned": "model.json"}</script></html>
"""


def write_demo(folder: Path) -> Path:
    (folder / "static").mkdir(parents=True)
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "static" / "index.html").write_text(PAGE, encoding="utf-8")
    return folder
