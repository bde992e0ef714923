"""A visit in a browser, and what is asked of every page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.browser.chromium import axe_core
from tests.tiny import ROOT

SCREENSHOTS = Path(os.environ.get("FINSENT_SCREENSHOTS") or ROOT / "runs" / "screenshots")
PHONE = {"width": 375, "height": 740}
DESK = {"width": 1200, "height": 900}


class Visit:
    """A page with what it complained about and what it asked of other machines."""

    def __init__(self, context: Any, address: str) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(120_000)  # of a machine that does much else
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._on_dialog)
        self.page.on("request", self._on_request)
        self.page.goto(address)

    def _on_dialog(self, dialog: Any) -> None:
        self.complaints.append("a dialog")
        dialog.dismiss()

    def _on_console(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _on_request(self, request: Any) -> None:
        local = ("http://127.0.0.1", "http://localhost", "data:", "blob:")
        if not request.url.startswith(local):
            self.elsewhere.append(request.url)

    def paste(self, field: str, text: str) -> None:
        """Paste a text into a field over what it holds, through the clipboard as a person does."""
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.page.focus(field)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.press("ControlOrMeta+v")

    def wait_answer(self, text: str, where: str = "") -> None:
        """Wait until the words that decided are those of a text; a demo opens with an answer already.

        AssertionError says what the page shows where they do not come.
        """
        found = """([where, text]) => {
          const words = document.querySelectorAll(`${where} .fs-word`);
          return [...words].map((word) => word.firstChild.textContent).join(" ") === text;
        }"""
        try:
            self.page.wait_for_function(found, arg=[where, " ".join(text.split())])
        except Exception as error:  # the library is in an environment of its own
            told = [*self.complaints, self.page.inner_text("body")]
            raise AssertionError("\n".join(told)) from error

    def shoot(self, name: str) -> None:
        """Write a screenshot of the whole page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), full_page=True)

    def check(self) -> None:
        """No complaint, no request elsewhere, nothing that axe-core calls serious or critical."""
        assert not self.complaints, self.complaints
        assert not self.elsewhere, self.elsewhere
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate(axe_core().read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        told = [
            f"{one['id']}: {node['html'][:300]} {node['failureSummary']}"
            for one in serious
            for node in one["nodes"]
        ]
        assert not told, "\n".join(told)
