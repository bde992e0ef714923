"""The look of the Gradio form: Gradio's widgets in the colours and shapes of static/style.css."""

from __future__ import annotations

import gradio as gr

# The visitor's own fonts, so that nothing is fetched from elsewhere.
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
# (light, dark), as in style.css, where each name has its --fs- before it
GROUND = ("#ffffff", "#14181c")
PANEL = ("#f6f7f8", "#1d2328")
PRESSED = ("#e6e9ec", "#2a323a")
LINE = ("#d4d8dd", "#3a434c")
INK = ("#1b2127", "#e8ebee")
QUIET_INK = ("#545d67", "#a9b3bd")
EDGE = ("#7b8794", "#7b8794")  # of what can be filled in: 3 : 1 on both grounds
ACCENT = ("#1f5fa8", "#8fbdf0")
ACCENT_PRESSED = ("#184b86", "#b3d3f5")
ON_ACCENT = ("#ffffff", "#10161c")
COLOURS = {
    "body_background_fill": GROUND,
    "body_text_color": INK,
    "body_text_color_subdued": QUIET_INK,
    "block_background_fill": GROUND,
    "block_label_text_color": INK,
    "block_title_text_color": INK,
    "block_info_text_color": QUIET_INK,
    "border_color_primary": LINE,
    "input_background_fill": GROUND,
    "input_border_color": EDGE,
    "input_placeholder_color": QUIET_INK,
    "checkbox_background_color": GROUND,
    "checkbox_background_color_selected": ACCENT,
    "checkbox_border_color": EDGE,
    "checkbox_border_color_selected": ACCENT,
    "link_text_color": ACCENT,
    "button_primary_background_fill": ACCENT,
    "button_primary_background_fill_hover": ACCENT_PRESSED,
    "button_primary_border_color": ACCENT,
    "button_primary_border_color_hover": ACCENT_PRESSED,
    "button_primary_text_color": ON_ACCENT,
    "button_secondary_background_fill": PANEL,
    "button_secondary_background_fill_hover": PRESSED,
    "button_secondary_border_color": LINE,
    "button_secondary_border_color_hover": EDGE,
    "button_secondary_text_color": INK,
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


def look() -> gr.themes.Base:
    """Return the theme."""
    colours = {name: light for name, (light, _) in COLOURS.items()}
    colours |= {f"{name}_dark": dark for name, (_, dark) in COLOURS.items()}
    base = gr.themes.Base(font=FONTS, font_mono=["ui-monospace", "monospace"])
    return base.set(**colours, **SHAPES)
