"""The look of the Gradio form: Gradio's widgets in the colours and shapes of static/style.css."""

from __future__ import annotations

import gradio as gr

# The visitor's own fonts, so that nothing is fetched from elsewhere.
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
# What style.css calls them; it has a light and a dark value for each.
GROUND, PANEL, PRESSED = "var(--fs-ground)", "var(--fs-panel)", "var(--fs-pressed)"
LINE, EDGE = "var(--fs-line)", "var(--fs-edge)"
INK, QUIET_INK = "var(--fs-ink)", "var(--fs-quiet-ink)"
ACCENT, ACCENT_PRESSED, ON_ACCENT = "var(--fs-accent)", "var(--fs-accent-pressed)", "var(--fs-on-accent)"
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
    colours = COLOURS | {f"{name}_dark": colour for name, colour in COLOURS.items()}
    base = gr.themes.Base(font=FONTS, font_mono=["ui-monospace", "monospace"])
    return base.set(**colours, **SHAPES)
