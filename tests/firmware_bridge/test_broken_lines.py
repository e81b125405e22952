"""Lines that fail, in virtual time: each failure has its name, and nothing resumes by itself."""

import pytest

from config.errors import DeviceMissingError, InversionTableError, RefusedError
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
from safety.signals import Command
from tests.firmware_bridge.bench import ARM, HOST, Bench


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


def test_a_board_that_the_yanked_cable_left_without_power_is_told(bench: Bench) -> None:
    bench.tick(Command(arm=ARM))
    bench.run(200, Command(session_id=ARM.session_id))
    bench.port.unplugged = True
    bench.table.reset(cause=1)
    bench.until(lambda: len(bench.line.ports) == 2 and bench.well())
    assert isinstance(bench.bridge.last_trouble, BoardResetError)
    assert "power-on" in str(bench.bridge.last_trouble)


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


def test_a_table_that_comes_back_with_other_constants_is_seen_and_told_and_given_none(bench: Bench) -> None:
    bench.run(200)
    bench.port.unplugged = True
    bench.table.config_hash = 0x1234
    bench.until(lambda: len(bench.line.ports) == 2 and bench.well())
    assert isinstance(bench.bridge.last_trouble, MismatchError)
    assert "other constants" in str(bench.bridge.last_trouble)
    bench.run(3000)
    assert bench.table.kinds("CONFIGURE") == []


def test_a_table_of_another_release_in_its_place_stays_out(bench: Bench) -> None:
    bench.run(200)
    bench.port.unplugged = True
    bench.table.hello = {"version": 3}
    bench.run(6000)
    assert isinstance(bench.bridge.trouble, MismatchError)
    bench.table.hello = {}
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
