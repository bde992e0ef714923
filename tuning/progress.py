"""What a person sees of the trials, on stderr: a table on a terminal, a line a trial in a log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from finsent import cli
from finsent.recipe.search import Search
from tuning.report import Trial
from tuning.space import Settings

SHOWN = 8  # trials, the last ones, beside the best


class TrialTable:
    """The last trials and the best one; used as a context."""

    def __init__(
        self, search: Search, trials: list[Trial], cut_off: int, console: Console = cli.console
    ) -> None:
        self._search, self._trials, self._console = search, list(trials), console
        self._running: tuple[int, Settings] | None = None
        self._noted: list[tuple[int, float]] = []
        self._live = Live(get_renderable=self.render, console=console, auto_refresh=False)
        self._cut_off = cut_off

    def __enter__(self) -> Self:
        if self._trials or self._cut_off:
            repeated = f", {self._cut_off} that was cut off is repeated" if self._cut_off else ""
            cli.say(f"  going on: {len(self._trials)} of {self._search.trials} trials are done{repeated}")
        if self._console.is_terminal:
            self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live.is_started:
            self._live.stop()

    def begin(self, number: int, settings: Settings) -> None:
        """Show a trial that begins."""
        self._running, self._noted = (number, settings), []
        self._refresh()

    def note(self, percent: int, score: float) -> None:
        """Show a validation of the trial that runs."""
        self._noted.append((percent, score))
        self._refresh()

    def finish(self, trial: Trial) -> None:
        """Show what became of it."""
        self._running = None
        self._trials.append(trial)
        self._refresh()
        if not self._console.is_terminal:
            cli.say(tell_trial(trial, self._search.trials, best_of(self._trials)))

    def _refresh(self) -> None:
        if self._live.is_started:
            self._live.refresh()

    def render(self) -> Table:
        """Return the table: a trial a row, a key a column."""
        best = best_of(self._trials)
        title = f"{self._search.name}: {len(self._trials)} of {self._search.trials} trials"
        table = Table(title=title, title_justify="left")
        for heading in ("trial", "macro F1", "state", *map(short_key, self._search.space)):
            table.add_column(heading, justify="left" if heading == "state" else "right")
        last = self._trials[-SHOWN:]
        for trial in [*([best] if best and best not in last else []), *last]:
            style = "bold green" if trial is best else "dim" if trial.state != "done" else None
            told = "" if trial.state == "refused" else f"{trial.score:.3f}"
            table.add_row(*_cells(trial.number, told, trial.state, trial.settings), style=style)
        if self._running:
            number, settings = self._running
            percent, score = self._noted[-1] if self._noted else (0, None)
            told = "" if score is None else f"{score:.3f}"
            table.add_row(*_cells(number, told, f"{percent} %", settings))
        return table


def best_of(trials: list[Trial]) -> Trial | None:
    """Return the trial with the highest score among those that came to their end."""
    return max((trial for trial in trials if trial.state == "done"), key=lambda one: one.score, default=None)


def short_key(key: str) -> str:
    """Return a key without its section, as long as that says enough."""
    return key.partition(".")[2] or key


def tell_count(count: int, noun: str) -> str:
    """Return a number of things: `1 trial`, `20 trials`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def tell_settings(settings: Mapping[str, Any]) -> str:
    """Return settings in a line."""
    return ", ".join(f"{short_key(key)} {tell_value(value)}" for key, value in settings.items())


def tell_value(value: Any) -> str:  # noqa: ANN401  (of any type that a recipe holds)
    """Return a value as a recipe would have it."""
    return f"{value:.3g}" if isinstance(value, float) else json.dumps(value).strip('"')


def tell_trial(trial: Trial, of: int, best: Trial | None) -> str:
    """Return a finished trial in a line."""
    if trial.state == "refused":
        return f"  trial {trial.number} of {of}: refused: {trial.reason}: {tell_settings(trial.settings)}"
    ended = "" if trial.state == "done" else f", stopped at {max(trial.evaluations)} %"
    found = f" (best {best.score:.3f}, trial {best.number})" if best else ""
    settings = tell_settings(trial.settings)
    return f"  trial {trial.number} of {of}: macro F1 {trial.score:.3f}{ended}{found}: {settings}"


def _cells(number: int, score: str, state: str, settings: Settings) -> list[str]:
    return [str(number), score, state, *(tell_value(value) for value in settings.values())]
