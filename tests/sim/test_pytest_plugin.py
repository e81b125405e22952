"""The plugin as engineers meet it: its page's example runs, and it tells what happened."""

import re
from pathlib import Path

import pytest

from config.errors import InversionTableError, TooLateError
from safety.signals import Demand, State
from sim.faults.kinds import FaultError
from sim.pytest_plugin import Rig, RigFactory, TableFaulted

PAGE = Path(__file__).resolve().parent.parent.parent / "docs/testing.md"


def examples() -> dict[str, str]:
    """The examples of the page, by the file name that stands above each."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", text, re.DOTALL))


def test_the_example_of_the_page_runs(pytester: pytest.Pytester) -> None:
    found = examples()
    assert len(found) == 1
    for name, code in found.items():
        pytester.path.joinpath(name).write_text(code, encoding="utf-8")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=sum(code.count("\ndef test_") for code in found.values()))


def test_the_page_names_what_there_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in ("forward", "finish", "expect", "inject", "hands", "snapshot", "snapshots", "rows", "trips", "table"):
        assert f"`{name}" in text
    for name in ("forward", "finish", "expect", "inject", "hands", "snapshot", "snapshots", "rows", "trips", "result"):
        assert hasattr(Rig, name)


def test_a_rig_that_has_not_begun_says_so(inversion_table: RigFactory) -> None:
    rig = inversion_table()
    with pytest.raises(LookupError):
        _ = rig.snapshot
    assert rig.snapshots == []
    assert rig.trips == []


def test_time_passes_by_seconds_and_by_ticks_of_ten_milliseconds(inversion_table: RigFactory) -> None:
    rig = inversion_table()
    rig.forward(seconds=0.05)
    assert [snapshot.t_ms for snapshot in rig.snapshots] == [10, 20, 30, 40, 50]
    rig.forward(seconds=0.001)
    assert len(rig.snapshots) == 6


def test_time_passes_until_a_state_or_an_answer(inversion_table: RigFactory) -> None:
    rig = inversion_table()
    assert rig.forward(until="strapped").wish.state is State.STRAPPED
    assert rig.forward(until=State.TILTING).wish.state is State.TILTING
    deep = rig.forward(until=lambda snapshot: (snapshot.decision.angle_cdeg or 0) < -700)
    assert deep.decision.angle_cdeg is not None
    assert -720 < deep.decision.angle_cdeg < -700
    assert rig.state is State.TILTING


def test_what_does_not_come_is_told(inversion_table: RigFactory) -> None:
    rig = inversion_table()
    with pytest.raises(TooLateError, match="emergency_return did not come within 2 s; the session is idle"):
        rig.forward(until="emergency_return", at_most_s=2)


@pytest.mark.parametrize("wrong", [{}, {"seconds": 1, "until": "idle"}, {"seconds": -1}, {"until": "nowhere"}])
def test_time_without_an_end_is_refused(inversion_table: RigFactory, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"say either|go back|nowhere"):
        inversion_table().forward(**wrong)  # type: ignore[arg-type]


def test_an_unexpected_fault_raises_in_the_tick_in_which_it_comes(inversion_table: RigFactory) -> None:
    rig = inversion_table(faults=["mains-lost@holding+1s"])
    with pytest.raises(TableFaulted) as caught:
        rig.finish()
    error = caught.value
    assert error.cause.code == "H21"
    assert error.snapshot is rig.snapshot
    assert error.snapshot.decision.demand == Demand.RETURN
    assert isinstance(error, InversionTableError)
    assert isinstance(error, AssertionError)
    said = str(error)
    assert "H21 demands RETURN" in said
    assert "510 against 500 ms" in said
    assert 'expect("H21")' in said


def test_an_announced_fault_does_not_raise_and_another_one_does(inversion_table: RigFactory) -> None:
    rig = inversion_table(faults=["mains-lost@holding+1s", "strap-opens@emergency_return+1s"])
    rig.expect("H21")
    with pytest.raises(TableFaulted, match="H04"):
        rig.finish()
    assert [trip.cause.code for trip in rig.trips][:2] == ["H21", "H04"]


def test_no_deepening_is_no_fault(inversion_table: RigFactory) -> None:
    rig = inversion_table(faults=["host-late@tilting+3s"])
    assert rig.finish().result == "completed"


def test_a_wrong_fault_is_told_when_the_rig_is_made(inversion_table: RigFactory) -> None:
    with pytest.raises(FaultError, match="strap-opens"):
        inversion_table(faults=["strap-open@holding"])


def test_the_trace_has_the_plants_truth_and_the_faults(inversion_table: RigFactory) -> None:
    rig = inversion_table(faults=["angle-jumps@strapped+1s+1s:by_deg=1"])
    rig.forward(until="tilting")
    rows = rig.rows
    assert len(rows) == len(rig.snapshots)
    assert {row.injected for row in rows} == {"", "angle-jumps"}
    assert all(row.true_angle_cdeg is not None for row in rows)


def test_without_people_nobody_presses_anything(inversion_table: RigFactory) -> None:
    rig = inversion_table(people=False)
    rig.forward(seconds=30)
    assert rig.state is State.IDLE
    assert not any(snapshot.readings.buttons for snapshot in rig.snapshots)


def test_a_session_that_cannot_end_by_itself_is_over_when_the_people_are_done(inversion_table: RigFactory) -> None:
    rig = inversion_table(faults=["button-stuck@resting+5s"])
    rig.expect("*")
    rig.finish(at_most_s=400)
    assert rig.people.done
