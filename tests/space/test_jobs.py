from __future__ import annotations

from jobs import Jobs


def test_a_visitor_stops_his_own_run_only() -> None:
    jobs = Jobs()
    jobs.open("one")
    jobs.open("two")
    assert jobs.stop("one")
    assert (jobs.is_stopped("one"), jobs.is_stopped("two")) == (True, False)
    jobs.close("one")
    assert not jobs.stop("one")
    assert not jobs.stop("nobody")


def test_a_new_run_is_not_stopped_by_an_old_click() -> None:
    jobs = Jobs()
    jobs.open("one")
    jobs.stop("one")
    jobs.open("one")
    assert not jobs.is_stopped("one")
