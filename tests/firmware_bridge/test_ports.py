"""Real ports: pseudo-terminals, sockets and what is no port at all, and a whole link in real time over a pty."""

import errno
import os
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
import serial
from serial.tools import list_ports

from firmware_bridge import ports
from firmware_bridge.errors import (
    LinkLostError,
    PortBusyError,
    PortDeniedError,
    PortMissingError,
    WrongPortError,
)
from firmware_bridge.ports import connect, find, holders, quicken
from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import Command, Host, Signals
from tests.firmware_bridge.scripted import CONSTANTS, ScriptedTable

WAIT_MS = 2000
MEGA = SimpleNamespace(vid=0x2341, pid=0x0042, serial_number="A1", device="/dev/ttyACM0")
COPY = SimpleNamespace(vid=0x1A86, pid=0x7523, serial_number=None, device="/dev/ttyUSB0")
MOUSE = SimpleNamespace(vid=0x1234, pid=0x5678, serial_number=None, device="/dev/ttyACM7")
BUILT_IN = SimpleNamespace(vid=None, pid=None, serial_number=None, device="/dev/ttyS0")


class Pty:
    """A pseudo-terminal: `path` is opened by the bridge, `master` is the table's end."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        # Until somebody says otherwise, a terminal echoes whatever comes.
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)

    def only_the_master(self) -> None:
        """Keep no hold on the other end, so that a hang-up is one."""
        os.close(self._slave)
        self._slave = -1

    def hang_up(self) -> None:
        for end in (self.master, self._slave):
            if end >= 0:
                os.close(end)
        self.master = self._slave = -1


@pytest.fixture
def pty() -> Iterator[Pty]:
    end = Pty()
    yield end
    end.hang_up()


def plug(monkeypatch: pytest.MonkeyPatch, *devices: Any) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: list(devices))


# Finding.


@pytest.mark.parametrize("where", ["/dev/ttyACM3", "socket://localhost:7000", "COM3"])
def test_a_path_or_url_is_taken_as_it_is(where: str) -> None:
    assert find(where) == where


@pytest.mark.parametrize("where", ["auto", "usb:2341:0042", "usb:2341:42:A1", "usb:2341:0042:A1"])
def test_a_board_is_found_by_its_id(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, BUILT_IN, MOUSE, MEGA)
    assert find(where) == "/dev/ttyACM0"


def test_where_nothing_fits_what_is_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, BUILT_IN, MOUSE)
    for where in ("auto", "usb:2341:0042", "usb:1234:5678:B2"):
        with pytest.raises(PortMissingError, match="usb:1234:5678 at /dev/ttyACM7"):
            find(where)


def test_where_nothing_is_plugged_in_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch)
    with pytest.raises(PortMissingError, match="devices here: none"):
        find("auto")


def test_where_several_fit_one_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, MEGA, COPY)
    with pytest.raises(WrongPortError, match=r"2 devices fit auto.*usb:2341:0042:A1 at /dev/ttyACM0, usb:1a86:7523 at"):
        find("auto")


@pytest.mark.parametrize("where", ["", "  ", "usb:", "usb:2341", "usb:23411:0042", "usb:xyz:0042"])
def test_what_cannot_be_a_port_is_a_mistake_of_input(where: str) -> None:
    with pytest.raises(WrongPortError) as caught:
        find(where)
    assert caught.value.exit_code == 2


# Opening.


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PortMissingError, match="is not there: plug the controller in"):
        connect(str(tmp_path / "ttyACM0"))


@pytest.mark.parametrize("path", ["/dev/null", "/"])
def test_what_is_no_serial_port(path: str) -> None:
    with pytest.raises(PortMissingError, match="cannot be used as a serial port"):
        connect(path)


def test_a_port_without_permission_says_how_to_get_it(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(PortDeniedError, match=r"sudo usermod -aG \w+ \$USER, then log in anew") as caught:
        connect(pty.path)
    assert caught.value.exit_code == 5


def test_a_second_opening_is_refused(pty: Pty) -> None:
    first = connect(pty.path)
    with pytest.raises(PortBusyError, match="is in use by another program: end that program"):
        connect(pty.path)
    first.close()
    connect(pty.path).close()


def test_the_program_that_has_the_port_is_named(pty: Pty) -> None:
    code = (
        "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, pty.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdin
        other.stdout.readline()
        assert any(f"(process {other.pid})" in holder for holder in holders(pty.path))
        with pytest.raises(PortBusyError, match=rf"\(process {other.pid}\)"):
            connect(pty.path)
        other.stdin.close()
    assert holders("/dev/no-such-thing") == []


def test_dtr_and_rts_are_down_before_the_port_is_opened(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = []
    open_it = serial.Serial.open

    def watched(port: Any) -> None:
        lines.append((port.dtr, port.rts, port.exclusive, port.baudrate))
        open_it(port)

    monkeypatch.setattr(serial.Serial, "open", watched)
    connect(pty.path).close()
    assert lines == [(False, False, True, 115_200)]


@pytest.mark.parametrize("where", ["loop://", "nonsense://x"])
def test_a_url_that_cannot_be_waited_on_is_refused(where: str) -> None:
    with pytest.raises(WrongPortError):
        connect(where)


def test_a_socket_is_a_port_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = connect(f"socket://127.0.0.1:{server.getsockname()[1]}")
        peer, _ = server.accept()
        with peer:
            port.send(b"to the table\0")
            assert peer.recv(100) == b"to the table\0"
            peer.sendall(b"to the host\0")
            assert port.wait(WAIT_MS) == b"to the host\0"
        with pytest.raises(LinkLostError):
            port.wait(WAIT_MS)
        port.close()


def test_nobody_at_a_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"socket://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(PortMissingError, match="cannot be used"):
        connect(name)


# Waiting and sending.


def test_bytes_pass_as_they_are_and_as_soon_as_they_come(pty: Pty) -> None:
    port = connect(pty.path)
    everything = bytes(range(256))
    os.write(pty.master, everything)
    came = b""
    while len(came) < 256:
        came += port.wait(WAIT_MS)
    assert came == everything
    assert port.wait(0) == b""
    port.send(everything)
    assert os.read(pty.master, 1000) == everything
    port.close()
    port.close()


def test_a_hang_up_is_a_lost_link(pty: Pty) -> None:
    port = connect(pty.path)
    pty.only_the_master()
    os.write(pty.master, b"last words")
    pty.hang_up()
    # The last words may still be read, or be gone with the line.
    with pytest.raises(LinkLostError, match="check the cable"):  # noqa: PT012
        while True:
            port.wait(WAIT_MS)
    with pytest.raises(LinkLostError):
        port.send(b"x")
    port.close()


def test_what_the_other_end_does_not_read_is_dropped_and_never_waited_for(pty: Pty) -> None:
    port = connect(pty.path)
    frame = b"\1" * 43 + b"\0"
    for _ in range(5000):
        port.send(frame)
    assert port.dropped > 1000
    stream = b""
    os.set_blocking(pty.master, False)
    for _ in range(3):
        with suppress(BlockingIOError):
            while True:
                stream += os.read(pty.master, 65_536)
        port.send(frame)
    # What was cut off went on where it stopped: only whole frames arrive.
    assert set(stream.split(b"\0")) <= {frame[:-1], b""}
    port.close()


# Adapters.


class Adapter:
    """A USB adapter's timer in a made-up sysfs, and what asking the port itself does to it."""

    def __init__(self, folder: Path, heeds: bool) -> None:
        self.timer = folder / "ttyUSB0" / "device" / "latency_timer"
        self.timer.parent.mkdir(parents=True)
        self.timer.write_text("16\n", encoding="ascii")
        self._heeds = heeds

    def set_low_latency_mode(self, on: bool) -> None:
        if not self._heeds:
            raise ValueError("not this one")
        assert on
        self.timer.write_text("1\n", encoding="ascii")


