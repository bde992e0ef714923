"""The parts of a push that need no Hub."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from huggingface_hub.errors import HfHubHTTPError

from finsent import REPOSITORY
from model_card.measure.metrics import Metrics, VariantFigures
from publishing.comparison import compare_figures, find_regressions, read_published
from publishing.errors import GaveUpError, LintError, PaymentError, PublishError, StalePlanError
from publishing.hub.connection import Timeouts, connect, find_token
from publishing.hub.retries import Retries, asked_wait, describe, is_final
from publishing.package.card_merge import merge_card
from publishing.package.check import lint_dataset
from publishing.package.manifest import Manifest, from_bytes, is_allowed, read_folder
from publishing.package.parcel import release_notes
from publishing.package.secrets import find_leaks
from tests.model_card.samples import make_metrics
from tests.publishing.faults import FAULTS, STEPS


def failure(status: int, **headers: str) -> HfHubHTTPError:
    response = requests.Response()
    response.status_code = status
    response.headers.update({key.replace("_", "-"): value for key, value in headers.items()})
    return HfHubHTTPError("no", response=response, server_message="said so")


class Waits:
    """Records what would have been slept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def retries(self, **fields: Any) -> Retries:
        return Retries(sleep=self.seconds.append, **fields)


def raising(*errors: BaseException) -> Any:
    left = list(errors)

    def action() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return action


def test_waits_double_with_jitter_and_end() -> None:
    waits = Waits()
    with pytest.raises(GaveUpError, match="step: failed 4 times, at last with: 503 said so"):
        waits.retries(tries=4, base=1.0).carry("step", raising(*[failure(503)] * 9))
    assert all(2**n <= wait <= 1.5 * 2**n for n, wait in enumerate(waits.seconds)) and len(waits.seconds) == 3


def test_the_hub_says_how_long() -> None:
    waits = Waits()
    errors = (failure(429, Retry_After="7"), failure(429, RateLimit='"api";r=0;t=9'))
    assert waits.retries().carry("step", raising(*errors)) == "done"
    assert waits.seconds == [7.0, 9.0]
    assert asked_wait(failure(429, RateLimit='"api";r=3;t=9')) is None


def test_a_hub_that_asks_for_too_long_ends_the_push() -> None:
    with pytest.raises(GaveUpError, match="asks to wait 3600 s"):
        Waits().retries().carry("step", raising(failure(429, Retry_After="3600")))


@pytest.mark.parametrize(
    ("status", "kind"), [(400, PublishError), (403, PublishError), (412, StalePlanError), (402, PaymentError)]
)
def test_a_refusal_is_final(status: int, kind: type[PublishError]) -> None:
    waits = Waits()
    with pytest.raises(kind, match=f"step: {status} said so"):
        waits.retries().carry("step", raising(failure(status)))
    assert waits.seconds == []


def test_the_remote_is_asked_before_anything_is_repeated() -> None:
    asked: list[str] = []

    def settled() -> str | None:
        asked.append("asked")
        return "found" if len(asked) == 2 else None

    errors = (requests.ConnectionError(), failure(412))
    assert Waits().retries().carry("step", raising(*errors), settled) == "found"
    assert len(asked) == 2


def test_what_is_late_is_found_after_a_while() -> None:
    waits = Waits()
    answers = iter([None, None, "late"])
    found = waits.retries(tries=2, settle=33).carry(
        "step", raising(*[requests.Timeout()] * 5), lambda: next(answers)
    )
    assert found == "late" and waits.seconds[-1] == 33


def test_a_wrapped_network_failure_is_no_bug_and_a_bug_is_no_network_failure() -> None:
    wrapped = RuntimeError("Error while uploading")
    wrapped.__cause__ = requests.ConnectionError("reset")
    assert not is_final(wrapped) and describe(wrapped) == "no answer (ConnectionError)"
    assert is_final(RuntimeError("a bug"))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("model.safetensors", True), ("onnx/model_q4.onnx", True), ("figures/a.png", True),
        (".env", False), (".git/config", False), ("checkpoints/a/model.safetensors", False),
        ("onnx/deep/model.onnx", False), ("optimizer.pt", False), ("onnx/.hidden.onnx", False),
    ],
)  # fmt: skip
def test_only_what_is_named_is_sent(path: str, allowed: bool) -> None:
    assert is_allowed("model", path) is allowed


