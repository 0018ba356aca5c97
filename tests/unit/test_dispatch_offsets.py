"""Commits are contiguous: whatever order records end in, nothing unfinished is ever passed over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.events.records import Partition, Record
from shared.local.dispatch.offsets import Offsets

PARTITION = Partition("t", 0)


def record(offset: int, generation: int = 1) -> Record:
    return Record(PARTITION, offset, generation, 0, None, None, ())


@given(st.sets(st.integers(0, 200), min_size=1, max_size=60).flatmap(lambda found: st.permutations(sorted(found))))
def test_every_commit_ends_below_the_lowest_unfinished_record(order: list[int]) -> None:
    """Also where offsets are missing (compaction, transactions): the last commit is one past the highest record."""
    offsets, commits = Offsets(), list[int]()
    for offset in sorted(order):
        offsets.received(record(offset))
    for done, offset in enumerate(order, start=1):
        commit_to = offsets.finished(record(offset))
        if commit_to is not None:
            commits.append(commit_to)
            assert commit_to <= min(order[done:], default=max(order) + 1)
    assert commits == sorted(set(commits))
    assert commits[-1] == max(order) + 1


def test_a_record_of_a_former_assignment_commits_nothing() -> None:
    """After a partition was taken away and given back, late endings from before hold no authority."""
    offsets = Offsets()
    offsets.received(record(0, generation=1))
    offsets.revoked(frozenset({PARTITION}))
    offsets.received(record(0, generation=2))
    assert offsets.finished(record(0, generation=1)) is None
    assert offsets.finished(record(0, generation=2)) == 1


def test_ending_twice_commits_once() -> None:
    """A second ending of the same record changes nothing."""
    offsets = Offsets()
    offsets.received(record(4))
    assert offsets.finished(record(4)) == 5
    assert offsets.finished(record(4)) is None
