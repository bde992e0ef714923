from __future__ import annotations

from pathlib import Path

import pytest

from model_card.snippets.place import Workplace, prepare
from tests.poison import CACHES, DEAD, PROXIES, SWITCHES, poisoned  # noqa: F401  (a fixture)


@pytest.mark.usefixtures("poisoned")
def test_a_block_of_a_card_sees_no_more(tmp_path: Path) -> None:
    place = Workplace(tmp_path, "ann/x", tmp_path, None, DEAD)
    kept = {"HF_HOME", "HOME", "TMPDIR", "HF_HUB_OFFLINE"}
    assert not {*SWITCHES, *PROXIES, *CACHES} & set(place.environment(offline=True)) - kept
    assert place.environment(offline=False)["HF_ENDPOINT"] == DEAD


def test_the_release_is_found_by_its_id_as_a_path_and_in_the_cache(tmp_path: Path) -> None:
    release, modules, folder = tmp_path / "release", tmp_path / "modules", tmp_path / "work"
    for one in (release, modules, folder):
        one.mkdir()
    (release / "config.json").write_text("{}", encoding="utf-8")
    place = prepare(Workplace(folder, "ann/x", release, modules, None))
    cache = folder / "hf" / "hub" / "models--ann--x"
    commit = (cache / "refs" / "main").read_text(encoding="utf-8")
    for found in (folder / "ann" / "x", cache / "snapshots" / commit):
        assert (found / "config.json").read_text(encoding="utf-8") == "{}"
    assert (folder / "node_modules").resolve() == modules
    assert place.environment(offline=True)["HF_HOME"] == str(cache.parent.parent)


def test_a_token_is_only_where_it_is_handed_out(tmp_path: Path) -> None:
    place = Workplace(tmp_path, "ann/x", tmp_path, None, DEAD)
    assert "HF_TOKEN" not in place.environment(offline=False)
    assert place.environment(offline=False, token="hf_x")["HF_TOKEN"] == "hf_x"
    assert "HF_ENDPOINT" not in place.environment(offline=True)
