"""A Space always tells its stage, where it is asked for its runtime and where it is not."""

from __future__ import annotations

import pytest
from huggingface_hub import HfApi

from local_hub import HubSettings, running_hub
from local_hub.server import RunningHub
from tests.local_hub.accounts import GRANTS, WRITE

STAGES = {"static": "RUNNING", "gradio": "STOPPED", "docker": "STOPPED", "streamlit": "STOPPED"}


@pytest.mark.parametrize("sdk", STAGES)
def test_every_answer_about_a_space_holds_its_stage(hub: RunningHub, api: HfApi, sdk: str) -> None:
    repo_id = f"ann/stage-{sdk}"
    api.create_repo(repo_id, repo_type="space", space_sdk=sdk)
    asked = api.get_space_runtime(repo_id)
    for info in (
        api.space_info(repo_id),
        api.space_info(repo_id, revision="main"),
        api.space_info(repo_id, expand=["runtime"]),
        next(one for one in api.list_spaces(author="ann", search=f"stage-{sdk}")),
    ):
        assert info.runtime is not None
        assert info.runtime.stage == asked.stage == STAGES[sdk]
        assert info.runtime.raw == asked.raw
    api.pause_space(repo_id)
    expected = "RUNNING" if sdk == "static" else "PAUSED"
    assert api.space_info(repo_id).runtime.stage == expected  # type: ignore[union-attr]


def test_also_where_spaces_are_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = HubSettings(tmp_path_factory.mktemp("running"), tokens=GRANTS, run_spaces=True)
    with running_hub(settings) as running:
        api = HfApi(endpoint=running.endpoint, token=WRITE)
        api.create_repo("ann/empty", repo_type="space", space_sdk="gradio")
        runtime = api.space_info("ann/empty").runtime
        assert runtime is not None and runtime.stage
