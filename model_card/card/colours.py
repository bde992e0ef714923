"""The colours of the figures, after Okabe and Ito: distinct for colour-blind readers."""

from __future__ import annotations

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#767676"
