"""The serial bridge in virtual time: opening, reading, asking, and every way in which a line fails."""

import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from config.errors import DeviceMissingError, InversionTableError, RefusedError
from firmware_bridge import protocol
from firmware_bridge.errors import (
    BoardResetError,
    GarbledLinkError,
    LinkLostError,
    MismatchError,
    NoAnswerError,
    PortMissingError,
    ResetByOpeningError,
    SilentLinkError,
)
from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import Arm, Command, Host, Issuer, Permit, Readings, Signals
from tests.firmware_bridge.scripted import CONSTANTS, ScriptedTable, VirtualLine

HOST = Host(config_ok=True, wall_s=7)
TICK_MS = 10
ARM = Arm(
    session_id=0xCAFE,
    plan_hash="0" * 16,
    cap_cdeg=-2000,
    hold_s=120,
    set_limit_s=190,
    sets=1,
    rest_s=120,
    speed_cdeg_s=200,
    travel_limit_ms=40_001,
    used_today_s=0,
    permit=Permit("0" * 16, "p", 1, 0, 0, -2000, 120, None, None, Issuer.SIMULATED),
)


class Bench:
    """A bridge that was opened, the line and the table at its other end."""

    def __init__(self, table: ScriptedTable | None = None) -> None:
        self.table = table or ScriptedTable()
        self.line = VirtualLine(self.table)
        self.bridge = opened(self.line)
        self.host_sends = True

    @property
    def port(self) -> Any:
        return self.line.ports[-1]

    def well(self) -> bool:
        """Whether nothing is wrong with the line now."""
        return self.bridge.trouble is None

    def tick(self, command: Command | None = None) -> Readings:
        """One tick as the control loop runs it: a lapse ends the commands."""
        readings = self.bridge.read(self.line.now_ms() + TICK_MS, HOST)
        sent = command or Command()
        if readings.age_ms <= 150:
            echoing = Command(
                sent.velocity_cdeg_s,
                sent.demand,
                True,
                sent.arm,
                sent.disarm,
                echo=readings.sequence,
                session_id=sent.session_id,
            )
            self.bridge.write(echoing, Signals())
        else:
            self.bridge.write(Command(send=False), Signals())
        return readings

    def run(self, ms: int, command: Command | None = None) -> list[Readings]:
        end_ms = self.line.now_ms() + ms
        rows = []
        while self.line.now_ms() < end_ms:
            rows.append(self.tick(command))
        return rows

    def until(self, happened: Callable[[], bool], most_ms: int = 10_000) -> int:
        """Run until something happened; return how many milliseconds that took."""
        start_ms = self.line.now_ms()
        while not happened():
            assert self.line.now_ms() - start_ms < most_ms, "it did not happen"
            self.tick()
        return self.line.now_ms() - start_ms


def opened(line: VirtualLine, **options: Any) -> SerialBridge:
    return SerialBridge.open(
        "/dev/ttyACM0", CONSTANTS, line, connect=line.connect, nonce=line.nonce, sleep=line.sleep, **options
    )


@pytest.fixture
def bench() -> Bench:
    return Bench()


# Opening.


def test_opening_takes_a_handshake_and_one_frame(bench: Bench) -> None:
    assert bench.line.now_ms() - 1_000_000 <= 100
    assert bench.well()
    assert bench.bridge.firmware == "1.0.0"
    assert [kind for kind, _ in bench.table.heard] == ["HELLO"]


def test_a_table_with_other_constants_is_given_this_tables() -> None:
    table = ScriptedTable()
    table.config_hash = 0
    Bench(table)
    assert table.config_hash == CONSTANTS.hash
    assert table.kinds("CONFIGURE")[0]["stall_ma"] == CONSTANTS.stall_ma


def test_constants_that_the_table_refuses_are_told() -> None:
    table = ScriptedTable()
    table.config_hash, table.refusals = 0, 1 << 30
    line = VirtualLine(table)
    with pytest.raises(MismatchError, match=r"refused this table's constants \(H30\)"):
        opened(line)
    assert line.ports[-1].closed


