"""Hosts that are alive and wrong, over the line: what they can make the table do is nothing worse than coming back."""

from collections.abc import Iterator

import msgspec
import pytest

from config.limits import INVERTED_CDEG
from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import Command, Contacts, GuardState, Host, Readings, Signals, State
from tests.sessions.runs import BRIEF
from tests.wire.lockstep import Lockstep, TableEnd
from tests.wire.rig import Watch, guard_of, open_bridge, table_in

pytestmark = pytest.mark.needs("cc")

PHASES = (State.TILTING, State.HOLDING, State.RETURNING)
BACK_S = 90
TICK_MS = 10
HOST, SIGNALS = Host(), Signals()


class WrongHost:
    """A host that knows the session, and says what it is told to say."""

    def __init__(self, end: TableEnd) -> None:
        self.end = end
        self.watch = Watch(end.table)
        end.table.each_ms.append(lambda _: self.watch())
        self.line = Lockstep.at(end)
        self.bridge: SerialBridge = open_bridge(self.line)
        self.session_id = guard_of(end.table).session_id
        self.readings: Readings = self.bridge.read(self.line.ms + TICK_MS, HOST)

    @property
    def causes(self) -> tuple[str, ...]:
        return guard_of(self.end.table).causes

    def frame(self, command: Command, echo: int | None = None) -> bytes:
        newest = self.readings.sequence if echo is None else echo
        said = msgspec.structs.replace(command, session_id=command.session_id or self.session_id, echo=newest)
        return self.bridge.link.frames.command(said, SIGNALS)

    def ticks(self, seconds: float) -> Iterator[None]:
        end_ms = self.line.ms + seconds * 1000
        while self.line.ms < end_ms:
            self.readings = self.bridge.read(self.line.ms + TICK_MS, HOST)
            yield

    def say(self, seconds: float, command: Command, echo: int | None = None) -> None:
        for _ in self.ticks(seconds):
            self.bridge.link.send(self.frame(command, echo))

    def comes_home(self, command: Command | None, echo: int | None = None) -> bool:
        """Whether the table comes to level though this is said in every tick, or nothing."""
        for _ in self.ticks(BACK_S):
            if command is not None:
                self.bridge.link.send(self.frame(command, echo))
            if self.watch.home:
                return True
        return False

    def not_deeper(self) -> bool:
        return self.watch.deepest_cdeg > self.watch.began_cdeg - 100


@pytest.fixture
def end(request: pytest.FixtureRequest) -> Iterator[TableEnd]:
    """A table in mid-session, in the state that the test names, HOLDING if it names none."""
    end = TableEnd(table_in(getattr(request, "param", State.HOLDING)))
    yield end
    end.close()


def test_a_host_that_only_sends_zeros_is_ended_by_the_guards_own_clock(end: TableEnd) -> None:
    host = WrongHost(end)
    host.say(15, Command())
    assert guard_of(end.table).state is GuardState.ARMED
    assert end.table.truth().angle_cdeg < INVERTED_CDEG
    assert host.comes_home(Command())
    assert host.causes[0] == "H03"


def test_zeros_do_not_keep_a_patient_who_asks_to_come_back(end: TableEnd) -> None:
    host = WrongHost(end)
    end.table.hands.press("PATIENT")
    host.say(0.5, Command())
    end.table.hands.release("PATIENT")
    assert host.comes_home(Command())
    assert host.causes[0] == "H22"


@pytest.mark.parametrize("end", PHASES, indirect=True)
def test_a_host_that_is_deaf_to_telemetry_renews_nothing(end: TableEnd) -> None:
    host = WrongHost(end)
    assert host.comes_home(Command(velocity_cdeg_s=-200), echo=host.readings.sequence)
    assert host.causes[0] == "H18"
    assert host.not_deeper()


@pytest.mark.parametrize("end", PHASES, indirect=True)
def test_a_host_that_repeats_old_frames_renews_nothing(end: TableEnd) -> None:
    host = WrongHost(end)
    old = host.frame(Command(velocity_cdeg_s=-200))
    for _ in host.ticks(BACK_S):
        host.bridge.link.send(old)
        if host.watch.home:
            break
    assert host.watch.home
    assert host.causes[0] == "H18"
    assert host.not_deeper()


@pytest.mark.parametrize("end", PHASES, indirect=True)
def test_a_host_that_asks_for_minus_70_gets_no_deeper_than_the_cap_allows(end: TableEnd) -> None:
    host = WrongHost(end)
    end.table.hands.press("TILT")
    host.say(40, Command(velocity_cdeg_s=-200, presence_fresh=True))
    assert host.watch.deepest_cdeg > BRIEF.cap_cdeg - 200 - 100
    assert host.comes_home(Command(velocity_cdeg_s=-200))


def test_a_host_of_another_session_moves_nothing(end: TableEnd) -> None:
    host = WrongHost(end)
    assert host.comes_home(Command(velocity_cdeg_s=-200, session_id=host.session_id ^ 1))
    assert host.not_deeper()


def test_a_host_that_sends_garbage_only_is_nobody(end: TableEnd) -> None:
    host = WrongHost(end)
    for number, _ in enumerate(host.ticks(BACK_S)):
        host.bridge.link.send(bytes(((number * 7 + place * 13) & 0xFF) for place in range(40)))
        if host.watch.home:
            break
    assert host.watch.home
    assert host.not_deeper()


def test_a_strap_that_opens_while_the_host_is_dead_brings_the_table_back_slowly(end: TableEnd) -> None:
    watch = Watch(end.table)
    end.alone(500, watch)
    end.table.hands.strap("left", closed=False)
    for _ in range(BACK_S * 100):
        end.alone(10, watch)
        if watch.home:
            break
    assert watch.home
    assert "H04" in guard_of(end.table).causes
    assert end.table.panel.strap_left is Contacts.OPEN
    assert watch.fastest_cdeg_s < 130


def test_mains_lost_besides_a_dead_host_and_an_open_strap_still_end_at_level(end: TableEnd) -> None:
    watch = Watch(end.table)
    end.alone(500, watch)
    end.table.hands.strap("left", closed=False)
    end.table.plant.hooks.mains_off = True
    for _ in range(BACK_S * 100):
        end.alone(10, watch)
        if watch.home:
            break
    assert watch.home
    assert {"H04", "H17", "H21"} <= set(guard_of(end.table).causes)


def test_the_emergency_stop_cuts_with_the_host_dead(end: TableEnd) -> None:
    watch = Watch(end.table)
    end.alone(500, watch)
    end.table.hands.estop(pressed=True)
    end.alone(100, watch)
    stopped_cdeg = end.table.truth().angle_cdeg
    end.alone(10_000, watch)
    assert guard_of(end.table).state is GuardState.CUT
    assert abs(end.table.truth().angle_cdeg - stopped_cdeg) < 100