def test_hashes_are_those_of_git_and_lfs(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"hello\n")
    (tmp_path / ".env").write_text("SECRET=1", encoding="utf-8")
    manifest = read_folder(tmp_path, "model")
    assert from_bytes("README.md", b"hello\n").git_sha1 == manifest.files["README.md"].git_sha1
    assert manifest.files["README.md"].git_sha1 == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert manifest.files["README.md"].sha256.startswith("5891b5b522d5df086d0ff0b110fb")
    assert manifest.left_out == (".env",)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(LintError, match="holds no file that belongs in a model repository"):
        read_folder(tmp_path, "model")


@pytest.mark.parametrize(
    "secret",
    [
        "hf_" + "a1B2" * 8, "AKIA" + "ABCD1234EFGH5678", "ghp_" + "a" * 36, "sk-proj-" + "a1" * 16,
        "-----BEGIN OPENSSH PRIVATE KEY-----", "https://ann:geheim@host/", "xoxb-" + "1" * 12,
    ],
)  # fmt: skip
def test_secrets_are_found_and_not_repeated(secret: str) -> None:
    manifest = Manifest("model", {}).replace("recipe.yaml", f"a: 1\nkey: {secret}\n".encode())
    found = list(find_leaks(manifest))
    assert len(found) == 1 and found[0].startswith("recipe.yaml:2: holds ") and secret not in found[0]


def test_the_own_token_is_found_by_its_value() -> None:
    manifest = Manifest("model", {}).replace("recipe.yaml", b"oddly-shaped-token")
    assert list(find_leaks(manifest)) == []
    assert "your own token" in next(find_leaks(manifest, "oddly-shaped-token"))


def worse(metrics: Metrics, share: float) -> Metrics:
    """Return the figures with the default file's scores lowered to a share of what they are."""

    def lower(one: VariantFigures) -> VariantFigures:
        scores = replace(
            one.scores, accuracy=one.scores.accuracy * share, macro_f1=one.scores.macro_f1 * share
        )
        return one.model_copy(update={"scores": scores}) if one.name == metrics.default_variant else one

    return metrics.model_copy(update={"variants": [lower(one) for one in metrics.variants]})


def test_a_release_that_is_worse_than_the_interval_allows_is_warned_of() -> None:
    published = make_metrics()
    assert find_regressions(None, published) == find_regressions(published, published) == []
    assert find_regressions(published, worse(published, 0.999)) == []
    accuracy, macro_f1 = find_regressions(published, worse(published, 0.8))
    scores = published.variant("quantized").scores
    assert accuracy == (
        f"accuracy is {0.8 * scores.accuracy:.3f}, the published release has {scores.accuracy:.3f} "
        f"({scores.accuracy_interval.low:.3f} to {scores.accuracy_interval.high:.3f})"
    )
    assert macro_f1.startswith("macro F1 is ")
    other_rows = published.model_copy(update={"data": replace(published.data, fingerprints={"test": "1"})})
    assert find_regressions(other_rows, worse(published, 0.8))[0].endswith("measured on different rows")


def test_figures_stand_beside_those_that_are_published() -> None:
    published = make_metrics()
    changes = compare_figures(published, worse(published, 0.8))
    changed = [(one.variant, one.figure) for one in changes if one.before != one.after]
    assert changed == [("quantized", "accuracy"), ("quantized", "macro F1")]
    assert {one.figure for one in changes} == {"accuracy", "macro F1", "bytes", "p50 ms"}
    assert all(one.before is None for one in compare_figures(None, published))
    assert read_published(b"{}") is None and read_published(None) is None
    assert read_published(published.model_dump_json().encode()) == published