def test_an_adapter_is_made_quick_by_asking_its_port(tmp_path: Path) -> None:
    adapter = Adapter(tmp_path, heeds=True)
    assert quicken(adapter, "/dev/ttyUSB0", tmp_path) == ""


def test_an_adapter_is_made_quick_by_its_file(tmp_path: Path) -> None:
    adapter = Adapter(tmp_path, heeds=False)
    assert quicken(adapter, "/dev/ttyUSB0", tmp_path) == ""
    assert adapter.timer.read_text(encoding="ascii") == "1\n"


def test_an_adapter_that_stays_slow_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = Adapter(tmp_path, heeds=False)
    monkeypatch.setattr(Path, "write_text", denied_write)
    note = quicken(adapter, "/dev/ttyUSB0", tmp_path)
    assert "holds bytes for 16 ms" in note
    assert f"sudo tee {adapter.timer}" in note


def denied_write(*_: object, **__: object) -> int:
    raise PermissionError(errno.EACCES, "Permission denied")


def test_what_has_no_timer_needs_none(tmp_path: Path, pty: Pty) -> None:
    assert quicken(object(), pty.path, tmp_path) == ""
    port = connect(pty.path)
    assert port.notes == ()
    port.close()


def test_a_note_of_the_port_is_a_note_of_the_bridge(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "quicken", lambda *_: "it stays slow")
    with Behind(pty) as behind:
        assert behind.bridge.notes == ("it stays slow",)