def test_a_table_that_does_not_answer_to_its_constants_is_told() -> None:
    table = ScriptedTable()
    table.config_hash, table.answers = 0, False
    with pytest.raises(NoAnswerError, match="does not answer to CONFIGURE"):
        opened(VirtualLine(table))
    assert len(table.kinds("CONFIGURE")) == 20


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"version": 2}, "speaks version 2 of the protocol, this program version 1"),
        (
            {"hard_limits": [-7000, *[value for _, value in protocol.HARD_LIMITS][1:]]},
            "deepest_cap_cdeg is -7000 in the firmware and -6000 here",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_words(changed: dict[str, Any], words: str) -> None:
    table = ScriptedTable()
    table.hello = changed
    line = VirtualLine(table)
    with pytest.raises(MismatchError, match=words) as caught:
        opened(line)
    assert caught.value.exit_code == 4
    assert line.ports[-1].closed


def test_a_board_that_opening_resets_is_refused() -> None:
    table = ScriptedTable()
    line = VirtualLine(table)
    line.opening = lambda: table.reset(cause=2)
    with pytest.raises(ResetByOpeningError, match=r"H30.*the reset line.*DTR"):
        opened(line)
    assert not table.commands()


def test_a_board_that_boots_long_after_opening_reset_it_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    table = ScriptedTable()
    line = VirtualLine(table)

    def opening() -> None:
        table.reset(cause=0)
        table.clock_ms = table._due_ms = -1900  # the boot loader's time
        table.greets = table.sends = False

    def booted(where: str) -> Any:
        port: Any = connect(where)
        wait = port.wait

        def wait_and_boot(wait_ms: int) -> bytes:
            table.greets = table.sends = table.clock_ms >= 0
            return bytes(wait(wait_ms))

        port.wait = wait_and_boot
        return port

    line.opening, connect = opening, line.connect
    monkeypatch.setattr(line, "connect", booted)
    with pytest.raises(ResetByOpeningError):
        opened(line)


def test_a_board_that_was_switched_on_meanwhile_is_welcome() -> None:
    table = ScriptedTable()
    line = VirtualLine(table)
    line.opening = lambda: table.reset(cause=1)
    assert opened(line).trouble is None


def test_a_port_where_nobody_answers_is_told() -> None:
    table = ScriptedTable()
    table.greets = table.sends = False
    line = VirtualLine(table)
    with pytest.raises(NoAnswerError, match=r"nothing answers at /dev/ttyACM0.*power") as caught:
        opened(line)
    assert caught.value.exit_code == 5
    assert line.now_ms() - 1_000_000 < 4200
    assert len(table.kinds("HELLO")) > 30


def test_another_device_is_told_from_a_silent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    table = ScriptedTable()
    line = VirtualLine(table)
    monkeypatch.setattr(line, "connect", another_device(line))
    with pytest.raises(NoAnswerError, match="another device, or another firmware"):
        opened(line)


def another_device(line: VirtualLine) -> Callable[[str], Any]:
    connect = line.connect

    def connected(where: str) -> Any:
        port: Any = connect(where)
        port.garbage = b"$GPGGA,123519,4807.038,N\r\n"
        return port

    return connected


def test_a_port_that_cannot_be_opened_says_why() -> None:
    line = VirtualLine(ScriptedTable())

    def missing() -> None:
        raise PortMissingError("no such port")

    line.opening = missing
    with pytest.raises(PortMissingError):
        opened(line)


# Reading and writing.


def test_a_read_returns_when_a_frame_comes(bench: Bench) -> None:
    bench.run(100)
    for _ in range(20):
        start_ms = bench.line.now_ms()
        readings = bench.bridge.read(start_ms + 1000, HOST)
        assert bench.line.now_ms() - start_ms <= 10
        assert readings.age_ms == 0
        assert readings.host == HOST


def test_a_read_ends_at_its_deadline_and_tells_the_age(bench: Bench) -> None:
    bench.run(100)
    bench.table.sends = False
    ages = []
    for wait_ms in (0, 1, 7, 30, 12):
        deadline_ms = bench.line.now_ms() + wait_ms
        readings = bench.bridge.read(deadline_ms, HOST)
        assert bench.line.now_ms() == deadline_ms
        assert readings.elapsed_ms == wait_ms
        assert readings.age_ms == readings.slow_age_ms
        ages.append(readings.age_ms)
    assert ages[-1] - ages[0] == 50


def test_elapsed_times_add_up_to_the_clock(bench: Bench) -> None:
    bench.tick()
    start_ms = bench.line.now_ms()
    waits_ms = (1, 3, 10, 7, 25, 0, 2, 14, 90)
    rows = [bench.bridge.read(bench.line.now_ms() + wait_ms, HOST) for wait_ms in waits_ms]
    assert sum(row.elapsed_ms for row in rows) == bench.line.now_ms() - start_ms


def test_of_several_frames_at_once_the_newest_is_told(bench: Bench) -> None:
    bench.run(50)
    bench.line.pass_ms(45)
    readings = bench.tick()
    assert readings.sequence & 0xFFFF == bench.table.sequence
    assert readings.age_ms <= 10


def test_a_command_goes_out_in_every_tick_and_echoes_the_newest_frame(bench: Bench) -> None:
    bench.run(1000, Command(velocity_cdeg_s=-150, session_id=9))
    commands = bench.table.commands()
    assert 95 <= len(commands) <= 105
    assert {command["velocity_cdeg_s"] for command in commands} == {-150}
    assert {command["session_id"] for command in commands} == {9}
    numbers = [command["sequence"] for command in commands]
    assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(numbers))
    assert (bench.table.sequence - commands[-1]["echo"]) & 0xFFFF <= 1


