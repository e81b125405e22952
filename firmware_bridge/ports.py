"""Serial ports: found by USB id, path or URL, opened for us alone, waited on without polling; each failure has a name.

A port is written as
- `auto`: the only board or adapter of the known kinds that is plugged in;
- `usb:2341:0042` or `usb:2341:0042:SERIAL`: by USB id in hexadecimal, and serial number where there are several;
- a path such as `/dev/ttyACM0`;
- a URL of pyserial's whose port can be waited on, such as `socket://host:port`.
"""

import contextlib
import errno
import os
import re
import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import serial
from serial.tools import list_ports

from firmware_bridge.errors import (
    LinkLostError,
    PortBusyError,
    PortDeniedError,
    PortMissingError,
    WrongPortError,
)
from firmware_bridge.protocol import BAUD

# Arduino Mega 2560 of several makers, and the adapters that its copies carry.
KNOWN: Final = {
    (0x2341, 0x0042): "Arduino Mega 2560",
    (0x2341, 0x0010): "Arduino Mega 2560",
    (0x2A03, 0x0042): "Arduino Mega 2560",
    (0x2A03, 0x0010): "Arduino Mega 2560",
    (0x0403, 0x6001): "FTDI adapter",
    (0x1A86, 0x7523): "CH340 adapter",
    (0x10C4, 0xEA60): "CP210x adapter",
}
READ_AT_ONCE: Final = 4096
QUICK_MS: Final = 1
_USB: Final = re.compile(r"usb:([0-9a-f]{1,4}):([0-9a-f]{1,4})(?::(.+))?", re.IGNORECASE)
_BROKEN: Final = select.POLLHUP | select.POLLERR | select.POLLNVAL if hasattr(select, "poll") else 0


def find(where: str) -> str:
    """Return the path or URL that `where` means.

    Raises:
        WrongPortError: it cannot be a port, or several devices fit.
        PortMissingError: no device fits; those that are there are named.
    """
    if not where.strip():
        raise WrongPortError("no port was named: write auto, usb:VID:PID, a path such as /dev/ttyACM0, or a URL")
    by_id = _USB.fullmatch(where)
    if where.startswith("usb:") and not by_id:
        raise WrongPortError(f"{where} is no USB id: write it as usb:2341:0042, or usb:2341:0042:SERIAL")
    if where != "auto" and not by_id:
        return where
    plugged = [port for port in list_ports.comports() if port.vid is not None]
    if by_id:
        wanted, number = (int(by_id[1], 16), int(by_id[2], 16)), by_id[3]
        fitting = [p for p in plugged if (p.vid, p.pid) == wanted and (number is None or p.serial_number == number)]
    else:
        fitting = [port for port in plugged if (port.vid, port.pid) in KNOWN]
    if not fitting:
        there = ", ".join(f"{_id_of(port)} at {port.device}" for port in plugged) or "none"
        raise PortMissingError(
            f"no device fits {where}: plug the table's controller in and switch it on; USB serial devices here: {there}"
        )
    if len(fitting) > 1:
        listed = ", ".join(f"{_id_of(port)} at {port.device}" for port in fitting)
        raise WrongPortError(f"{len(fitting)} devices fit {where}: name one of {listed}")
    return str(fitting[0].device)


def _id_of(port: Any) -> str:
    number = f":{port.serial_number}" if port.serial_number else ""
    return f"usb:{port.vid:04x}:{port.pid:04x}{number}"


