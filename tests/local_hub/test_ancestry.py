from __future__ import annotations

from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Commit, ObjectID, Tree
from hypothesis import given, settings
from hypothesis import strategies as st

from local_hub.ancestry import Ancestry

# Each commit names earlier ones as parents, by how far back they are, and claims any time at all.
histories = st.lists(
    st.tuples(st.lists(st.integers(1, 5), max_size=3), st.integers(0, 2**31 - 1)), min_size=1, max_size=14
)


def write(history: list[tuple[list[int], int]]) -> tuple[MemoryObjectStore, list[str]]:
    store, ids = MemoryObjectStore(), list[str]()
    store.add_object(Tree())
    for number, (back, time) in enumerate(history):
        commit = Commit()
        commit.tree, commit.message = Tree().id, b"%d" % number
        commit.author = commit.committer = b"x <x>"
        commit.author_time = commit.commit_time = time
        commit.author_timezone = commit.commit_timezone = 0
        commit.parents = [ObjectID(ids[-step].encode()) for step in dict.fromkeys(back) if step <= len(ids)]
        store.add_object(commit)
        ids.append(commit.id.decode())
    return store, ids


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(histories, st.integers(0, 13), st.integers(0, 13))
def test_no_date_changes_what_leads_where(history: list[tuple[list[int], int]], one: int, other: int) -> None:
    store, ids = write(history)
    base, head = ids[one % len(ids)], ids[other % len(ids)]
    ancestry = Ancestry()

    def behind(oid: str) -> set[str]:  # the plainest way to say it
        return {oid}.union(*(behind(parent) for parent in ancestry.node(store, oid).parents))

    order = ancestry.ordered(store, head)
    assert len(order) == len(set(order)) and set(order) == behind(head) == ancestry.ancestors(store, [head])
    for oid in order:
        assert all(order.index(oid) < order.index(parent) for parent in ancestry.node(store, oid).parents)
    assert ancestry.ancestors(store, [head], behind(base)) == behind(head) - behind(base)
    shared, fork = behind(base) & behind(head), ancestry.fork_point(store, base, head)
    assert (fork is None) == (not shared)
    assert fork is None or not any(fork in behind(oid) for oid in shared - {fork})
