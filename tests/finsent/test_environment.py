from __future__ import annotations

from pathlib import Path

import pytest

from finsent.environment import OFFLINE, environment_in, go_online, offline_switches
from tests.poison import CACHES, DEAD, PROXIES, SWITCHES, poisoned  # noqa: F401  (a fixture)


@pytest.mark.usefixtures("poisoned")
def test_a_hub_elsewhere_is_reached_through_the_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "desk.example")
    environment = environment_in(tmp_path, "https://hub.example")
    assert environment["HTTPS_PROXY"] == environment["https_proxy"] == DEAD
    assert environment["NO_PROXY"] == "desk.example"
    for own in ("http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1"):
        assert not set(PROXIES) & set(environment_in(tmp_path, own))


@pytest.mark.usefixtures("poisoned")
def test_a_process_inherits_no_cache_no_token_and_no_switch(tmp_path: Path) -> None:
    environment = environment_in(tmp_path)
    own = {"HOME", "HF_HOME", "TMPDIR"}
    assert {environment[name] for name in own} == {str(tmp_path)}
    assert not ({*CACHES, *SWITCHES, *PROXIES} - own) & set(environment)


def test_a_switch_counts_where_it_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(OFFLINE, ("0", "true", "YES"), strict=True):
        monkeypatch.setenv(name, value)
    assert offline_switches() == list(OFFLINE[1:])
    assert offline_switches(OFFLINE[0]) == []
    assert go_online() == f"unset {OFFLINE[1]} and {OFFLINE[2]}"
    for name in OFFLINE:
        monkeypatch.delenv(name)
    assert go_online() == "go online"
