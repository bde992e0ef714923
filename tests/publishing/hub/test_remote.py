from __future__ import annotations

import pytest

from publishing.errors import PublishError
from publishing.hub.remote import Target


@pytest.mark.parametrize("repo_id", ["no-owner", "a/b/c", "ann/..", "ann/x--y", "ann/ä", ""])
def test_an_id_that_no_hub_would_take(repo_id: str) -> None:
    with pytest.raises(PublishError, match="is not a repository id; write it as owner/name"):
        Target(repo_id)
