from __future__ import annotations

from gradio_theme import COLOURS, make_theme, read_colours


def test_the_theme_has_the_colours_of_the_style() -> None:
    light, dark = read_colours()
    assert (light["ground"], dark["ground"]) == ("#ffffff", "#14181c")
    assert set(COLOURS.values()) <= set(light) and set(dark) <= set(light)
    theme = make_theme()
    assert (theme.body_background_fill, theme.body_background_fill_dark) == ("#ffffff", "#14181c")
    assert theme.button_primary_background_fill == light["accent"]
