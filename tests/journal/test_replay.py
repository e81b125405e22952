"""A recording before today's judge: the same while the judge is the same, else the first difference is told."""

from unittest.mock import patch

import msgspec
import pytest

from config.limits import Limits
from controller.journal import Journal, Stretch
from controller.journal_chunks import COLUMNS, pack, unpack
from controller.replay import MOST_TOLD, OTHER, Replayed, replay
from safety import judge
from safety.judged import INITIAL, Judged
from safety.signals import Snapshot, State
from tests.journal.conftest import Visit

# From boarding to the end of the return; `inversion-table journal replay` is put to the rest of it.
TICKS = 7000
EVERY = frozenset(COLUMNS)
START = {0: msgspec.json.encode(INITIAL)}


def again(visit: Visit, limits: Limits | None = None) -> Replayed:
    with Journal(visit.journal) as journal:
        kept = journal.judged(1, 0, 2**31)
        return replay(journal.stretches(1, 1, TICKS), kept, limits or journal.limits(1))


def test_every_recorded_tick_is_decided_as_it_was(visit: Visit) -> None:
    result = again(visit)
    assert result == Replayed(ticks=TICKS)
    assert result.same


def test_the_recorded_states_of_the_judge_are_those_of_the_session(visit: Visit) -> None:
    with Journal(visit.journal) as journal:
        kept = journal.judged(1, 0, 2**31)
        limits = journal.limits(1)
    assert len(kept) >= 3
    assert visit.snapshots[TICKS].wish.state is State.RESTING
    state = INITIAL
    for snapshot in visit.snapshots[:TICKS]:
        if snapshot.number - 1 in kept:
            known = msgspec.json.decode(kept[snapshot.number - 1], type=Judged)
            assert known == msgspec.structs.replace(state, calm=None)
        state, decision = judge.step(state, snapshot.readings, snapshot.wish, limits)
        assert decision == snapshot.decision


@pytest.mark.parametrize("start", [3000, 7777])
def test_a_part_of_it_can_be_judged_from_the_state_before_it(visit: Visit, start: int) -> None:
    with Journal(visit.journal) as journal:
        before = journal.judged_before(1, start)
        assert before is not None
        assert before < start
        kept = journal.judged(1, before, 2**31)
        result = replay(journal.stretches(1, before + 1, start + 999), kept, journal.limits(1), first=start)
    assert result == Replayed(ticks=1000)


def test_a_change_of_a_limit_in_the_judge_is_seen_with_tick_field_and_code(visit: Visit) -> None:
    trip = next(snapshot for snapshot in visit.snapshots if snapshot.decision.causes)
    with patch.object(judge, "INVERTED_CDEG", -9000):
        result = again(visit)
    assert not result.same
    first = result.first[0]
    assert first.tick <= trip.number
    assert result.codes["H04"] > 0
    assert [change.name for change in first.changes] == ["region"]


def test_a_change_of_the_tables_limits_is_seen(visit: Visit) -> None:
    with Journal(visit.journal) as journal:
        limits = journal.limits(1)
    slower = Limits(**{**{name: getattr(limits, name) for name in Limits.__slots__}, "slow_cdeg_s": 80})
    result = again(visit, slower)
    assert result.differing > 100
    assert result.codes[OTHER] > 0
    (change, *_) = result.first[0].changes
    assert change.name == "command.velocity_cdeg_s"
    assert (change.was, change.today) != (None, None)


def stretch(snapshots: list[Snapshot], columns: frozenset[str] = EVERY) -> Stretch:
    return Stretch(snapshots, columns)


def test_ticks_behind_a_gap_are_not_guessed_at(visit: Visit) -> None:
    ticks = visit.snapshots
    with Journal(visit.journal) as journal:
        limits = journal.limits(1)
    result = replay([stretch(ticks[:100]), stretch(ticks[200:300])], START, limits)
    assert (result.ticks, result.unreachable, result.differing) == (100, 100, 0)


def test_a_state_that_todays_judge_cannot_read_is_left_aside(visit: Visit) -> None:
    with Journal(visit.journal) as journal:
        limits = journal.limits(1)
    result = replay([stretch(visit.snapshots[:50])], {0: b'{"link": 7}'}, limits)
    assert (result.ticks, result.unreachable) == (0, 50)
    assert not result.same


def test_only_what_was_recorded_is_compared(visit: Visit) -> None:
    with Journal(visit.journal) as journal:
        limits = journal.limits(1)
    ticks = unpack(pack(visit.snapshots[:100]), 100)
    decided = [msgspec.structs.replace(one, decision=msgspec.structs.replace(one.decision, over=True)) for one in ticks]
    assert replay([stretch(decided)], START, limits).differing == 100
    assert replay([stretch(decided, EVERY - {"decision.over"})], START, limits).differing == 0


def test_of_many_stretches_that_differ_the_first_are_told(visit: Visit) -> None:
    with Journal(visit.journal) as journal:
        limits = journal.limits(1)
    ticks = [
        msgspec.structs.replace(one, decision=msgspec.structs.replace(one.decision, over=one.number % 2 == 0))
        for one in visit.snapshots[:200]
    ]
    result = replay([stretch(ticks)], START, limits)
    assert result.differing == 100
    assert [one.tick for one in result.first] == list(range(2, 2 * MOST_TOLD + 1, 2))
