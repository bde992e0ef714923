from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from finsent import REPOSITORY
from finsent.errors import RecipeError
from finsent.licences import recipe_licence
from finsent.recipe.file import SCHEMA_FILE, dump_recipe, load_recipe, recipe_schema
from tests import tiny

RECIPES = sorted((REPOSITORY / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_load_and_may_carry_their_licence(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    assert recipe_licence(recipe).id == recipe.card.licence
    if path.stem.endswith("open"):
        for one in (recipe, *recipe.teachers):
            assert "fpb" not in [source.name for source in one.data.sources]


def test_the_schema_in_the_repository_is_the_code_s() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == recipe_schema()


def _write(folder: Path, **changes: object) -> Path:
    return tiny.write_recipe(folder, folder, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sead": 3}, "sead: unknown key"),
        ({"seed": -1}, r"seed: got -1; input should be greater than or equal to 0"),
        ({"seed": "one"}, r'seed: got "one"; input should be a valid integer'),
        ({"training": {"epochs": 0}}, r"training.epochs: got 0; input should be greater than 0"),
        ({"training": {"epoch": 1}}, r"training.epoch: unknown key"),
        ({"labels": ["up", "down"]}, r"unknown label 'negative', allowed: \['up', 'down'\]"),
        ({"labels": ["negative", "negative"]}, "labels must differ"),
        ({"export": {"variants": [{"name": "quantized"}]}}, "start with fp32"),
    ],
)
def test_errors_name_the_key_and_what_is_allowed(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(_write(tmp_path, **changes))


def test_a_source_needs_one_place(tmp_path: Path) -> None:
    tree = tiny.recipe_tree(tmp_path, tmp_path)
    tree["data"]["sources"][0]["hub"] = "owner/name"
    with pytest.raises(RecipeError, match="exactly one of path and hub"):
        load_recipe(_write(tmp_path, data=tree["data"]))


def test_extends_merges_mappings_and_replaces_lists(tmp_path: Path) -> None:
    _write(tmp_path)
    child = tmp_path / "child.yaml"
    child.write_text("extends: tiny.yaml\nname: child\ntraining: {epochs: 9}\ncard: {limits: [one]}\n")
    recipe = load_recipe(child)
    assert (recipe.name, recipe.training.epochs, recipe.training.batch_size) == ("child", 9, 8)
    assert recipe.card.limits == ["one"]


def test_a_recipe_cannot_extend_itself(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(RecipeError, match=r"extends itself, by way of a.yaml -> b.yaml"):
        load_recipe(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a: [", "is not YAML"), (b"- a", "must be a mapping"), (b"\xff", "cannot be read")],
)
def test_what_is_no_recipe_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(tmp_path / "x.yaml")
    assert "\n" not in str(caught.value)


def test_the_resolved_recipe_reads_back_equal(tmp_path: Path) -> None:
    recipe = load_recipe(RECIPES[0])
    copy = tmp_path / "copy.yaml"
    copy.write_text(dump_recipe(recipe), encoding="utf-8")
    assert load_recipe(copy) == recipe
    assert load_recipe(copy).fingerprint() == recipe.fingerprint()
    assert "extends" not in yaml.safe_load(copy.read_text(encoding="utf-8"))


def _taught(folder: Path, **changes: object) -> Path:
    _write(folder)
    teacher = folder / "teacher.yaml"
    teacher.write_text(
        yaml.safe_dump({"extends": "tiny.yaml", "name": "teacher"} | changes), encoding="utf-8"
    )
    student = folder / "student.yaml"
    student.write_text("extends: tiny.yaml\nname: student\ndistillation: {teachers: [teacher.yaml]}\n")
    return student


def test_a_teacher_is_read_from_its_file_and_kept_whole(tmp_path: Path) -> None:
    recipe = load_recipe(_taught(tmp_path, training={"seed": 5}))
    assert [(teacher.name, teacher.training_seed) for teacher in recipe.teachers] == [("teacher", 5)]
    assert recipe.training_seed == recipe.seed
    copy = tmp_path / "elsewhere" / "recipe.yaml"
    copy.parent.mkdir()
    copy.write_text(dump_recipe(recipe), encoding="utf-8")
    assert load_recipe(copy) == recipe


def test_a_source_is_left_out_of_what_another_recipe_uses(tmp_path: Path) -> None:
    (tmp_path / "open.yaml").write_text(
        f"extends: {REPOSITORY}/recipes/finsent-research.yaml\ndata: {{leave_out: [fpb]}}\n"
    )
    recipe = load_recipe(tmp_path / "open.yaml")
    assert [source.name for source in recipe.data.sources] == ["headlines", "tfns", "sentfin"]
    assert recipe.data.leave_out == []
    (tmp_path / "open.yaml").write_text(
        f"extends: {REPOSITORY}/recipes/finsent-research.yaml\ndata: {{leave_out: [phrasebank]}}\n"
    )
    with pytest.raises(RecipeError, match=r"leave_out: unknown source 'phrasebank', allowed: .*'fpb'"):
        load_recipe(tmp_path / "open.yaml")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{leave_out: fpb}", "data.leave_out"),
        ("{leave_out: [1], sources: [2]}", "data.leave_out.0"),
        ("{leave_out: [fpb], sources: 3}", "data.sources"),
        ("[leave_out]", "data: "),
    ],
)
def test_leaving_out_in_another_form_is_refused_by_name(data: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "open.yaml").write_text(
        f"extends: {REPOSITORY}/recipes/finsent-research.yaml\ndata: {data}\n"
    )
    with pytest.raises(RecipeError, match=said):
        load_recipe(tmp_path / "open.yaml")


def test_a_teacher_is_one_a_seed_where_seeds_are_given(tmp_path: Path) -> None:
    path = _taught(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("]}", "], seeds: [3, 4]}"), encoding="utf-8")
    found = [(teacher.name, teacher.training_seed) for teacher in load_recipe(path).teachers]
    assert found == [("teacher-seed-3", 3), ("teacher-seed-4", 4)]
    path.write_text(path.read_text(encoding="utf-8").replace("[3, 4]", "[3, 3]"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"distillation.seeds: seeds must differ, got \[3, 3\]"):
        load_recipe(path)


@pytest.mark.parametrize("changes", [{"seed": 2}, {"data": {"test": 0.3}}])
def test_a_teacher_of_other_rows_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(
        RecipeError, match=r"teacher has another (seed|data) than student; it must be the same"
    ):
        load_recipe(_taught(tmp_path, **changes))


def test_a_teacher_needs_a_name_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"names must differ, .* \['student', 'student'\]"):
        load_recipe(_taught(tmp_path, name="student"))


def test_a_start_from_another_base_is_refused(tmp_path: Path) -> None:
    path = _taught(tmp_path, base={"licence": "cc-by-nc-4.0"})
    path.write_text(path.read_text(encoding="utf-8").replace("]}", "], start: teacher}"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"distillation.start|start: teacher comes from another base"):
        load_recipe(path)


def test_the_words_of_a_card_make_no_other_weights(tmp_path: Path) -> None:
    recipe = load_recipe(_taught(tmp_path))
    reworded = recipe.model_copy(update={"card": recipe.card.model_copy(update={"summary": "x"})})
    explicit = load_recipe(_taught(tmp_path, training={"weight_decay": 0.01}))  # what it is anyway
    assert reworded.making_fingerprint() == recipe.making_fingerprint() == explicit.making_fingerprint()
    assert reworded.fingerprint() != recipe.fingerprint()
    other = load_recipe(_taught(tmp_path, training={"weight_decay": 0.02}))  # of the teacher
    assert other.making_fingerprint() != recipe.making_fingerprint()
    assert recipe.with_seed(5).making_fingerprint() != recipe.making_fingerprint()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("version: 2026-11-21", "put dates in quotes"),
        ("2026-11-21: x", "put dates in quotes"),
        ("card: &card {title: *card}", "let no part hold itself|undefined alias"),
        ("training: {weight_decay: .inf}", "training.weight_decay"),
    ],
)
def test_yaml_that_no_recipe_can_hold_is_refused_in_one_line(line: str, said: str, tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "odd.yaml").write_text(f"extends: tiny.yaml\n{line}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        load_recipe(tmp_path / "odd.yaml")


def test_a_recipe_cannot_teach_itself(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("distillation: {teachers: [a.yaml]}\n")
    with pytest.raises(RecipeError, match="extends itself"):
        load_recipe(tmp_path / "a.yaml")
