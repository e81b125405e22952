"""Opening a line to a table, in virtual time: handshake, constants, and everything that is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from firmware_bridge import protocol
from firmware_bridge.errors import (
    MismatchError,
    NoAnswerError,
    PortMissingError,
    ResetByOpeningError,
)
from tests.firmware_bridge.bench import Bench, opened
from tests.firmware_bridge.scripted import CONSTANTS, ScriptedTable, VirtualLine


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


def test_constants_that_the_table_does_not_take_yet_are_asked_on_and_told() -> None:
    table = ScriptedTable()
    table.config_hash, table.refusals = 0, 1 << 30
    bench = Bench(table)
    bench.run(5000)
    (note,) = bench.bridge.notes
    assert "(H30)" in note
    assert "at level and still" in note
    assert 5 <= len(table.kinds("CONFIGURE")) <= 7
    table.refusals = 0
    bench.run(1100)
    assert table.config_hash == CONSTANTS.hash
    assert bench.bridge.notes == ()
    asked = len(table.kinds("CONFIGURE"))
    bench.run(3000)
    assert len(table.kinds("CONFIGURE")) == asked


def test_a_table_that_does_not_answer_to_its_constants_is_told() -> None:
    table = ScriptedTable()
    table.config_hash, table.answers = 0, False
    with pytest.raises(NoAnswerError, match="does not answer to CONFIGURE"):
        opened(VirtualLine(table))
    assert 20 <= len(table.kinds("CONFIGURE")) <= 21


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"version": 1}, "speaks version 1 of the protocol, this program version 2"),
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