def test_what_is_not_to_be_sent_is_not_sent(bench: Bench) -> None:
    bench.tick()
    before = len(bench.table.heard)
    bench.bridge.write(Command(velocity_cdeg_s=-100, send=False), Signals())
    assert len(bench.table.heard) == before


def test_closing_stops_the_table_once(bench: Bench) -> None:
    bench.run(100, Command(velocity_cdeg_s=-150))
    bench.bridge.close()
    bench.bridge.close()
    bench.bridge.write(Command(velocity_cdeg_s=-150), Signals())
    assert [command["velocity_cdeg_s"] for command in bench.table.commands()][-2:] == [-150, 0]
    assert bench.port.closed


# ARM and DISARM.


def test_arm_is_asked_once_and_told_by_the_guards_session(bench: Bench) -> None:
    bench.tick()
    bench.tick(Command(arm=ARM, session_id=0))
    readings = bench.run(50)[-1]
    assert readings.guard is not None
    assert readings.guard.session_id == ARM.session_id
    assert readings.guard.refused == ()
    (asked,) = bench.table.kinds("ARM")
    assert asked["config_hash"] == CONSTANTS.hash
    assert asked["travel_limit_s"] == 41


def test_arm_is_asked_again_until_it_is_answered(bench: Bench) -> None:
    bench.tick()
    bench.table.answers = False
    bench.tick(Command(arm=ARM))
    bench.run(300)
    asked = bench.table.kinds("ARM")
    assert 5 <= len(asked) <= 8
    assert len({fields["sequence"] for fields in asked}) == len(asked)
    assert len({fields["echo"] for fields in asked}) == len(asked)
    bench.table.answers = True
    bench.run(100)
    count = len(bench.table.kinds("ARM"))
    bench.run(1000)
    assert len(bench.table.kinds("ARM")) == count


def test_a_refusal_is_told_with_its_reasons_until_the_next_request(bench: Bench) -> None:
    bench.tick()
    bench.table.refusals = 1 << 7 | 1 << 23
    bench.tick(Command(arm=ARM))
    rows = bench.run(1000)
    assert rows[-1].guard is not None
    assert rows[-1].guard.refused == ("H07", "H23")
    assert rows[-1].guard.session_id == 0
    bench.table.refusals = 0
    bench.tick(Command(arm=ARM))
    guard = bench.run(50)[-1].guard
    assert guard is not None
    assert (guard.refused, guard.session_id) == ((), ARM.session_id)


def test_a_table_that_never_answers_has_refused(bench: Bench) -> None:
    bench.tick()
    bench.table.answers = False
    bench.tick(Command(arm=ARM))
    guard = bench.run(1200)[-1].guard
    assert guard is not None
    assert guard.refused == ("H18",)
    assert len(bench.table.kinds("ARM")) == 20


def test_an_arm_that_does_not_fit_its_frame_is_refused(bench: Bench) -> None:
    bench.tick()
    bench.tick(Command(arm=msgspec.structs.replace(ARM, set_limit_s=70_000)))
    guard = bench.run(50)[-1].guard
    assert guard is not None
    assert guard.refused == ("H30",)


def test_disarm_names_the_session_that_the_guard_holds(bench: Bench) -> None:
    bench.tick()
    bench.tick(Command(disarm=True))
    assert bench.table.kinds("DISARM") == []
    bench.tick(Command(arm=ARM))
    bench.run(50)
    bench.tick(Command(disarm=True))
    guard = bench.run(50)[-1].guard
    assert guard is not None
    assert guard.session_id == 0
    assert [fields["session_id"] for fields in bench.table.kinds("DISARM")] == [ARM.session_id]


# A line that fails.


def test_a_yanked_cable_is_told_and_ages_are_not(bench: Bench) -> None:
    bench.run(200, Command(velocity_cdeg_s=-100))
    bench.port.unplugged = True
    rows = bench.run(100)
    assert isinstance(bench.bridge.trouble, LinkLostError)
    assert 85 <= rows[-1].age_ms <= 115
    assert sum(row.elapsed_ms for row in rows) == 100


