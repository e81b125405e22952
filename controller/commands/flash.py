"""`inversion-table flash`: the microcontroller's program, written, verified, and asked for its version."""

import argparse
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from config.errors import DeviceMissingError, UsageError
from controller.arguments import add_example
from controller.voice import Voice

if TYPE_CHECKING:
    from firmware_bridge.codec import HelloReply

DESCRIPTION = """\
Write the guard's program into the Arduino Mega 2560 at a port, verify it byte for
byte, and ask it which version it is. Needs avrdude (apt-get install avrdude) and
nothing else: the image comes with this package.

Nobody may be on the table: the board is reset, its brake sets, and it answers no
button until the program is whole. Take out the capacitor, or bridge RESET-EN, that
keeps the port from resetting the board; put it back afterwards.
"""
NO_AVRDUDE: Final = "There is no avrdude: install it (apt-get install avrdude)."
SLOWEST_S: Final = 180
# The boot loader waits a second; then the program begins.
ANSWER_MS: Final = 10_000
ASK_EVERY_MS: Final = 250


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand; it sets `run`, which takes the parsed arguments and returns the exit code."""
    parser = subparsers.add_parser(
        "flash", help="write the guard's program into its microcontroller", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("port", metavar="PORT", help="a path such as /dev/ttyACM0, usb:2341:0042, or auto")
    parser.add_argument("--image", metavar="FILE", help="another image (default: the one of this package)")
    parser.add_argument("--yes", action="store_true", help="nobody is on the table: do not ask")
    add_example(parser, "inversion-table flash /dev/ttyACM0", "inversion-table flash auto --yes")
    parser.set_defaults(run=run_flash)


def run_flash(args: argparse.Namespace) -> int:
    """Write, verify, ask for the version; return 0.

    Raises:
        InversionTableError: image, tool, port or board do not allow it; it says what to do.
    """
    from firmware_bridge import ports
    from firmware_bridge.image import IMAGE, read_image

    voice = Voice()
    path = IMAGE if args.image is None else Path(args.image)
    length = len(read_image(path))
    tool = shutil.which("avrdude")
    if tool is None:
        raise DeviceMissingError(NO_AVRDUDE)
    # Whoever has the port open is found now, not by a board that is half written.
    ports.connect(args.port).close()
    name = ports.find(args.port)
    if not args.yes:
        _ask(voice)
    voice.say(f"writing {length:,} bytes to the board at {name}, and reading them back; about 15 s")
    _write(tool, name, path)
    voice.say("written and verified; asking the board")
    reply = _version(args.port)
    from firmware_bridge.greeting import cause, firmware, misfit

    if wrong := misfit(reply):
        raise wrong
    voice.hand_over(f"firmware {firmware(reply)}, boot {reply.boot_count}, after {cause(reply)}")
    return 0


def _ask(voice: Voice) -> None:
    """Have a person say that nobody is on the table. Raises UsageError."""
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked whether the table is empty: see that it is, and say so with --yes")
    voice.say("Is the table empty, and at level? Type yes to go on:")
    if sys.stdin.readline().strip().lower() != "yes":
        raise UsageError("not written: nobody said yes")


def _write(tool: str, name: str, path: Path) -> None:
    """Run avrdude, which verifies what it wrote. Raises DeviceMissingError with its own last word."""
    # -D: the boot loader erases page by page. "wiring" is what the Mega's boot loader speaks.
    words = [tool, "-q", "-p", "m2560", "-c", "wiring", "-P", name, "-b", "115200", "-D", "-U", f"flash:w:{path}:i"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SLOWEST_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeviceMissingError(
            f"avrdude did not end: {error}; see that {name} is the board, and try again"
        ) from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip() and "Thank you" not in line]
        last = said[-1].removeprefix("avrdude").lstrip(": ") if said else "it does not say why"
        raise DeviceMissingError(
            f"avrdude could not write the board at {name}: {last}: is it an Arduino Mega 2560, and does its port reset "
            "it (RESET-EN bridged, no capacitor at RESET)? Write it again before anything else: it may be half written"
        )


def _version(where: str) -> "HelloReply":
    """Ask until the board answers. Raises DeviceMissingError: it does not."""
    from firmware_bridge import ports
    from firmware_bridge.codec import HelloReply, HostCodec
    from firmware_bridge.frames import HostFrames

    port = ports.connect(where)
    try:
        codec, frames = HostCodec(), HostFrames(secrets.randbits(16))
        now_ms = asked_ms = time.monotonic_ns() // 1_000_000
        until_ms = now_ms + ANSWER_MS
        while now_ms < until_ms:
            # The table speaks all the time, so that a wait is short; its answer to one question takes a while.
            if now_ms >= asked_ms:
                nonce = secrets.randbits(32)
                codec.expect(nonce)
                port.send(frames.hello(nonce))
                asked_ms = now_ms + ASK_EVERY_MS
            for event in codec.feed(port.wait(ASK_EVERY_MS), now_ms):
                if isinstance(event, HelloReply):
                    return event
            now_ms = time.monotonic_ns() // 1_000_000
    finally:
        port.close()
    raise DeviceMissingError(
        f"the board at {port.name} was written and verified, and does not answer: switch it off and on, then see "
        "inversion-table doctor --profile mega-serial"
    )
