"""The hazard table against the code that executes it, the tests that provoke it, and the page made of it."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from safety import asking, latches
from safety.link import Link
from safety.people import People
from safety.signals import TILT, Alarm, Cause, Contacts, Demand, Guard, GuardState, Host
from tests.safety.register import ROOT, offences, rows, sources
from tests.safety.table import HOST, Bench, arm_with, armed, permit_with, ready, tilted

ROWS = rows()
ACTIVE = [row for row in ROWS if row["status"] == "active"]
PLANNED = [row for row in ROWS if row["status"] == "planned"]
DRIVEN = {"current_ma": 3000, "brake_set": False, "drive_power": True}


def test_the_register_is_whole() -> None:
    assert offences(ROWS, sources()) == []


def test_planned_rows_are_counted_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        waiting = ", ".join(f"{row['id']} ({row['waits_for']})" for row in PLANNED)
        print(f"\nhazards: {len(ACTIVE)} judged on the host, {len(PLANNED)} planned: {waiting}")
    assert len(ACTIVE) + len(PLANNED) == 36


# Orphans are caught: each of these plants one.


def planted(code: str, **changes: Any) -> list[dict[str, Any]]:
    return [{**row, **changes} if row["id"] == code else row for row in ROWS]


def without(code: str, field: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != field} if row["id"] == code else row for row in ROWS]


ORPHANS: list[tuple[list[dict[str, Any]], dict[str, str], str]] = [
    ([row for row in ROWS if row["id"] != "H07"], {}, "H07 is missing"),
    ([row for row in ROWS if row["id"] != "H07"], {}, "H07 is used in safety and is no hazard"),
    ([*ROWS, ROWS[0]], {}, "H01 stands 2 times"),
    ([*ROWS[1:], ROWS[0]], {}, "the rows do not stand in order"),
    ([*ROWS, {**ROWS[0], "id": "H37"}], {}, "H37 is no hazard of the page"),
    ([*ROWS, {**ROWS[0], "id": "H37"}], {}, "H37 is active and nothing in safety gives it as a cause"),
    (planted("H01", check="angle.nothing"), {}, "H01 names the check angle.nothing, which does not exist"),
    (planted("H01", check="angle"), {}, "H01 names the check angle, which does not exist"),
    (planted("H01", check="nowhere.beyond_cap"), {}, "H01 names the check nowhere.beyond_cap, which does not exist"),
    (planted("H01", tests=[]), {}, "H01 is active and has no test"),
    (planted("H01", tests=["tests/safety/test_no.py"]), {}, "names the test tests/safety/test_no.py, which does not"),
    (planted("H36", tests=["tests/safety/test_straps.py"]), {}, "test_straps.py, which does not mention it"),
    (planted("H01", tests=["docs"]), {}, "H01 names docs, where no test reads the register"),
    (planted("H01", demand="PANIC"), {}, "H01 demands PANIC, which is no demand"),
    (planted("H01", alarm="LOUD"), {}, "H01 has the alarm LOUD, which is none"),
    (planted("H01", status="done"), {}, "H01 is done, neither active nor planned"),
    (planted("H01", by="x"), {}, "H01 is enforced by nobody known"),
    (planted("H01", by=""), {}, "H01 is enforced by nobody known"),
    (planted("H01", waits_for="rain"), {}, "H01: what is planned says what it waits for"),
    (planted("H17", status="planned"), {}, "H17: what is planned says what it waits for"),
    (planted("H01", colour="red"), {}, "H01 has an unknown field colour"),
    (without("H01", "clears"), {}, "H01 has no clears"),
    (planted("H01", bound_ms="soon"), {}, "H01 has no bound in milliseconds"),
    (ROWS, {"newcomer": 'Cause("H99", 1, 1, 0, 0, "")'}, "H99 is used in safety and is no hazard"),
    (ROWS, {"newcomer": 'CODES = ("H98",)'}, "H98 is used in safety and is no hazard"),
    (ROWS, {"angle": sources()["angle"].replace('"H36"', '"H01"')}, "H36 is active and nothing in safety gives it"),
]


@pytest.mark.parametrize(("table", "changed", "told"), ORPHANS, ids=[told for *_, told in ORPHANS])
def test_an_orphan_is_caught(table: list[dict[str, Any]], changed: dict[str, str], told: str) -> None:
    assert [offence for offence in offences(table, {**sources(), **changed}) if told in offence]


# What the code demands is what the table says: each active row is provoked, and timed.


def caused(bench: Bench, code: str, at_most_ms: int, **changes: Any) -> tuple[Cause, int]:
    ms = bench.ms_until(code, at_most_ms, **changes)
    assert ms is not None, code
    return bench.cause(code), ms


def by(bench: Callable[[], Bench], **changes: Any) -> Callable[[str, int], tuple[Cause, int]]:
    return lambda code, bound_ms: caused(bench(), code, bound_ms, **changes)


def refused(arm: Any, bench: Callable[[], Bench] = ready, **changes: Any) -> Callable[[str, int], tuple[Cause, int]]:
    def provoke(code: str, _bound_ms: int) -> tuple[Cause, int]:
        decision = bench().run(10, arm=arm, **changes)
        found = [cause for cause in decision.refusals if cause.code == code]
        assert found, decision.refusals
        assert decision.armed is None
        return found[0], 0

    return provoke


def standing() -> Bench:
    return tilted(obeys=False)


def glided(angle_cdeg: int, short_of_cdeg: int, cap_cdeg: int = -4500) -> Callable[[], Bench]:
    def bench() -> Bench:
        arm = arm_with(cap_cdeg=cap_cdeg)
        return tilted(cap_cdeg, arm, obeys=False).glide(angle_cdeg - short_of_cdeg)

    return bench


def unproven() -> Bench:
    bench = Bench()
    bench.run(1000)
    return bench


def long_inverted() -> Bench:
    bench = tilted(-1000, arm_with(set_limit_s=40), obeys=False)
    while bench.decision.inverted_ms < 40_000:
        bench.hold("PRESENCE").run(20)
        bench.let_go().run(180)
    return bench


def moving_above() -> Bench:
    bench = Bench()
    bench.run(1000, angle_cdeg=7700)
    return bench


def turning(code: str, speed: int, bound_ms: int) -> tuple[Cause, int]:
    bench = standing().put(brake_set=False)
    bench._speed = speed
    return caused(bench, code, bound_ms)


def alone(code: str, bound_ms: int) -> tuple[Cause, int]:
    bench = standing()
    bench.run(39_000 - bench.decision.presence_ms)
    start = bench.decision.presence_ms
    while bench.cause(code).demand != Demand.RETURN if code in bench.codes else True:
        bench.tick()
    return bench.cause(code), bench.decision.presence_ms - start + 39_000


def one_frozen(code: str, bound_ms: int) -> tuple[Cause, int]:
    bench = standing().put(applied_cdeg_s=100, **DRIVEN)
    start = bench.t_ms
    while code not in bench.codes:
        bench.put(angle_cdeg=bench.angle_cdeg + 1, angle_a_cdeg=-3000).tick()
    return bench.cause(code), bench.t_ms - start


def foreign(_code: str, _bound_ms: int) -> tuple[Cause, int]:
    cause = asking.someone_else(asking.CHANGES, trusted=False, picture_ms=0)
    assert cause is not None
    return cause, 0


def wrong_way(code: str, bound_ms: int) -> tuple[Cause, int]:
    bench = standing()
    bench._speed = -60
    return caused(bench, code, bound_ms, applied_cdeg_s=100, **DRIVEN)


def stuck(code: str, bound_ms: int) -> tuple[Cause, int]:
    bench = armed()
    bench.hold("TILT").tick()
    bench.wait(100)
    return caused(bench, code, bound_ms)


def silent(code: str, bound_ms: int) -> tuple[Cause, int]:
    bench = standing()
    bench.silence(160)
    return bench.cause(code), 160


def late(code: str, bound_ms: int) -> tuple[Cause, int]:
    bench = armed()
    bench.tick(60)
    return bench.cause(code), 0


def hung(code: str, bound_ms: int) -> tuple[Cause, int]:
    bench = standing()
    bench.tick(151)
    return bench.cause(code), 151


def resting(code: str, bound_ms: int) -> tuple[Cause, int]:
    bench = tilted(-1000)
    bench.press("RETURN")
    bench.run(15_000)
    decision = bench.run(10, disarm=True)
    raised = bench.hold("RAISE").run(1000, velocity_cdeg_s=150)
    assert raised.command.velocity_cdeg_s == 0
    return decision.refusals[0], 0


PROVOKED: dict[str, Callable[[str, int], tuple[Cause, int]]] = {
    "H01": by(glided(-4601, -1), angle_cdeg=-4601),
    "H02": by(glided(-6201, -1, -6000), angle_cdeg=-6201),
    "H03": by(long_inverted),
    "H04": by(standing, strap_left=Contacts.OPEN),
    "H05": by(armed, strap_left=Contacts.OPEN),
    "H06": by(armed, strap_left=Contacts.DISCREPANT),
    "H07": refused(arm_with(), unproven),
    "H08": by(standing, angle_a_cdeg=None),
    "H09": by(standing, angle_a_cdeg=None, angle_b_cdeg=None),
    "H10": one_frozen,
    "H11": wrong_way,
    "H12": lambda code, bound_ms: turning(code, -60, bound_ms),
    "H13": lambda code, bound_ms: turning(code, -600, bound_ms),
    "H14": by(standing, applied_cdeg_s=-50, **{**DRIVEN, "current_ma": 12_000}),
    "H15": by(standing, applied_cdeg_s=50, **{**DRIVEN, "current_ma": 12_000}),
    "H16": by(standing, drive_fault=True),
    "H17": hung,
    "H18": silent,
    "H19": by(Bench, angle_cdeg=-3000),
    "H20": by(standing, estop=Contacts.DISCREPANT),
    "H21": by(standing, mains=False),
    "H22": by(standing, patient_button=True),
    "H23": refused(arm_with(), unproven),
    "H24": alone,
    "H25": stuck,
    "H26": by(lambda: armed().hold("TILT", "RAISE")),
    "H27": late,
    "H28": refused(arm_with(), host=Host(config_ok=True, started_table=True)),
    "H29": by(Bench, angle_cdeg=-3000, guard=Guard(GuardState.STOP, session_id=9)),
    "H30": refused(arm_with(), host=Host(clock_ok=True, started_table=True)),
    "H31": refused(permit_with(plan_hash="another")),
    "H32": resting,
    "H33": refused(arm_with(), host=msgspec.structs.replace(HOST, records_ok=False)),
    "H34": refused(permit_with(pseudonym="")),
    "H35": foreign,
    "H36": by(moving_above, angle_cdeg=7701),
}


def test_every_active_row_is_provoked_and_no_other() -> None:
    assert set(PROVOKED) == {row["id"] for row in ACTIVE}


@pytest.mark.parametrize("row", ACTIVE, ids=lambda row: str(row["id"]))
def test_what_is_demanded_is_what_the_table_says_within_its_bound(row: dict[str, Any]) -> None:
    cause, ms = PROVOKED[row["id"]](row["id"], row["bound_ms"])
    assert ms <= row["bound_ms"]
    assert cause.alarm.name == row["alarm"]
    if row["demand"] == "refuse":
        assert (cause.demand, cause.alarm) == (Demand.NO_DEEPENING, Alarm.LOW)
    else:
        assert cause.demand.name == row["demand"]
    assert cause.unit


@pytest.mark.parametrize("row", [row for row in ACTIVE if row["clears"] in ("reset", "service")], ids=lambda r: r["id"])
def test_what_reset_clears_is_latched_and_what_clears_by_itself_is_not(row: dict[str, Any]) -> None:
    cause, _ = PROVOKED[row["id"]](row["id"], row["bound_ms"])
    latched = latches.kept((), [cause], Link(), People(), 5000)
    assert latched == (cause,)
    assert latches.kept(latched, [], Link(), People(pressed=TILT), 5000) == latched
    cleared = latches.clears(latched, [], ready().judged.angles, True, 5000)
    assert cleared is (row["clears"] == "reset")


@pytest.mark.parametrize("code", [row["id"] for row in ACTIVE if row["clears"] == "press"])
def test_what_a_press_clears_is_cleared_by_one(code: str) -> None:
    cause, _ = PROVOKED[code](code, 5000)
    latched = latches.kept((), [cause], Link(), People(), 5000)
    assert latches.kept(latched, [], Link(), People(pressed=TILT), 5000) == ()


# The page.


def test_the_page_of_hazards_is_current() -> None:
    command = [sys.executable, "scripts/hazards_page.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_page_names_every_hazard_once_and_says_what_is_planned() -> None:
    page = (ROOT / "docs/hazards.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| H")]
    assert [line[2:5] for line in lines] == [row["id"] for row in ROWS]
    for row, line in zip(ROWS, lines, strict=True):
        assert row["hazard"].split()[0] in line
        assert ("planned: waits for" in line) is (row["status"] == "planned")