class SerialPort:
    """One open port.

    Attributes:
        name: the path or URL.
        notes: sentences for people about what could not be set.
        dropped: frames that were not sent because those before were still on their way.
    """

    def __init__(self, name: str, port: Any) -> None:
        """Take over a port that pyserial opened; `connect` does so."""
        self.name = name
        self.notes: tuple[str, ...] = ()
        self.dropped = 0
        self._port = port
        self._fd = port.fileno()
        self._is_stream = not os.isatty(self._fd)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._rest = b""

    def wait(self, wait_ms: int) -> bytes:
        """Return what came, as soon as something comes; nothing if nothing does within `wait_ms`.

        Raises:
            LinkLostError: the port is gone.
        """
        ready = self._poll.poll(wait_ms)
        if not ready:
            return b""
        try:
            data = os.read(self._fd, READ_AT_ONCE)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(error) from error
        # A hang-up may still have bytes to read before it; a stream that is ready and has none has ended.
        if not data and (self._is_stream or ready[0][1] & _BROKEN):
            raise self._lost(None)
        return data

    def send(self, frame: bytes) -> None:
        """Send a frame without waiting; if the one before is still on its way, this one is dropped.

        A command that comes late is worth nothing: the next one is newer.

        Raises:
            LinkLostError: the port is gone.
        """
        try:
            if self._rest:
                self._rest = self._rest[os.write(self._fd, self._rest) :]
                if self._rest:
                    self.dropped += 1
                    return
            self._rest = frame[os.write(self._fd, frame) :]
        except BlockingIOError:
            self.dropped += 1
        except OSError as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Let the port go; doing so twice is allowed."""
        if self._fd >= 0:
            self._fd = -1
            # What is already gone need not be closed.
            with contextlib.suppress(OSError, serial.SerialException):
                self._port.close()

    def _lost(self, error: OSError | None) -> LinkLostError:
        why = f" ({error.strerror})" if error and error.strerror else ""
        return LinkLostError(f"{self.name} is gone{why}: check the cable and that the controller has power")


def connect(where: str) -> SerialPort:
    """Find and open a port for us alone, with DTR and RTS down, and make it quick.

    Raises:
        WrongPortError, PortMissingError, PortDeniedError, PortBusyError: each says what to do.
    """
    if not hasattr(select, "poll"):
        raise PortMissingError("this system cannot wait on a serial port: use Linux or macOS")
    name = find(where)
    try:
        port = serial.serial_for_url(name, do_not_open=True, baudrate=BAUD, timeout=0, write_timeout=0, exclusive=True)
        # Some boards take DTR for a reset; the system raises it for a moment all the same, see docs/protocol.md.
        port.dtr = False
        port.rts = False
        port.open()
    except ValueError as error:
        raise WrongPortError(f"{name} is no port: {error}") from error
    except OSError as error:
        raise _not_opened(name, error) from error
    try:
        opened = SerialPort(name, port)
    except (AttributeError, OSError) as error:
        port.close()
        raise WrongPortError(f"{name} cannot be waited on: write a path, or socket://HOST:PORT") from error
    note = quicken(port, name)
    opened.notes = (note,) if note else ()
    return opened


def _not_opened(name: str, error: OSError) -> Exception:
    """Return what an opening that failed means."""
    number = error.errno
    if number in (errno.EACCES, errno.EPERM):
        return PortDeniedError(
            f"{name} may not be opened by this user: sudo usermod -aG {_group_of(name)} $USER, then log in anew"
        )
    if number in (errno.EBUSY, errno.EAGAIN):
        return PortBusyError(f"{name} is in use{_told(holders(name))}: end that program, then start again")
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO):
        return PortMissingError(f"{name} is not there: plug the controller in, check the cable, or name another port")
    return PortMissingError(f"{name} cannot be used as a serial port: {error}")


def _group_of(name: str) -> str:
    with contextlib.suppress(ImportError, OSError, KeyError):
        import grp

        return grp.getgrgid(Path(name).stat().st_gid).gr_name
    return "dialout"


def _told(programs: list[str]) -> str:
    return f" by {' and '.join(programs)}" if programs else " by another program"


def holders(name: str, processes: Path = Path("/proc")) -> list[str]:
    """Return the programs that have a port open beside us, as `minicom (process 123)`; empty where nobody can tell."""
    with contextlib.suppress(OSError):
        device = Path(name).resolve()
        return list(_holders(device, processes))
    return []


def _holders(device: Path, processes: Path) -> Iterator[str]:
    for process in processes.iterdir():
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        # Other users' processes cannot be looked into, and any may end meanwhile.
        with contextlib.suppress(OSError):
            links = [link.readlink() for link in (process / "fd").iterdir()]
            # Whoever made a pseudo-terminal is its far end, a simulated table, and in nobody's way.
            if device in links and not any(link.name == "ptmx" for link in links):
                command = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                yield f"{command} (process {process.name})"


def quicken(port: Any, name: str, devices: Path = Path("/sys/class/tty")) -> str:
    """Have a USB adapter pass on what comes within 1 ms; return a sentence where that cannot be set, else nothing.

    FTDI adapters keep bytes for 16 ms unless told otherwise; others have no such timer.
    """
    timer = devices / Path(name).resolve().name / "device" / "latency_timer"
    with contextlib.suppress(OSError, ValueError):
        if int(timer.read_text(encoding="ascii")) <= QUICK_MS:
            return ""
        # Without rights on the file, the port itself may be asked.
        with contextlib.suppress(OSError, ValueError, NotImplementedError, AttributeError):
            port.set_low_latency_mode(True)
        if int(timer.read_text(encoding="ascii")) <= QUICK_MS:
            return ""
        with contextlib.suppress(OSError):
            timer.write_text(f"{QUICK_MS}\n", encoding="ascii")
        left_ms = int(timer.read_text(encoding="ascii"))
        if left_ms > QUICK_MS:
            return (
                f"the USB adapter of {name} holds bytes for {left_ms} ms, so stops come later by as much: "
                f"echo {QUICK_MS} | sudo tee {timer}"
            )
    return ""
