from __future__ import annotations

from pathlib import Path

from tests.tuning.samples import make_report
from tuning.report import read_report, write_report
from tuning.telling import summarize

BEST = Path("runs/tiny-search/best.yaml")


def test_a_summary_says_how_many_trials_were_looked_at_and_what_they_are_worth() -> None:
    assert summarize(make_report(), BEST).splitlines() == [
        "tiny-search: 5 trials looked at in 5 min, 1 of them stopped early, 1 cut off and repeated",
        "  best is trial 5: learning_rate 0.0003, batch_size 4",
        "  macro F1 on 100 validation rows, mean of 2 other seeds 71.0 %, the recipe as it is 67.0 %",
        "  it was chosen for 74.0 % on these rows: the best of 5 trials looks better there than it is",
        "  on 200 test rows that the search never saw: accuracy 72.0 %, the recipe as it is 69.0 %",
        "  gain +3.0 points (95 % interval -1.0 to +7.0); 20 rows better, 14 worse, McNemar's p 0.392; "
        "that may be chance",
        "  macro F1 there 71.0 %, the recipe as it is 68.0 %",
        "  the recipe: runs/tiny-search/best.yaml",
    ]


def test_a_gain_that_is_clear_is_not_put_down_to_chance() -> None:
    report = make_report()
    assert report.unseen is not None
    clear = make_report(unseen=report.unseen.model_copy(update={"p": 0.001}))
    assert "chance" not in summarize(clear, BEST)


def test_a_search_that_found_nothing_better_says_so() -> None:
    report = make_report()
    told = summarize(report.model_copy(update={"best": report.start, "unseen": None}), BEST)
    assert "no finalist is better than the recipe as it is" in told
    assert "67.0 %, the best finalist 71.0 %" in told and "test rows" not in told


def test_a_report_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    write_report(make_report(), tmp_path / "search.json")
    assert read_report(tmp_path / "search.json") == make_report()
    assert '"log": [' in (tmp_path / "search.json").read_text(encoding="utf-8")
