"""The look of the Gradio form: Gradio's widgets in the colours and shapes of static/style.css."""

from __future__ import annotations

import re
from pathlib import Path

import gradio as gr

# The visitor's own fonts, so that nothing is fetched from elsewhere.
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
STYLE = Path(__file__).parent / "static" / "style.css"
# Gradio's name -> the name in style.css, which has --fs- before it and a light and a dark value
COLOURS = {
    "body_background_fill": "ground",
    "body_text_color": "ink",
    "body_text_color_subdued": "quiet-ink",
    "block_background_fill": "ground",
    "block_label_text_color": "ink",
    "block_title_text_color": "ink",
    "block_info_text_color": "quiet-ink",
    "border_color_primary": "line",
    "input_background_fill": "ground",
    "input_border_color": "edge",
    "input_placeholder_color": "quiet-ink",
    "checkbox_background_color": "ground",
    "checkbox_background_color_selected": "accent",
    "checkbox_border_color": "edge",
    "checkbox_border_color_selected": "accent",
    "link_text_color": "accent",
    "button_primary_background_fill": "accent",
    "button_primary_background_fill_hover": "accent-pressed",
    "button_primary_border_color": "accent",
    "button_primary_border_color_hover": "accent-pressed",
    "button_primary_text_color": "on-accent",
    "button_secondary_background_fill": "panel",
    "button_secondary_background_fill_hover": "pressed",
    "button_secondary_border_color": "line",
    "button_secondary_border_color_hover": "edge",
    "button_secondary_text_color": "ink",
}
SHAPES = {
    "block_padding": "0px",
    "block_border_width": "0px",
    "block_radius": "4px",
    "input_border_width": "1px",
    "input_padding": "0.5rem 0.75rem",
    "input_radius": "4px",
    "input_text_size": "1rem",
    "button_border_width": "1px",
    "button_transition": "none",
    "button_large_padding": "0.4rem 0.9rem",
    "button_large_radius": "4px",
    "button_large_text_size": "1rem",
    "button_large_text_weight": "400",
    "button_small_padding": "0.3rem 0.7rem",
    "button_small_radius": "4px",
    "button_small_text_size": "0.875rem",
    "layout_gap": "1rem",
}


def make_theme() -> gr.themes.Base:
    """Return the theme; Gradio needs the colours themselves for the page before it has any style."""
    light, dark = read_colours()
    colours = {name: light[ours] for name, ours in COLOURS.items()}
    colours |= {f"{name}_dark": dark.get(ours, light[ours]) for name, ours in COLOURS.items()}
    base = gr.themes.Base(font=FONTS, font_mono=["ui-monospace", "monospace"])
    return base.set(**colours, **SHAPES)


def read_colours() -> list[dict[str, str]]:
    """Return the light and the dark colours of style.css by their names."""
    blocks = STYLE.read_text(encoding="utf-8").split("}")[:2]
    return [dict(re.findall(r"--fs-([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]
