"""A clean start of the control process: everything is looked at before anything could move, and nothing moves.

Profile, limits, way, wiring and commissioning, screening list, the last run's records, then the table's own firmware
and constants, which the link asks for. Whatever is wrong is one sentence, and an exit code.
"""

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from config.errors import ConfigurationError, RefusedError, UsageError
from config.limits import Limits
from config.loading import load_screening, load_source
from config.names import known
from config.plan import Plan
from config.profile import Profile
from controller.commands.ways import AT_PANEL, MACHINE_CODE, Way
from controller.loop import Clock
from controller.messages import VERSION, Welcome
from controller.real_table import SLACK_S
from controller.realtime import RealTime
from controller.service import Records, Served
from controller.visits import Rules
from firmware_bridge.bridge import Bridge
from safety.signals import Host, Region

NEVER_IN_PROCESS: Final = (
    "the table in this program has a time of its own and serves nobody: take --table wire, which starts a simulated "
    "table that runs by itself, or a profile whose bridge is serial or gpio"
)
BELOW: Final = (Region.BELOW, Region.INVERTED, Region.UNKNOWN)
MOST_RUNS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """A table that was reached, whatever the way to it.

    `hands` is the path of a simulated table's switches, empty on a real one; `found` says that it was there before,
    from an earlier run. `lost` tells why nothing more can come of it. `leave` lets it go; `end` ends a simulated one.
    """

    bridge: Bridge
    clock: Clock
    guard: str
    host: Host
    simulated: bool
    hands: str = ""
    found: bool = False
    news: Callable[[], list[str]] = list
    trouble: Callable[[], str] = str
    lost: Callable[[], str] = str
    leave: Callable[[], None] = lambda: None
    end: Callable[[], None] = lambda: None


def label_ms() -> int:
    """Return the wall clock, in milliseconds since 1970: a label, judged once, at arming."""
    return time.time_ns() // 1_000_000  # noqa: TID251 label: events, and the date of arming


def refuse_misfits(way: Way, profile: Profile, declared: str | None, offer: str | None) -> None:
    """Refuse what does not go together. Raises UsageError, with what to do."""
    if way.kind == "in-process":
        raise UsageError(NEVER_IN_PROCESS)
    if way.kind == MACHINE_CODE:
        raise UsageError(
            "the table with the microcontroller's own program is for sessions and tests: write inversion-table session "
            "--table machine-code, or serve --table wire"
        )
    if offer is not None and way.kind != "wire":
        raise UsageError(
            "--offer is for a simulated table: a real one gets its plans from the console, or from the screening list "
            "at its panel (--declared panel)"
        )
    if declared not in (None, AT_PANEL):
        raise UsageError("--declared takes the word panel here: each person answers the screening list at the panel")
    if declared is not None and "declared" not in profile.session.issuers:
        raise UsageError(
            f"the profile {profile.name} accepts no declared permits, so nobody could be armed by --declared panel: "
            "leave it out, or add declared to the issuers of the profile's session table"
        )


def of_real_table(way: Way, profile: Profile, state: Path) -> AtHand:
    """Return a table at a serial port or on this computer's own pins. Raises InversionTableError."""
    if way.kind == "gpio":
        from controller.gpio_table import open_gpio

        opened = open_gpio(profile, None, AT_PANEL, state)
    else:
        from controller.real_table import open_serial

        opened = open_serial(way.where, profile, None, AT_PANEL, state)

    def trouble() -> str:
        found = getattr(opened.bridge, "trouble", None)
        return "" if found is None else str(found)

    return AtHand(
        bridge=opened.bridge,
        clock=opened.clock,
        guard=opened.guard,
        host=opened.host,
        simulated=False,
        news=opened.news,
        trouble=trouble,
        leave=opened.close,
    )


def plans_for(limits: Limits) -> tuple[list[Plan], list[Any]]:
    """Return every plan that this table allows, the mildest first, and all that clients may read of them."""
    from config.reading import parse

    plans, told = [], []
    for source in known("plan"):
        try:
            plan = load_source(Plan, source)
        except ConfigurationError:
            continue
        if list(plan.contradictions(limits, "")):
            continue
        plans.append(plan)
        told.append({"name": plan.name, "title": plan.title, "hash": plan.hash, "plan": parse(source.read(), "")})
    order = sorted(range(len(plans)), key=lambda place: (-plans[place].cap_cdeg, plans[place].hold_s))
    return [plans[place] for place in order], [told[place] for place in order]


def unfinished(state: Path, table_id: str) -> tuple[bool, str]:
    """Return whether the last run ended in the middle of something (H29), and what people are told of it.

    Records that cannot be read say nothing good.
    """
    from controller.journal import JournalError, last_run

    try:
        last = last_run(state, table_id)
    except JournalError as error:
        return True, f"What the run before this one came to is not known: {error}."
    if last is None or last.left:
        return False, ""
    seen = last.snapshot
    cut = last.visit is not None or (seen is not None and seen.decision.region in BELOW)
    return cut, "The run before this one did not leave as it should: it was killed, or lost its power."


def newest_label_s(state: Path, table_id: str) -> int:
    """Return when the newest record of this table was written, in seconds since 1970; 0 without any."""
    from controller.real_table import newest_record_s

    newest = newest_record_s(state)
    for path in (state / "journal").glob(f"{table_id}.sqlite3*"):
        try:
            newest = max(newest, int(path.stat().st_mtime))
        except OSError:
            continue
    return newest


def served(
    profile: Profile,
    limits: Limits,
    table: AtHand,
    at_panel: bool,
    records: Records | None,
    boot: str,
    newest_s: int,
    cut_off: bool,
    real_time: RealTime,
) -> Served:
    """Put together all that the service has to know."""
    from importlib.metadata import version

    plans, told = plans_for(limits)
    screening = load_screening()
    if at_panel and not plans:
        raise RefusedError("no plan that is known here fits this table, so there is none to choose at its panel")
    program = f"inversion-table {version('inversion-table')}"
    welcome = Welcome(
        version=VERSION,
        program=program,
        table_id=profile.table_id,
        title=profile.title,
        profile=profile.name,
        guard=table.guard,
        boot=boot,
        pid=os.getpid(),
        simulated=table.simulated,
        hands=table.hands,
    )
    return Served(
        bridge=table.bridge,
        clock=table.clock,
        limits=limits,
        host=msgspec.structs.replace(table.host, records_ok=False, unfinished=cut_off),
        rules=Rules(
            held_tilt=profile.session.held_tilt,
            strap_wait=profile.session.strap_wait,
            screening=screening if at_panel else None,
            plans=plans,
            salt=int(boot, 16) % MOST_RUNS * MOST_RUNS,
        ),
        welcome=welcome,
        wall_ms=label_ms,
        records=records,
        clock_ok=lambda wall_s: wall_s >= newest_s - SLACK_S,
        news=table.news,
        trouble=table.trouble,
        real_time=lambda: real_time.told,
        on_armed=real_time.armed,
        manual_return_text=profile.manual_return_text,
        about={
            "program": program,
            "profile": profile.name,
            "profile_hash": profile.hash,
            "guard": table.guard,
            "boot": boot,
            "pid": os.getpid(),
            "found_table": int(table.found),
            "unfinished": int(cut_off),
        },
        configuration={
            "profile": profile.model_dump(mode="json"),
            "limits": asdict(limits),
            "screening": {"version": screening.version, "title": screening.title, "items": len(screening.items)},
            "plans": told,
        },
    )


def new_boot() -> str:
    """Return a name for this run of the control process: hexadecimal, and never the same."""
    return uuid.uuid4().hex
