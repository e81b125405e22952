"""The simulated table in a process of its own, for any program that can open a serial port: `inversion-table sim`.

A composition root: the table, its line and its hands are put together here, and end when a signal comes.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from controller.locks import Lock
    from sim.wire import PseudoTerminal

MOST_TABLES: Final = 99
GUARDS: Final = {"wire": "host build", "machine-code": "machine code"}
"""What the guard of each simulated table is."""


def run_sim(args: argparse.Namespace) -> int:
    """Run a table until a signal comes; return 0.

    Raises:
        InversionTableError: arguments or machine do not allow it.
    """
    from config.errors import UnknownNameError
    from config.loading import load_profile
    from controller.places import socket_folder, state_folder, write_whole
    from controller.voice import Voice
    from firmware_bridge.guard_build import prepare_guard
    from sim.body import Person
    from sim.faults.schedule import FaultSchedule
    from sim.living import record_of
    from sim.machine_code.table import MachineTable, build_machine
    from sim.wired import WiredTable, build_wired

    if args.table not in GUARDS:
        raise UnknownNameError("simulated table", args.table, list(GUARDS))
    guard = GUARDS[args.table]
    profile = load_profile(args.profile)
    voice = Voice()
    if args.table == "wire":
        prepare_guard(voice.say)
    body = Person(**args.patient)
    build: Callable[..., WiredTable | MachineTable] = build_wired if args.table == "wire" else build_machine
    table = build(
        profile,
        seed=args.seed,
        mass_kg=body.mass_kg,
        height_cm=body.height_cm,
        offset_cm=body.offset_cm,
        start_deg=args.at_deg,
    )
    table.each_ms.append(FaultSchedule(table).pass_to)
    line = _pseudo_terminal()
    try:
        from sim.wire import WireServer, real_ms
        from sim.wire_hands import HandsServer

        folder = socket_folder(state_folder(args.state))
        name, lock = _free_name(folder, profile.table_id)
        with lock:
            hands = HandsServer(folder / f"{name}.hands.sock", table, real_ms)
            record = None
            try:
                server = WireServer(table, line, hands, alone_ms=args.outlive and args.outlive * 1000)

                def end(_number: int, _frame: FrameType | None) -> None:
                    server.stop()

                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    if signal.getsignal(number) is not signal.SIG_IGN:
                        signal.signal(number, end)
                told = {"path": line.path, "hands": str(hands.path), "table": name, "pid": os.getpid()}
                if args.outlive:
                    # Before anybody is told: whoever started this may be gone by then, and the next one looks here.
                    record = record_of(folder, profile.table_id)
                    write_whole(record, json.dumps(told))
                voice.say(f"{profile.title}: {line.path}, guard: {guard}; its hands: {hands.path}; Ctrl-C ends it")
                voice.hand_over(json.dumps(told | {"guard": guard}) if args.json else line.path)
                server.run(sys.stdin.fileno() if args.attached else None)
            finally:
                if record is not None:
                    record.unlink(missing_ok=True)
                hands.close()
    finally:
        line.close()
    return 0


def _pseudo_terminal() -> "PseudoTerminal":
    from config.errors import DeviceMissingError

    try:
        from sim.wire import PseudoTerminal
    except ImportError:
        raise DeviceMissingError("this system has no pseudo-terminals: use Linux or macOS") from None
    try:
        return PseudoTerminal()
    except OSError as error:
        raise DeviceMissingError(f"the system gives no pseudo-terminal: {error.strerror or error}") from error


def _free_name(folder: Path, table_id: str) -> "tuple[str, Lock]":
    """Return a name that no running table has: the profile's own, else with a number behind it."""
    from controller.locks import HeldError, Lock

    number = 1
    while True:
        name = table_id if number == 1 else f"{table_id}-{number}"
        try:
            return name, Lock(folder, f"{name}.hands", f"the simulated table {name}")
        except HeldError:
            number += 1
            if number > MOST_TABLES:
                raise
