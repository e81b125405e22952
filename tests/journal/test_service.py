"""The control process's own visits in the journal: from the offer to the patient who is off, in its own words."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from controller.app import main
from controller.journal import Journal
from controller.messages import Event
from controller.replay import Replayed, replay
from safety.judged import Judged
from safety.signals import Snapshot, State
from tests.journal.recording import Recorded
from tests.service.rig import LIMITS, Rig


class Both:
    """A recorder that hands everything to two, at the pace of the one with a disk."""

    def __init__(self, rig: Rig, recorded: Recorded) -> None:
        self._memory = rig.records
        self._recorded = recorded
        self.ok, self.trouble = True, ""
        rig.service._served = replace(rig.service._served, records=self)

    def observe(self, snapshot: Snapshot, events: Sequence[Event], judged: Judged) -> None:
        self._memory.observe(snapshot, events, judged)
        link = self._recorded.link
        link.observe(snapshot, events, judged)
        self.ok, self.trouble = link.ok, link.trouble
        if snapshot.number - link.committed > 800:
            self._recorded.until(lambda: snapshot.number - link.committed < 400)

    def news(self) -> list[str]:
        return self._recorded.link.news()


def test_a_visit_of_the_service_is_whole_from_its_offer_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = Rig()
    with Recorded(tmp_path, limits=LIMITS) as recorded:
        Both(rig, recorded)
        rig.forward(1)
        rig.visit()
        rig.forward(1)
        rig.offer()
        rig.forward(1)
        rig.disarm()
        rig.forward(1)
    seen = rig.records.snapshots
    with Journal(recorded.path) as journal:
        visit, withdrawn = journal.visits()
        assert journal.snapshots(1, 1, 2**31) == seen
        told = journal.events(visit)
        result = replay(journal.stretches(1, 1, 2**31), journal.judged(1, 0, 2**31), LIMITS)
    assert (visit.plan, visit.person, visit.result) == ("short", "simulated", "completed")
    assert (withdrawn.plan, withdrawn.result) == ("short", "withdrawn")
    steps = [event.figures.get("step") for event in told if event.kind == "visit"]
    assert steps == ["offered", "ended"]
    assert [event.number for event in told] == sorted(event.number for event in told)
    first, last = seen[visit.first_tick - 1], seen[visit.last_tick - 1]
    assert first.wish.state is State.IDLE
    assert first.decision.armed is None
    assert last.readings.strap_left == 1
    assert result == Replayed(ticks=len(seen))
    assert main(["journal", "show", "1", "--state", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "Visit 1: short, completed\n" in out
    assert "The visit with the plan short ended as planned." in out
