"""What a user of a published data set gets: load_dataset by its Hub id, beside the rows of the files.

`python -m publishing.proof.read_dataset FOLDER REPO_ID COMMIT` prints two mappings split -> rows as JSON.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

from finsent.release import CARD
from model_card.card.document import split_card
from model_card.lint.metadata import read_metadata
from publishing.hub import client
from publishing.hub.connection import Timeouts
from publishing.package.manifest import is_allowed


def count_files(folder: Path) -> dict[str, int]:
    """Return split -> rows of the CSV files that the card configures."""
    front = read_metadata(split_card((folder / CARD).read_text(encoding="utf-8-sig")))
    counts = {}
    for config in front.get("configs") or []:
        for entry in config.get("data_files") or []:
            if not is_allowed("dataset", str(entry["path"])):  # the card may have been edited on the Hub
                continue
            with (folder / entry["path"]).open(encoding="utf-8-sig", newline="") as file:
                counts[str(entry["split"])] = sum(1 for _ in csv.DictReader(file))
    return counts


def main() -> None:
    """Load the data set from the Hub and count."""
    import datasets  # slow to import

    datasets.disable_progress_bars()
    folder, repo_id, commit = sys.argv[1:]
    client.use_hub(os.environ["HF_ENDPOINT"], Timeouts.connect, Timeouts.read)
    loaded = datasets.load_dataset(repo_id, revision=commit)
    counted = {split: rows.num_rows for split, rows in loaded.items()}
    print(json.dumps([counted, count_files(Path(folder))]))


if __name__ == "__main__":
    main()