def test_after_a_yanked_cable_the_line_comes_back_latched_and_moves_nothing(bench: Bench) -> None:
    bench.run(200, Command(velocity_cdeg_s=-100))
    bench.port.unplugged = True
    sent = len(bench.table.commands())
    took_ms = bench.until(lambda: len(bench.line.ports) == 2 and bench.well())
    # More than the second after which both judges latch the loss.
    assert 1200 <= took_ms <= 1500
    assert isinstance(bench.bridge.last_trouble, LinkLostError)
    # One command at most was under way when the cable went, and none before telemetry is back.
    assert len(bench.table.commands()) - sent <= 1
    assert bench.run(100)[-1].age_ms == 0


def test_a_cable_that_stays_out_is_looked_for_again_and_again(bench: Bench) -> None:
    def missing() -> None:
        raise PortMissingError("still out")

    bench.run(200)
    bench.port.unplugged = True
    bench.line.opening = missing
    bench.run(5000)
    assert isinstance(bench.bridge.trouble, PortMissingError)
    bench.line.opening = None
    assert bench.until(bench.well) <= 700


def test_silence_is_told_and_asked_about(bench: Bench) -> None:
    bench.run(200)
    bench.table.sends = bench.table.greets = False
    greeted = len(bench.table.kinds("HELLO"))
    bench.run(140)
    assert bench.well()
    bench.run(40)
    assert isinstance(bench.bridge.trouble, SilentLinkError)
    assert "comes back to level, by itself" in str(bench.bridge.trouble)
    bench.run(1000)
    assert 8 <= len(bench.table.kinds("HELLO")) - greeted <= 12
    bench.table.sends = True
    bench.run(20)
    assert bench.well()


def test_garbage_is_told_from_silence(bench: Bench) -> None:
    bench.run(200)
    bench.port.garbage = b"\x01\x02garbage\x00"
    bench.run(200)
    assert isinstance(bench.bridge.trouble, GarbledLinkError)
    assert "no other program" in str(bench.bridge.trouble)
    bench.port.garbage = b""
    bench.run(50)
    assert bench.well()


@pytest.mark.parametrize(("angle_cdeg", "code"), [(-3000, "H19"), (0, "H30")])
def test_a_board_that_was_reset_is_told_and_comes_back_latched(bench: Bench, angle_cdeg: int, code: str) -> None:
    bench.table.said["angle_a_cdeg"] = angle_cdeg
    bench.tick(Command(arm=ARM))
    bench.run(200, Command(session_id=ARM.session_id))
    before = bench.bridge.read(bench.line.now_ms() + 20, HOST)
    bench.table.reset()
    bench.until(lambda: isinstance(bench.bridge.trouble, BoardResetError), 300)
    assert code in str(bench.bridge.trouble)
    assert "the watchdog" in str(bench.bridge.trouble)
    took_ms = bench.until(bench.well)
    assert took_ms >= 1000
    after = bench.tick()
    assert after.sequence > before.sequence
    assert after.guard is not None
    assert after.guard.session_id == 0


def test_a_table_that_takes_no_command_is_greeted_anew(bench: Bench) -> None:
    bench.run(1000)
    greeted = bench.line.nonces
    bench.port.deaf = True
    bench.run(450)
    assert bench.line.nonces == greeted
    bench.run(800)
    assert bench.line.nonces == greeted + 2
    bench.port.deaf = False
    bench.run(1000)
    assert bench.line.nonces == greeted + 2


def test_another_table_in_its_place_stays_out(bench: Bench) -> None:
    bench.run(200)
    bench.port.unplugged = True
    bench.table.config_hash = 0x1234
    bench.run(6000)
    assert isinstance(bench.bridge.trouble, MismatchError)
    assert "other constants" in str(bench.bridge.trouble)
    assert bench.table.kinds("CONFIGURE") == []
    bench.table.config_hash = CONSTANTS.hash
    assert bench.until(bench.well) <= 1100


def test_a_board_that_plugging_in_resets_stays_out(bench: Bench) -> None:
    bench.run(200)
    bench.port.unplugged = True
    bench.line.opening = lambda: bench.table.reset(cause=2)
    bench.run(6000)
    assert isinstance(bench.bridge.trouble, ResetByOpeningError)
    assert len(bench.line.ports) == 2


def test_every_trouble_is_of_the_one_root_and_a_builtin() -> None:
    for kind in (LinkLostError, SilentLinkError, GarbledLinkError, NoAnswerError, PortMissingError):
        assert issubclass(kind, DeviceMissingError)
        assert issubclass(kind, OSError)
    for refusal in (MismatchError, ResetByOpeningError, BoardResetError):
        assert issubclass(refusal, RefusedError)
    assert issubclass(RefusedError, InversionTableError)