# A whole link, in real time.


class RealClock:
    """The monotonic clock, in whole milliseconds."""

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


class Behind:
    """A scripted table that runs in a thread behind a pty, and a bridge to it."""

    def __init__(self, pty: Pty) -> None:
        self.pty = pty
        self.table = ScriptedTable()
        self.clock = RealClock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        os.set_blocking(self.pty.master, False)
        self._thread.start()
        try:
            self.bridge = SerialBridge.open(self.pty.path, CONSTANTS, self.clock)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.bridge.close()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        start_ms = self.clock.now_ms() - self.table.clock_ms
        while not self._over.wait(0.001):
            while self.table.clock_ms < self.clock.now_ms() - start_ms:
                self.table.tick()
            with suppress(BlockingIOError):
                self.table.take(os.read(self.pty.master, 4096))
            if self.table.out:
                with suppress(BlockingIOError):
                    os.write(self.pty.master, self.table.out)
                self.table.out = b""


def test_a_link_in_real_time_ends_with_a_yanked_cable(pty: Pty) -> None:
    with Behind(pty) as behind:
        pty.only_the_master()
        bridge, clock = behind.bridge, behind.clock
        numbers: set[int] = set()
        while len(numbers) < 20:
            readings = bridge.read(clock.now_ms() + 1000, Host())
            bridge.write(Command(-100, echo=readings.sequence), Signals())
            numbers.add(readings.sequence)
        behind.stop()
        assert len(behind.table.commands()) >= 10
        pty.hang_up()
        aged = [bridge.read(clock.now_ms() + 20, Host()).age_ms for _ in range(3)]
        assert isinstance(bridge.trouble, LinkLostError)
        assert aged == sorted(aged)
        bridge.write(Command(), Signals())


def test_the_far_end_of_a_pseudo_terminal_is_no_other_program(tmp_path: Path) -> None:
    device = tmp_path / "3"
    device.touch()
    for number, targets in ((101, [device]), (102, [device, Path("/dev/ptmx")])):
        folder = tmp_path / "proc" / str(number) / "fd"
        folder.mkdir(parents=True)
        (folder.parent / "comm").write_text("program\n", encoding="utf-8")
        for name, target in enumerate(targets):
            (folder / str(name)).symlink_to(target)
    assert holders(str(device), tmp_path / "proc") == ["program (process 101)"]
