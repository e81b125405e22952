"""What is kept: all from a minute before anything goes on to a minute after, and a sample now and then between."""

from collections.abc import Iterable
from itertools import pairwise

import msgspec

from controller.journal_chunks import unpack
from controller.journal_keeping import Chunk, Keeper, Pending
from safety.signals import STOP, Alarm, Cause, Demand, Snapshot
from tests.journal.recording import WALL_MS, event, tick

TRIP = Cause("H20", Demand.CUT, Alarm.HIGH, 2, 0, "contacts open")
MINUTE, SECOND = 6000, 100


def resting(number: int) -> Snapshot:
    return tick(number, moving=False)


def pressed(number: int) -> Snapshot:
    """A tick with a button held, on a table that does not move."""
    snapshot = resting(number)
    return msgspec.structs.replace(snapshot, readings=msgspec.structs.replace(snapshot.readings, buttons=STOP))


class Kept:
    """A keeper, and what it handed out; the judge's state is known every ten seconds, as from the control process."""

    def __init__(self) -> None:
        self.keeper = Keeper()
        self.chunks: dict[tuple[bool, int], Chunk] = {}
        self.remembered: list[int] = []
        self.number = 0
        self.keeper.remember(0, b"nothing")

    def take(self, snapshots: Iterable[Snapshot]) -> None:
        for snapshot in snapshots:
            self.number = snapshot.number
            self.keeper.take(snapshot, WALL_MS + snapshot.t_ms)
            if snapshot.number % 1000 == 0:
                self.keeper.remember(snapshot.number, b"%d" % snapshot.number)
            self.write()

    def rest(self, ticks: int) -> None:
        self.take(resting(number) for number in range(self.number + 1, self.number + ticks + 1))

    def press(self, ticks: int = 1) -> None:
        self.take(pressed(number) for number in range(self.number + 1, self.number + ticks + 1))

    def write(self) -> None:
        pending, self.keeper.pending = self.keeper.pending, Pending()
        for chunk in pending.chunks:
            for rest, first in list(self.chunks):
                inside = chunk.first <= first and self.chunks[rest, first].last <= chunk.last
                if rest == chunk.rest and inside:
                    del self.chunks[rest, first]
            self.chunks[chunk.rest, chunk.first] = chunk
        self.remembered += [one.tick for one in pending.remembered]

    def ticks(self, rest: bool = False) -> list[int]:
        """The numbers of the ticks that were kept."""
        chunks = sorted(chunk for (rests, _), chunk in self.chunks.items() if rests == rest)
        return [snapshot.number for chunk in chunks for snapshot in unpack(chunk.data, chunk.ticks)]


def test_a_table_at_rest_leaves_one_sample_in_ten_seconds_and_no_more() -> None:
    kept = Kept()
    kept.rest(10 * MINUTE)
    full = kept.ticks()
    assert full[-1] <= MINUTE + 1, "the start is kept in full for a minute"
    samples = kept.ticks(rest=True)
    assert [later - sooner for sooner, later in pairwise(samples)] == [1000] * (len(samples) - 1)
    assert len(samples) == 54


def test_a_minute_before_and_a_minute_after_a_button_are_whole() -> None:
    kept = Kept()
    kept.rest(5 * MINUTE)
    kept.press()
    kept.rest(5 * MINUTE)
    at = 5 * MINUTE + 1
    around = [number for number in kept.ticks() if number > 2 * MINUTE]
    assert around == list(range(around[0], around[-1] + 1))
    assert around[0] <= at - MINUTE
    assert at + MINUTE <= around[-1] <= at + MINUTE + 2 * SECOND


def test_a_trip_of_a_table_at_rest_has_its_minute_before() -> None:
    kept = Kept()
    kept.rest(4 * MINUTE)
    quiet = resting(4 * MINUTE + 1)
    decision = msgspec.structs.replace(quiet.decision, demand=Demand.CUT, causes=(TRIP,), alarm=Alarm.HIGH)
    kept.take([msgspec.structs.replace(quiet, decision=decision)])
    kept.keeper.end()
    kept.write()
    full = kept.ticks()
    assert set(range(3 * MINUTE + 1, 4 * MINUTE + 2)) <= set(full)


def test_an_alarm_that_stands_for_days_does_not_fill_the_disk() -> None:
    kept = Kept()
    ticks = []
    for number in range(1, 3 * MINUTE + 1):
        quiet = resting(number)
        decision = msgspec.structs.replace(quiet.decision, demand=Demand.CUT, causes=(TRIP,), alarm=Alarm.HIGH)
        ticks.append(msgspec.structs.replace(quiet, decision=decision))
    kept.take(ticks)
    assert kept.ticks()[-1] <= MINUTE + SECOND


def test_whatever_is_kept_in_full_can_be_judged_again_from_its_first_tick() -> None:
    kept = Kept()
    kept.rest(5 * MINUTE)
    kept.press(3)
    kept.rest(5 * MINUTE)
    kept.press(3)
    kept.keeper.end()
    kept.write()
    full = set(kept.ticks())
    begins = [number for number in full if number - 1 not in full]
    assert len(begins) == 3
    assert {number - 1 for number in begins} <= set(kept.remembered)


def test_the_judge_is_written_once_a_minute_where_nothing_is_missing() -> None:
    kept = Kept()
    kept.take(tick(number) for number in range(1, 5 * MINUTE + 1))
    assert kept.remembered == [0, 6000, 12000, 18000, 24000, 30000]


def test_seconds_are_put_together_by_tens() -> None:
    kept = Kept()
    kept.take(tick(number) for number in range(1, 3501))
    assert [chunk.ticks for chunk in kept.chunks.values()][:3] == [1000, 1000, 1000]
    assert kept.ticks() == list(range(1, 3401))


def test_a_gap_begins_a_new_stretch_and_what_the_judge_knew_before_it_is_forgotten() -> None:
    kept = Kept()
    kept.take(tick(number) for number in range(1, 1551))
    kept.take(tick(number) for number in range(1701, 2300))
    kept.keeper.end()
    kept.write()
    assert kept.ticks() == [*range(1, 1551), *range(1701, 2300)]
    assert kept.remembered == [0, 2000]


def test_ticks_that_come_again_are_not_kept_twice() -> None:
    kept = Kept()
    kept.take(tick(number) for number in range(1, 301))
    kept.take(tick(number) for number in range(251, 401))
    kept.keeper.end()
    kept.write()
    assert kept.ticks() == list(range(1, 401))


def test_an_event_makes_the_minute_before_it_worth_keeping() -> None:
    kept = Kept()
    kept.rest(4 * MINUTE)
    before = len(kept.ticks())
    kept.keeper.happened((event(1), event(2)))
    assert [one.number for one in kept.keeper.pending.events] == [1, 2]
    kept.write()
    assert len(kept.ticks()) > before + 5000
    kept.keeper.happened((event(2),))
    assert kept.keeper.pending.events == []


def test_what_was_lost_is_counted_once() -> None:
    keeper = Keeper()
    keeper.lost(40)
    assert keeper.pending.lost == 40
    keeper.pending = Pending()
    keeper.lost(40)
    keeper.lost(10)
    assert not keeper.pending
