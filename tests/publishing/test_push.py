from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

import hub_push
from finsent import REPOSITORY
from finsent.errors import FinsentError
from finsent.recipe.file import load_recipe
from finsent.release import write_threshold
from local_hub import RunningHub
from publishing.errors import CardConflictError, LintError, PublishError
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.package.parcel import pack_release
from publishing.push import check_published, undo
from publishing.receipt import read_receipt
from tests.publishing.conftest import OTHER, QUICK, QUICKLY, READ, WRITE, Publisher, order
from tests.runtimes.environments import HERE, node_environment


def hub_push_py(
    server: RunningHub, *arguments: str, token: str = WRITE, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_TOKEN": token, "HF_ENDPOINT": server.endpoint, **variables}
    return subprocess.run(
        [sys.executable, "hub_push.py", *arguments],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip


def test_a_push_is_one_commit_with_a_tag_and_a_receipt(publisher: Publisher, api: HfApi) -> None:
    receipt = publisher.publish().receipt
    assert receipt is not None and receipt.state == "published" and receipt.tag == "v0.1.0"
    assert publisher.commits() == [
        f"Publish {publisher.repo_id.partition('/')[2]} 0.1.0: {len(receipt.files)} files", "initial commit"
    ]  # fmt: skip
    remote = publisher.reader.read(publisher.target)
    assert remote.head == receipt.commit == remote.tags["v0.1.0"]
    assert remote.holds(publisher.parcel().manifest)
    assert [(check.name, check.state) for check in receipt.checks] == [("files", "ok")]
    assert publisher.receipts() == [receipt]


def test_the_same_again_changes_nothing(publisher: Publisher) -> None:
    publisher.publish()
    before = publisher.commits()
    outcome = publisher.publish()
    assert outcome.receipt is None and outcome.plan.is_empty
    assert publisher.commits() == before and len(publisher.receipts()) == 1


def test_card_and_recipe_name_the_repository_that_they_go_to(publisher: Publisher, tmp_path: Path) -> None:
    parcel = publisher.parcel()
    card = parcel.manifest.content("README.md").decode()
    assert f'model="{publisher.repo_id}"' in card and "finsent/tiny" not in card.replace(
        "finsent/tiny-demo", ""
    )
    (tmp_path / "recipe.yaml").write_bytes(parcel.manifest.content("recipe.yaml"))
    assert load_recipe(tmp_path / "recipe.yaml").hub.model == publisher.repo_id
    assert "finsent/tiny" in (publisher.run / "release" / "README.md").read_text(encoding="utf-8")


def test_a_dry_run_sends_nothing(publisher: Publisher) -> None:
    outcome = publisher.publish(dry_run=True)
    assert {change.action for change in outcome.plan.files} == {"add"}
    assert publisher.reader.head(publisher.target) is None and publisher.receipts() == []


def test_other_content_under_a_taken_tag_is_refused_before_anything_is_sent(publisher: Publisher) -> None:
    publisher.publish()
    publisher.change("A new sentence.")
    with pytest.raises(PublishError, match=r"v0\.1\.0 is published already"):
        publisher.publish()
    assert len(publisher.commits()) == 2


def test_a_change_sends_only_what_changed_and_keeps_foreign_files(publisher: Publisher, api: HfApi) -> None:
    publisher.publish()
    added = [CommitOperationAdd("notebook.ipynb", b"{}"), CommitOperationAdd("onnx/model_q4.onnx", b"\0old")]
    api.create_commit(publisher.repo_id, added, commit_message="by hand")
    publisher.change("A new sentence.")
    plan = publisher.publish(tagged=False).plan
    actions = {change.path: change.action for change in plan.files if change.action != "same"}
    assert actions == {
        ".gitattributes": "keep", "notebook.ipynb": "keep",
        "README.md": "change", "onnx/model_q4.onnx": "delete",
    }  # fmt: skip
    files = publisher.reader.read(publisher.target).files
    assert "notebook.ipynb" in files and "onnx/model_q4.onnx" not in files


def test_a_pull_request_leaves_main_alone(publisher: Publisher) -> None:
    publisher.publish()
    publisher.change("A new sentence.")
    receipt = publisher.publish(pull_request=True).receipt
    assert receipt is not None and receipt.pull_request == 1 and receipt.tag is None
    assert publisher.reader.head(publisher.target) == receipt.parent != receipt.commit


def test_a_pull_request_is_opened_once(publisher: Publisher, api: HfApi, faults: str) -> None:
    publisher.publish()
    publisher.change("A new sentence.")
    order(faults, method="POST", path="/commit/", status=504, after=True)
    first = publisher.publish(pull_request=True).receipt
    assert first is not None and first.pull_request == 1
    assert publisher.publish(pull_request=True).receipt is None
    api.change_discussion_status(publisher.repo_id, 1, new_status="closed")
    second = publisher.publish(pull_request=True).receipt
    assert second is not None and second.pull_request == 2
    with pytest.raises(PublishError, match="tells of pull request 2, which changed nothing here"):
        undo(second, publisher.run, publisher.reader, QUICKLY)


def test_a_pull_request_that_breaks_off_is_found_and_written_down(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish()
    publisher.change("A new sentence.")
    create = HfApi.create_commit

    def interrupted(self: HfApi, *arguments: Any, **options: Any) -> None:
        create(self, *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(HfApi, "create_commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publisher.publish(pull_request=True)
    receipt = publisher.receipts()[-1]
    assert (receipt.state, receipt.pull_request) == ("interrupted", 1) and receipt.commit is not None


def test_a_private_repository_and_another_branch(publisher: Publisher, api: HfApi) -> None:
    publisher.publish(private=True)
    assert api.repo_info(publisher.repo_id).private
    api.create_branch(publisher.repo_id, branch="next")
    before = publisher.reader.head(publisher.target)
    publisher.change("A new sentence.")
    branch = Target(publisher.repo_id, revision="next")
    parcel = pack_release(publisher.run, branch, None)
    receipt = hub_push.publish(parcel, QUICKLY, publisher.reader).receipt
    assert receipt is not None and receipt.tag is None
    assert publisher.reader.head(publisher.target) == before
    assert publisher.reader.read(branch).head == receipt.commit != before
    with pytest.raises(PublishError, match="@nowhere: has no such branch; create it on the Hub"):
        publisher.reader.read(Target(publisher.repo_id, revision="nowhere"))


def test_a_tag_that_somebody_put_elsewhere_meanwhile_is_told(
    publisher: Publisher, api: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.create_repo(publisher.repo_id)
    initial = publisher.reader.head(publisher.target)
    monkeypatch.setattr(hub_push, "confirm", lambda wishes: api.create_tag(publisher.repo_id, tag="v0.1.0"))
    with pytest.raises(PublishError, match=r"is published, but v0\.1\.0 was put on"):
        publisher.publish()
    receipt = publisher.receipts()[0]
    assert receipt.state == "failed" and receipt.commit is not None and receipt.tag is None
    assert publisher.reader.read(publisher.target).tags == {"v0.1.0": initial}


def test_a_deeper_proof_is_made_up_for(publisher: Publisher) -> None:
    publisher.publish()
    receipt = publisher.publish(proof="load").receipt
    assert receipt is not None and receipt.state == "unchanged"
    assert [check.name for check in receipt.checks] == ["files", "load"]
    assert publisher.publish(proof="load").receipt is None and len(publisher.commits()) == 2


def test_an_interrupted_tag_is_made_by_the_next_run(publisher: Publisher, faults: str) -> None:
    order(faults, method="POST", path="/tag/", status=503, n=3)
    with pytest.raises(PublishError, match="tag: failed 3 times, at last with: 503"):
        publisher.publish()
    receipt = publisher.receipts()[0]
    assert receipt.state == "failed" and receipt.commit is not None and receipt.tag is None
    assert publisher.publish().receipt is not None
    assert publisher.reader.read(publisher.target).tags == {"v0.1.0": receipt.commit}
    assert len(publisher.commits()) == 2


def test_a_commit_whose_answer_is_lost_is_found_not_repeated(publisher: Publisher, faults: str) -> None:
    order(faults, method="POST", path="/commit/", status=504, after=True)
    receipt = publisher.publish().receipt
    assert receipt is not None and receipt.state == "published"
    assert len(publisher.commits()) == 2


def test_somebody_else_commits_in_between(
    publisher: Publisher, api: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish()
    publisher.change("A new sentence.")

    def meanwhile(wishes: object) -> None:
        api.create_commit(publisher.repo_id, [CommitOperationAdd("a.txt", b"1")], commit_message="mine first")

    monkeypatch.setattr(hub_push, "confirm", meanwhile)
    with pytest.raises(PublishError, match=r"412.*run again to go on"):
        publisher.publish(tagged=False)
    assert publisher.commits()[0] == "mine first" and publisher.receipts()[-1].commit is None
    monkeypatch.undo()
    connect(publisher.reader.connection.endpoint, WRITE, Timeouts(5, 5))
    receipt = publisher.publish(tagged=False).receipt
    assert receipt is not None and receipt.state == "published"
    assert len(publisher.commits()) == 4


@pytest.mark.parametrize(
    ("token", "repo_id", "message"),
    [
        (READ, "ann/x", "may only read"),
        (OTHER, "ann/x", "bob may not write to 'ann', only to bob, desk"),
        (WRITE, "nowhere/x", "may not write to 'nowhere'"),
        ("hf_" + "u" * 30, "ann/x", "is refused by"),
    ],
)
def test_the_preflight_ends_in_one_line(
    server: RunningHub, run: Path, token: str, repo_id: str, message: str
) -> None:
    reader = Reader(connect(server.endpoint, token, Timeouts(5, 5)), QUICK)
    with pytest.raises(PublishError, match=message) as caught:
        Publisher(reader, run, repo_id).publish()
    assert "\n" not in str(caught.value) and token not in str(caught.value)
    assert not (run / "receipts").exists()


@pytest.mark.parametrize("repo_id", ["no-owner", "a/b/c", "ann/..", "ann/x--y", "ann/ä", ""])
def test_an_id_that_no_hub_would_take(repo_id: str) -> None:
    with pytest.raises(PublishError, match="is no repository id; write it as owner/name"):
        Target(repo_id)


def test_a_hub_that_does_not_answer(run: Path) -> None:
    reader = Reader(connect("http://127.0.0.1:9", WRITE, Timeouts(1, 1)), QUICK)
    with pytest.raises(PublishError, match=r"does not answer .*nothing was sent"):
        Publisher(reader, run, "ann/x").publish()


def test_nothing_is_sent_that_was_not_measured(publisher: Publisher) -> None:
    with (publisher.run / "release" / "onnx" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(LintError, match=r"onnx/model\.onnx: is not the file that was measured"):
        publisher.publish()
    assert publisher.reader.head(publisher.target) is None


def test_another_threshold_than_the_fitted_one_is_not_sent(publisher: Publisher) -> None:
    write_threshold(publisher.run / "release", 0.123)
    with pytest.raises(
        LintError, match=r"finsent_abstain_below is 0\.123, metrics\.json says None; run train\.py"
    ):
        publisher.publish()
    assert publisher.reader.head(publisher.target) is None


def edit(api: HfApi, repo_id: str, old: str, new: str) -> None:
    path = api.hf_hub_download(repo_id, "README.md")
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    content = CommitOperationAdd("README.md", text.replace(old, new).encode())
    api.create_commit(repo_id, [content], commit_message="edit by hand")


def test_a_card_edited_by_hand_stops_the_push_and_shows_what_would_be_lost(
    publisher: Publisher, api: HfApi
) -> None:
    publisher.publish()
    edit(api, publisher.repo_id, "A classifier for tests.", "A classifier that we like.")
    with pytest.raises(CardConflictError, match=r"-A classifier that we like\.\n\+A classifier for tests\."):
        publisher.publish(tagged=False)
    assert publisher.commits()[0] == "edit by hand"


def test_merge_keeps_their_words_renews_ours_and_goes_on_doing_so(publisher: Publisher, api: HfApi) -> None:
    publisher.publish()
    edit(api, publisher.repo_id, "A classifier for tests.", "A classifier that we like.")
    edit(api, publisher.repo_id, "| Version | `0.1.0` |", "| Version | `9.9.9` |")
    publisher.publish(tagged=False, card="merge")
    text = (publisher.reader.content(publisher.target, "README.md", "main") or b"").decode()
    assert "A classifier that we like." in text and "9.9.9" not in text
    assert publisher.publish(tagged=False).plan.is_empty
    assert len(publisher.commits()) == 5


def test_theirs_and_ours(publisher: Publisher, api: HfApi) -> None:
    publisher.publish()
    edit(api, publisher.repo_id, "A classifier for tests.", "A classifier that we like.")
    assert publisher.publish(tagged=False, card="theirs").plan.is_empty
    assert publisher.publish(tagged=False).receipt is None  # the choice holds, though nothing was committed
    publisher.publish(tagged=False, card="ours")
    text = (publisher.reader.content(publisher.target, "README.md", "main") or b"").decode()
    assert "A classifier for tests." in text and len(publisher.commits()) == 4


def test_rollback_restores_the_tree_before_as_a_new_commit(publisher: Publisher) -> None:
    first = publisher.publish().receipt
    before = publisher.reader.read(publisher.target)
    publisher.change("A sentence to regret.")
    second = publisher.publish(tagged=False).receipt
    assert first is not None and second is not None
    undone = undo(second, publisher.run, publisher.reader, QUICKLY)
    after = publisher.reader.read(publisher.target)
    assert after.files == before.files and after.head == undone.commit
    assert publisher.commits()[0] == f"Roll back to {str(first.commit)[:8]}" and len(publisher.commits()) == 4
    with pytest.raises(PublishError, match="would undo what came after it"):
        undo(second, publisher.run, publisher.reader, QUICKLY)


def test_a_rollback_that_breaks_off_leaves_a_receipt(publisher: Publisher, faults: str) -> None:
    first = publisher.publish().receipt
    publisher.change("A sentence to regret.")
    second = publisher.publish(tagged=False).receipt
    assert first is not None and second is not None
    order(faults, method="HEAD", path=f"/{publisher.repo_id}/resolve/", status=503, n=50)
    with pytest.raises(PublishError, match=r"read back .*: failed 3 times"):
        undo(second, publisher.run, publisher.reader, QUICKLY)
    receipt = publisher.receipts()[-1]
    assert receipt.state == "failed" and receipt.parent == second.commit
    assert receipt.commit == publisher.reader.head(publisher.target) != first.commit


def test_the_first_publication_cannot_be_rolled_back(publisher: Publisher) -> None:
    receipt = publisher.publish().receipt
    assert receipt is not None
    with pytest.raises(PublishError, match="the first publication"):
        undo(receipt, publisher.run, publisher.reader, QUICKLY)


def states(publisher: Publisher) -> dict[str, str]:
    checks = check_published(publisher.target, publisher.reader, "load")
    return {check.name: check.state for check in checks}


def test_verify_proves_without_the_run_and_notices_a_changed_model(publisher: Publisher, api: HfApi) -> None:
    publisher.publish()
    assert states(publisher) == {"files": "ok", "measured": "ok", "load": "ok"}
    quantized = publisher.parcel().manifest.content("onnx/model_quantized.onnx")
    wrong = CommitOperationAdd("onnx/model_quantized.onnx", quantized[:-100])
    api.create_commit(publisher.repo_id, [wrong], commit_message="break it")
    assert states(publisher)["measured"] == "failed"


def test_the_whole_command_publishes_proves_and_is_quick_the_second_time(
    server: RunningHub, run: Path, repo_id: str
) -> None:
    arguments = (str(run), "--repo-id", repo_id, "--yes", "--space", "none")
    modules = node_environment(HERE / "package.json") / "node_modules"
    done = hub_push_py(server, *arguments, NODE_PATH=str(modules))
    assert done.returncode == 0, done.stderr
    for check in ("files: ok", "load: ok", "card: ok"):
        assert f"Check: {check}" in done.stderr
    assert "transformers: let NODE_PATH" not in done.stderr  # so the JavaScript block ran, too
    started = time.monotonic()
    again = hub_push_py(server, *arguments, "--json")
    assert again.returncode == 0 and time.monotonic() - started < 10, again.stderr
    assert json.loads(again.stdout)["receipt"] is None
    kept = "".join(path.read_text(encoding="utf-8") for path in (run / "receipts").iterdir())
    for text in (done.stdout, done.stderr, again.stdout, again.stderr, kept):
        assert WRITE not in text


def test_a_machine_must_say_yes(server: RunningHub, run: Path, repo_id: str) -> None:
    done = hub_push_py(server, str(run), "--repo-id", repo_id, "--space", "none")
    assert done.returncode == 1 and "add --yes" in done.stderr and "Traceback" not in done.stderr


def test_a_dry_run_is_a_plan_for_machines(server: RunningHub, run: Path, repo_id: str) -> None:
    done = hub_push_py(server, str(run), "--repo-id", repo_id, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["receipt"] is None and told["plan"]["tag"] == "v0.1.0" and told["plan"]["parent"] is None
    sent = {file["path"] for file in told["space_plan"]["files"]}
    assert {"README.md", "app.py", "classifier.py"} <= sent
    assert all(len(line) < 500 and "\x1b" not in line for line in done.stderr.splitlines())


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_who_interrupts_is_told_where_to_look_and_no_process_shows_the_token(
    server: RunningHub, run: Path, repo_id: str, faults: str, sent: signal.Signals
) -> None:
    order(faults, method="POST", path=f"/{repo_id}/commit/", delay=5)
    command = [sys.executable, "hub_push.py", str(run), "--repo-id", repo_id, "--yes", "--space", "none"]
    environment = {**os.environ, "HF_TOKEN": WRITE, "HF_ENDPOINT": server.endpoint}
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a test in the background has it ignored
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("commit: "):
                time.sleep(1.5)  # it waits for the Hub's answer now
                shown = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
                assert not any(WRITE.encode() in arguments for arguments in shown)
                process.send_signal(sent)
    receipt = read_receipt(next((run / "receipts").glob("*.json")))
    assert receipt.commit is None
    assert not receipt.commit_is_certain  # the Hub is still at it
    if sent == signal.SIGKILL:
        assert receipt.message == "broken off while committing"
        return
    assert process.returncode == 1 and "Traceback" not in "".join(lines)
    assert re.search(r"interrupted; \S+/receipts/\S+\.json says what stands on the Hub\n$", lines[-1])
    assert (receipt.state, receipt.message) == ("interrupted", "KeyboardInterrupt")


def test_local_brings_its_own_hub_and_finds_it_again(run: Path, tmp_path: Path) -> None:
    script = str(REPOSITORY / "hub_push.py")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}

    def local(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, script, *arguments, "--local"]
        return subprocess.run(
            command, cwd=tmp_path, env=kept, capture_output=True, text=True, check=False, timeout=120
        )

    options = ("--yes", "--space", "none", "--proof", "files")
    done = local(str(run), *options)
    assert done.returncode == 0 and "State: published" in done.stderr, done.stderr
    again = local(str(run), *options)
    assert again.returncode == 0 and "nothing to change" in again.stderr, again.stderr
    assert len(list((run / "receipts").iterdir())) == 1
    proved = local("verify", "finsent/tiny", "--proof", "files")
    assert proved.returncode == 0 and "measured: ok" in proved.stdout, proved.stderr
    token = (tmp_path / "runs" / "hub" / "token").read_text(encoding="utf-8").strip()
    assert token not in done.stdout + done.stderr + again.stderr + proved.stdout + proved.stderr


def test_a_data_set_goes_the_same_road(reader: Reader, server: RunningHub, tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "train.csv").write_text("text,label\nProfit rose,positive\nLoss,negative\n", encoding="utf-8")
    (folder / "check.py").write_text("print()\n", encoding="utf-8")
    configs = "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.csv\n"
    (folder / "README.md").write_text(f"---\nlicense: cc-by-4.0\n{configs}---\n\n# rows\n", encoding="utf-8")
    done = hub_push_py(server, str(folder), "--repo-id", "ann/rows", "--repo-type", "dataset", "--yes")
    assert done.returncode == 0, done.stderr
    assert "Check: rows: ok, train 2" in done.stderr
    assert set(reader.read(Target("ann/rows", "dataset")).files) == {
        ".gitattributes",
        "README.md",
        "train.csv",
    }


def test_errors_are_of_one_family() -> None:
    assert issubclass(PublishError, FinsentError)


def test_the_rollback_command(publisher: Publisher, server: RunningHub) -> None:
    publisher.publish()
    before = publisher.reader.read(publisher.target).files
    publisher.change("A sentence to regret.")
    publisher.publish(tagged=False)
    asked = hub_push_py(server, "rollback", str(publisher.run))
    assert asked.returncode == 1 and "add --yes" in asked.stderr
    done = hub_push_py(server, "rollback", str(publisher.run), "--yes")
    assert done.returncode == 0 and "State: rolled back" in done.stderr, done.stderr
    assert publisher.reader.read(publisher.target).files == before


def test_a_process_is_not_told_the_token_and_what_it_says_is_cleaned(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def failing(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        assert options["env"]["HF_TOKEN"] == WRITE and options["env"]["HF_ENDPOINT"]
        return subprocess.CompletedProcess(command, 1, "", f"refused: Bearer {WRITE}")

    monkeypatch.setattr("publishing.proof.prover.subprocess.run", failing)
    with pytest.raises(PublishError, match=r"is published, but load failed: refused: Bearer \*\*\*"):
        publisher.publish(proof="load")
    assert commands and WRITE not in str(commands)
    receipt = publisher.receipts()[0]
    assert receipt.state == "failed" and receipt.commit is not None and WRITE not in receipt.model_dump_json()
