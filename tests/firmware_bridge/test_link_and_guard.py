"""Bridge, line, link and guard together: the host in Python at one end, all of the table's C at the other."""

from collections.abc import Callable

import msgspec
import pytest

from safety.signals import CONFIRM, Command, Contacts, Demand, Guard, GuardState, Signals
from tests.firmware_bridge.bench import ARM, HOST, Bench
from tests.firmware_bridge.building import FIRMWARE, library
from tests.firmware_bridge.guarded import GUARDED, GuardedTable
from tests.firmware_bridge.scripted import CONSTANTS
from tests.firmware_bridge.table_side import Built

pytestmark = pytest.mark.needs("cc")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return library(tmp_path_factory.mktemp("whole"), GUARDED, FIRMWARE / "table_link.h")


@pytest.fixture
def bench(whole: Built) -> Bench:
    return Bench(GuardedTable(whole))


def said(bench: Bench, ms: int, command: Command | None = None) -> Guard:
    guard = bench.run(ms, command)[-1].guard
    assert guard is not None
    return guard


def prove(bench: Bench, command: Command | None = None) -> None:
    """Straps open, closed, confirmed; the patient's button closed, open, closed."""
    pins = bench.table.pins
    for ms, change in (
        (1500, {}),
        (6000, {"strap_left": 0, "strap_right": 0}),
        (300, {"buttons": CONFIRM}),
        (300, {"buttons": 0}),
        (300, {"patient_open": True}),
        (600, {"patient_open": False}),
    ):
        for name, value in change.items():
            setattr(pins, name, value)
        bench.run(ms, command)


def armed(bench: Bench) -> Command:
    prove(bench)
    bench.until(lambda: said(bench, 10, Command(arm=ARM)).session_id == ARM.session_id, 2000)
    return Command(session_id=ARM.session_id)


def test_a_table_at_level_takes_its_constants_as_soon_as_it_is_still(bench: Bench) -> None:
    assert "does not hold" in bench.bridge.notes[0]
    bench.run(1500)
    config = bench.table.guard.config
    assert bench.table.out_.config_hash == CONSTANTS.hash
    for name in CONSTANTS.__struct_fields__:
        assert getattr(config, name) == getattr(CONSTANTS, name)
    assert bench.bridge.notes == ()


def test_a_table_above_level_takes_them_when_it_has_come_down(whole: Built) -> None:
    bench = Bench(GuardedTable(whole, angle_cdeg=130))
    bench.run(3000)
    assert bench.table.out_.config_hash == 0
    assert "at level and still" in bench.bridge.notes[0]
    for angle_cdeg in range(130, 80, -1):
        bench.table.pins.angle_a_cdeg = bench.table.pins.angle_b_cdeg = angle_cdeg
        bench.run(20)
    bench.run(2000)
    assert bench.table.out_.config_hash == CONSTANTS.hash


def test_a_healthy_table_says_everything(bench: Bench) -> None:
    readings = bench.run(300)[-1]
    assert [name for name in readings.__struct_fields__ if getattr(readings, name) is None] == []
    assert (readings.angle_a_cdeg, readings.strap_left, readings.brake_set) == (0, Contacts.OPEN, True)
    assert readings.guard is not None
    assert readings.guard.state is GuardState.IDLE


def test_unproven_straps_are_refused_by_name_and_proven_ones_armed(bench: Bench) -> None:
    bench.run(600)
    refused = said(bench, 300, Command(arm=ARM)).refused
    assert {"H07", "H23"} <= set(refused)
    bench.tick()
    session = armed(bench)
    guard = said(bench, 50, session)
    assert (guard.state, guard.session_id, guard.refused) == (GuardState.ARMED, ARM.session_id, ())


def test_disarm_ends_the_session(bench: Bench) -> None:
    session = armed(bench)
    bench.run(1000, session)
    # Whoever was not inverted need not rest; the guard decides.
    bench.until(lambda: said(bench, 10, Command(disarm=True)).session_id == 0, 65_000)


def test_another_tables_constants_arm_nothing(bench: Bench) -> None:
    prove(bench)
    bench.bridge._asking.hash ^= 1
    assert "H30" in said(bench, 300, Command(arm=ARM)).refused


def causes_after(bench: Bench, ms: int, send: Callable[[], None]) -> tuple[str, ...]:
    """What the guard says after some time in which only `send` is sent, in every tick."""
    end_ms = bench.line.now_ms() + ms
    causes: tuple[str, ...] = ()
    while bench.line.now_ms() < end_ms:
        guard = bench.bridge.read(bench.line.now_ms() + 10, HOST).guard
        causes = guard.causes if guard else ()
        send()
    return causes


def test_a_silent_host_is_h17_and_a_deaf_one_h18(bench: Bench) -> None:
    session = armed(bench)
    bench.run(300, session)
    link = bench.bridge.link
    deaf = msgspec.structs.replace(session, echo=link.last.sequence)
    assert causes_after(bench, 400, lambda: link.send(link.frames.command(deaf, Signals()))) == ("H18",)
    assert said(bench, 200, session).demand is Demand.ALLOW
    assert causes_after(bench, 400, lambda: None) == ("H17",)


def test_a_host_that_repeats_old_frames_is_h18(bench: Bench) -> None:
    session = armed(bench)
    bench.run(300, session)
    link = bench.bridge.link
    old = link.frames.command(msgspec.structs.replace(session, echo=link.last.sequence), Signals())
    assert causes_after(bench, 400, lambda: link.send(old)) == ("H18",)
