from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_hub import HubSettings, running_hub
from publishing.errors import PublishError
from publishing.hub import local
from publishing.hub.local import open_hub


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(local, "FOLDER", tmp_path / "hub")
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_local_starts_a_hub_whose_user_may_write_where_the_push_goes(tmp_path: Path) -> None:
    with open_hub("https://nowhere.invalid", True, 5, "desk/x", None, "local/x") as reader:
        account = reader.connection.api.whoami()
        assert reader.connection.endpoint.startswith("http://127.0.0.1:")
        assert reader.connection.place_of("desk/x") == "desk/x in runs/hub"
        assert [one["name"] for one in account["orgs"]] == ["desk"]
        assert (tmp_path / "hub" / "token").read_text(encoding="utf-8").strip() == reader.connection.token


def test_a_hub_that_is_served_already_is_told_in_a_line(tmp_path: Path) -> None:
    with (
        running_hub(HubSettings(tmp_path / "hub")),
        pytest.raises(PublishError, match="another process is serving it"),
        open_hub("", True, 5, "local/x"),
    ):
        pytest.fail("two servers on one root")


def test_without_local_the_hub_that_is_named_is_asked_and_none_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    with open_hub("http://127.0.0.1:9", False, 5, "ann/x") as reader:
        assert (reader.connection.endpoint, reader.connection.token) == ("http://127.0.0.1:9", "hf_mine")
    assert not (tmp_path / "hub").exists()


def test_a_space_starts_when_it_is_waited_for_and_not_with_every_push() -> None:
    with open_hub("", True, 5, "local/x") as reader:
        reader.connection.api.create_repo("local/x", repo_type="space", space_sdk="gradio")
    with open_hub("", True, 5, "local/x") as reader:
        api = reader.connection.api
        assert api.space_info("local/x").runtime.stage == "STOPPED"  # type: ignore[union-attr]
        stages = [api.get_space_runtime("local/x").stage]
        while stages[-1] != "NO_APP_FILE" and len(stages) < 100:
            time.sleep(0.1)
            stages.append(api.get_space_runtime("local/x").stage)
        assert stages[-1] == "NO_APP_FILE", stages