OURS = (
    "---\nlicense: mit\ntags:\n- new\n---\n\n# T\n\nOur words.\n\n"
    "<!-- finsent:begin a -->\nnew\n<!-- finsent:end a -->\n"
)
THEIRS = (
    "---\nlicense: mit\ntags:\n- old\nthumbnail: x.png\n---\n\n# T\n\nTheir words.\n\n"
    "<!-- finsent:begin a -->\nold\nolder\n<!-- finsent:end a -->\n\nAnd more.\n"
)


def test_merging_keeps_free_text_and_foreign_keys_and_renews_regions() -> None:
    merged = merge_card(THEIRS, OURS)
    assert merged == (
        "---\nlicense: mit\ntags:\n- new\nthumbnail: x.png\n---\n\n# T\n\nTheir words.\n\n"
        "<!-- finsent:begin a -->\nnew\n<!-- finsent:end a -->\n\nAnd more.\n"
    )
    assert merge_card(merged, OURS) == merged


def test_a_region_that_was_taken_out_stays_out() -> None:
    theirs = THEIRS.partition("<!--")[0]
    assert "finsent:begin" not in merge_card(theirs, OURS)


def test_notes_come_from_the_changelog(tmp_path: Path) -> None:
    path = tmp_path / "CHANGELOG.md"
    path.write_text("# C\n\n## Unreleased\n\n- next\n\n## [1.2.0] - 2026-01-01\n\n- this\n", encoding="utf-8")
    assert release_notes("1.2.0", path) == "- this"
    assert release_notes("9.9.9", path) == "- next"
    assert release_notes("1.2.0", tmp_path / "none.md") == ""


def test_a_data_set_needs_a_licence_and_its_files() -> None:
    card = (
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.csv\n---\n"
    )
    manifest = Manifest("dataset", {}).replace("README.md", card.encode())
    assert lint_dataset(manifest) == [
        "README.md: names no license", "README.md: configs names train.csv, which is not in the folder"
    ]  # fmt: skip


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connect("http://127.0.0.1:9", "hf_secretsecret", Timeouts())
    assert "secretsecret" not in repr(connection)
    assert connection.redact("at hf_secretsecret and Bearer abc") == "at *** and Bearer ***"
    monkeypatch.setenv("HF_TOKEN", "hf_fromtheenvironment")
    assert find_token() == ("hf_fromtheenvironment", "HF_TOKEN")


def test_no_token_at_all() -> None:
    with pytest.raises(PublishError, match="no token: run 'hf auth login'"):
        find_token()


@pytest.mark.parametrize("endpoint", ["huggingface.co", "https://user:pass@host", "ftp://host", ""])
def test_an_endpoint_is_an_address_without_a_password(endpoint: str) -> None:
    with pytest.raises(PublishError, match="endpoint: write it as https://host"):
        connect(endpoint, "hf_x", Timeouts())


def _strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_readme_has_the_messages_that_the_code_has() -> None:
    section = (REPOSITORY / "README.md").read_text(encoding="utf-8").partition("## When it fails")[2]
    messages = re.findall(r"^\| `([^`]+)`", section.partition("\n## ")[0], re.MULTILINE)
    sources = [REPOSITORY / "hub_push.py", *sorted((REPOSITORY / "publishing").glob("*.py"))]
    known = [text for path in sources for text in _strings(path)]
    assert len(messages) >= 12
    for message in messages:
        for part in re.split(r"…|README\.md", message):  # where a value stands
            assert any(part.strip(" ()") in text for text in known), f"{message!r}: nobody says {part!r}"


def test_the_document_has_a_row_for_every_request() -> None:
    text = (REPOSITORY / "docs" / "publishing.md").read_text(encoding="utf-8")
    for step in STEPS:
        assert f"\n| {step} |" in text
    assert "| Request | " + " | ".join(FAULTS) + " |" in text
    assert "not run" not in text
