"""A real table on this computer's own pins, opened for one session: proven, declared, and in one controller's hands.

Nobody is simulated here: people work the table's own switches, and the permit is declared or given at the panel.
"""

import sys
import time
from pathlib import Path
from typing import Any, Final

from config.errors import UsageError
from config.loading import load_screening
from config.plan import Plan
from config.profile import Profile
from controller import declaring, proven
from controller.commands.ways import AT_PANEL
from controller.locks import Lock
from controller.permits import Declaration, declared
from controller.places import socket_folder
from controller.real_table import SLACK_S, newest_record_s
from controller.runner import OpenedTable
from controller.voice import Voice
from firmware_bridge.clock import MonotonicClock
from firmware_bridge.gpio_bridge import GpioBridge, WaitingClock
from firmware_bridge.gpio_news import PinNews
from safety.signals import Host, Permit

# One Pi, one set of pins: whatever the tables are called, only one controller has them.
PINS_LOCK: Final = "gpio"


def open_gpio(
    profile: Profile,
    plan: Plan | None,
    declared_by: str | None,
    state: Path,
    *,
    clock: WaitingClock | None = None,
    factory: Any = None,
    wall_s: int | None = None,
) -> OpenedTable:
    """Take the pins, ask for the declaration, and return the table.

    `declared_by` is a file, `panel` for the panel's own questions, or None for the terminal. The pins are opened once
    before anybody is asked thirty questions, and let go meanwhile. `clock`, `factory` and `wall_s` are this machine's,
    unless a test gives others.

    Raises:
        HeldError: another controller has these pins.
        RefusedError: the table was not proven at commissioning, or the declaration speaks against the person.
        DeviceMissingError: a library, a pin or SPI is not there.
        UsageError: nobody can be asked, a file is wrong, or the profile is of a table somewhere else.
    """
    if profile.gpio is None:
        raise UsageError(
            f"the profile {profile.name} is of a table that is reached by {profile.bridge}, not at this computer's own "
            "pins: take another profile (pi-gpio shows how), or another --table"
        )
    if wall_s is None:
        wall_s = int(time.time())  # noqa: TID251 label: the day of commissioning and declaration, judged once, at arming
    proven.require(profile, wall_s, pins=True)
    voice = Voice()
    at_panel = declared_by == AT_PANEL
    said: Declaration | None = None
    if declared_by is not None and not at_panel:
        said = declaring.from_file(declared_by)
    asks = said is None and not at_panel
    if asks and (sys.stdin is None or voice.people is None or not sys.stdin.isatty()):
        declaring.refuse_to_ask()
    screening = load_screening()
    clock = MonotonicClock() if clock is None else clock
    folder = socket_folder(state)
    lock = Lock(folder, PINS_LOCK, "this computer's pins")
    try:
        if asks:
            assert voice.people is not None
            assert plan is not None
            GpioBridge.open(profile, clock, folder / "lgpio", factory).close()
            said = declaring.at_terminal(screening, plan, sys.stdin, voice.people)
        permit = None if said is None or plan is None else declared(plan, screening, said, wall_s)
        bridge = GpioBridge.open(profile, clock, folder / "lgpio", factory)
    except BaseException:
        lock.close()
        raise

    def close() -> None:
        try:
            bridge.close()
        finally:
            lock.close()

    def permit_for(other: Plan) -> Permit:
        assert said is not None
        return declared(other, screening, said, wall_s)

    return OpenedTable(
        bridge=bridge,
        clock=clock,
        guard="none",
        permit=permit,
        host=Host(
            clock_ok=wall_s >= newest_record_s(state) - SLACK_S,
            # Asked once more: whoever comes here by another way is refused by the judge (H30).
            config_ok=not proven.reasons(profile, wall_s, pins=True),
            wall_s=wall_s,
            records_ok=True,
        ),
        observers=(),
        truth=None,
        gave_up=str,
        unreached=list,
        real_time=True,
        news=PinNews(bridge).take,
        close=close,
        permit_for=None if said is None else permit_for,
    )
