from __future__ import annotations

from pathlib import Path

from publishing.hub.remote import Target
from publishing.package.parcel import pack_release
from publishing.space.address import choose_space, choose_space_id


def test_where_a_space_goes(tiny_release: Path) -> None:
    run = tiny_release.parent
    assert choose_space_id(run, None, None) == "finsent/tiny-demo"
    assert choose_space_id(run, "ann/x", None) == "ann/x-demo"
    assert choose_space_id(run, "ann/x", "ann/y") == "ann/y"


def test_a_space_shows_what_is_pushed_as_the_command_line_says(tiny_release: Path) -> None:
    parcel = pack_release(tiny_release.parent, Target("finsent/tiny"), None)
    plain = choose_space("ann/demo", parcel, "auto", False, None, None)
    assert (plain.subject.model, plain.target) == ("finsent/tiny", Target("ann/demo", "space"))
    assert (plain.outbox, plain.secrets) == (parcel.run / "outbox" / "space", ())
    assert not plain.private and not plain.replace_card
    other = choose_space("ann/demo", parcel, "static", True, ["KEY"], "ours")
    assert (other.choice, other.private, other.secrets, other.replace_card) == (
        "static",
        True,
        ("KEY",),
        True,
    )
    assert not choose_space("ann/demo", parcel, "auto", False, None, "merge").replace_card
