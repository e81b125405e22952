"""A real table at a serial port, opened for one session: one controller at a time, and by a supervisor's declaration.

Nobody is simulated here: people work the table's own switches, and the permit is always `declared`.
"""

import sys
import time
from pathlib import Path
from typing import Final

from config.loading import load_screening
from config.plan import Plan
from config.profile import Profile
from controller import declaring, proven
from controller.commands.ways import AT_PANEL
from controller.locks import Lock
from controller.permits import declared
from controller.places import socket_folder
from controller.runner import OpenedTable
from controller.voice import Voice
from firmware_bridge.clock import MonotonicClock
from firmware_bridge.news import LineNews
from firmware_bridge.protocol import TableConstants
from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import Host, Permit

# What the guard's host build says it is; a microcontroller has a version of its own.
NO_MICROCONTROLLER: Final = "0.0.0"
SLACK_S: Final = 60


def open_serial(where: str, profile: Profile, plan: Plan | None, declared_by: str | None, state: Path) -> OpenedTable:
    """Take the port, ask for the declaration, and return the table.

    `declared_by` is a file, `panel` for the panel's own questions, or None for the terminal; `plan` is what is then
    asked for, and not needed with `panel`.

    The port is tried before anybody is asked, since nobody wants to answer thirty questions to a table that is not
    there; it is let go meanwhile, because a line that nobody reads for minutes is a line that was lost.

    Raises:
        HeldError: another controller has this table.
        DeviceMissingError, RefusedError: of the link, each by name; or the table was not proven at commissioning; or
            the declaration speaks against the person.
        UsageError: nobody can be asked, or a file is wrong.
    """
    proven.require(profile, None, pins=False)
    wall_s = int(time.time())  # noqa: TID251 label: the day of commissioning and declaration, judged once, at arming
    voice = Voice()
    at_panel = declared_by == AT_PANEL
    declaration = None if declared_by is None or at_panel else declaring.from_file(declared_by)
    asks = declaration is None and not at_panel
    if asks and (sys.stdin is None or voice.people is None or not sys.stdin.isatty()):
        declaring.refuse_to_ask()
    lock = Lock(socket_folder(state), profile.table_id, f"the table {profile.table_id}")
    try:
        clock = MonotonicClock()
        constants = TableConstants.of(profile.limits(), brake_on_motor_side=profile.brake.side == "motor")
        screening = load_screening()
        if asks:
            assert voice.people is not None
            assert plan is not None
            _connect(where, profile, constants, clock, wall_s).close()
            declaration = declaring.at_terminal(screening, plan, sys.stdin, voice.people)
        permit = None if declaration is None or plan is None else declared(plan, screening, declaration, wall_s)
        bridge = _connect(where, profile, constants, clock, wall_s)
    except BaseException:
        lock.close()
        raise

    def close() -> None:
        bridge.close()
        lock.close()

    def permit_for(other: Plan) -> Permit:
        assert declaration is not None
        return declared(other, screening, declaration, wall_s)

    return OpenedTable(
        bridge=bridge,
        clock=clock,
        guard="host build" if bridge.firmware == NO_MICROCONTROLLER else "microcontroller",
        permit=permit,
        host=Host(clock_ok=wall_s >= newest_record_s(state) - SLACK_S, config_ok=True, wall_s=wall_s, records_ok=True),
        observers=(),
        truth=None,
        gave_up=str,
        unreached=list,
        real_time=True,
        news=LineNews(bridge).take,
        close=close,
        permit_for=None if declaration is None else permit_for,
    )


def _connect(
    where: str, profile: Profile, constants: TableConstants, clock: MonotonicClock, wall_s: int
) -> SerialBridge:
    """Open the line; a real table whose proof has become too old is let go again. Raises InversionTableError."""
    bridge = SerialBridge.open(where, constants, clock)
    try:
        if bridge.firmware != NO_MICROCONTROLLER:
            # A simulated table does not wear out; whether this is one, its own program says.
            proven.require(profile, wall_s, pins=False)
    except BaseException:
        bridge.close()
        raise
    return bridge


def newest_record_s(state: Path) -> int:
    """Return when the newest result was written here, in seconds since 1970; 0 without any."""
    newest = 0.0
    for result in (state / "runs").glob("*/result.json"):
        try:
            newest = max(newest, result.stat().st_mtime)
        except OSError:
            continue
    return int(newest)
