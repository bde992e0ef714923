"""Search for better settings of a recipe, and measure the gain on rows that the search never saw.

python tune.py recipes/quickstart.yaml              search around a recipe, over common keys
python tune.py recipes/searches/quickstart.yaml     search as this file says; repeat it to continue
python tune.py recipes/searches/quickstart.yaml --trials 40    add more trials later
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # read when datasets is imported

from finsent.claim import claimed
from finsent.cli import make_app, print_anywhere, quiet_libraries, reporting_errors, stage
from finsent.mirror import mirror_from_environment
from finsent.optional_packages import require_packages
from finsent.recipe.file import load_search
from finsent.recipe.search import Search
from finsent.release import RUNS
from tuning import options
from tuning.best import write_best
from tuning.figures import draw_figures
from tuning.finals import compare_unseen, run_finals
from tuning.folder import SearchFolder
from tuning.outcome import make_report
from tuning.progress import tell_count
from tuning.report import write_report
from tuning.setup import prepare_setup, read_recipe
from tuning.study import open_study
from tuning.telling import summarize, tell_space
from tuning.trials import run_trials

app = make_app(__doc__)

AGAIN = "run the same command again"


def tune(search: Search, place: SearchFolder, runs: Path) -> str:
    """Run what is missing of a search, write what came out, and return it in words."""
    search, recipe = read_recipe(search, runs)
    stage(f"search: {tell_count(search.trials, 'trial')} around {recipe.name}")
    tell_space(search, recipe)
    setup = prepare_setup(search, recipe, mirror_from_environment())
    study = open_study(setup, place.study)
    stage(f"trials: {len(setup.splits.train)} rows, scored on {len(setup.splits.validation)} validation rows")
    trials = run_trials(setup, study, place.checkpoints)
    finalists = tell_count(search.finalists, "trial")
    stage(f"finals: {finalists} and the recipe as it is, {tell_count(search.seeds, 'seed')} each")
    finals = run_finals(setup, trials, place.finals, place.checkpoints)
    stage(f"comparing: {len(setup.splits.test)} test rows")
    unseen = compare_unseen(setup, finals)
    report = make_report(setup, study, trials, finals, unseen)
    write_best(setup, report, place.best)
    draw_figures(report, place.figures)
    write_report(report, place.report)
    shutil.rmtree(place.checkpoints, ignore_errors=True)
    return summarize(report, place.best)


@app.command(help=app.info.help)
def main(search_file: options.SearchFile, runs: options.Runs = RUNS, trials: options.Trials = None) -> None:
    """Search, or go on with a search; exit 1 with one line when something is wrong."""
    quiet_libraries()
    with reporting_errors(f"{AGAIN} to continue"):
        require_packages("tune.py", "optuna")
        search = load_search(search_file, runs)
        search = search.model_copy(update={"trials": trials or search.trials})
        place = SearchFolder(runs / search.name)
        with claimed(place.folder, again=AGAIN):
            print(tune(search, place, runs))


if __name__ == "__main__":
    print_anywhere()
    app()
