"""`inversion-table session`: one plan on one table, watched to its end, with result, trace and picture."""

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from controller.arguments import add_example, read_patient, read_seed, read_speed, typed
from controller.commands.ways import AT_PANEL

if TYPE_CHECKING:
    from config.limits import Limits
    from config.plan import Plan
    from config.profile import Profile
    from controller.commands.ways import Way
    from controller.progress import Heading
    from controller.runner import OpenedTable

DESCRIPTION = """\
Run one session: straps close, the table tilts, holds, returns to level and
rests. On a simulated table, simulated people do what people must do.

--table in-process   the simulated table in this program, in virtual time
--table wire         the same in a process of its own behind a serial line, in
                     real time; this command starts it
--table serial:PORT  a real table: PORT is auto, usb:2341:0042, a path or a URL
--table gpio         a real table at this computer's own pins

At a real table a supervisor answers the screening list: at the terminal, in a
file (--declared FILE) or by the panel's buttons (--declared panel).

On a terminal of 80x23 or more the panel is shown: state, angle, lamps, what is
wrong and what to do now. At a simulated table its keys work, hold to run:
  t TILT     u RAISE     r RETURN    s STOP     space PRESENCE
  a ACK      A RESET     c CONFIRM   + - plan   p patient's own button
  1 2 straps             e e-stop    m crank    Ctrl-C back to level, then end
Simulated people do the visit until a key is pressed; from then on whoever
pressed it is the supervisor, in real time. No key moves a real table.

At the end come a summary, a trace (CSV), a picture (SVG) and the result (JSON),
in a folder that is named. Ctrl-C brings the patient back first.
"""
EXITS = """\
exit codes:
  0  completed as planned, patient at level
  2  a mistake in arguments or files; nothing moved
  3  ended by the safety layer, patient at level
  4  refused to start, with every reason
  5  a needed device or tool is not there
  6  ended by a person, patient at level
  7  the patient is not at level: somebody must act now
"""


class Simulation(Protocol):
    """What only the simulation knows; `controller.app` brings it."""

    def faults(self) -> list[dict[str, Any]]:
        """List every fault, as `inversion-table faults --json` does."""
        ...

    def parse_fault(self, text: str) -> object:
        """Read a fault as written on the command line. Raises UsageError."""
        ...

    def open(
        self, profile: "Profile", plan: "Plan", seed: int, patient: dict[str, float], faults: Sequence[Any]
    ) -> "OpenedTable":
        """Build a simulated table with people around it. Raises UsageError."""
        ...


class FarSimulation(Protocol):
    """The simulated table in another process; `controller.app` brings it."""

    def open(
        self,
        profile: "Profile",
        plan: "Plan",
        seed: int,
        patient: dict[str, float],
        faults: Sequence[Any],
        options: Sequence[str],
    ) -> "OpenedTable":
        """Start it, with these further options, and put people around it. Raises InversionTableError."""
        ...


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand; `args.simulation` and `args.wire` bring simulated tables."""
    parser = subparsers.add_parser(
        "session", help="run one session and watch it", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument(
        "--profile", metavar="NAME|FILE", help="the table (default: simulated; with --table wire: wire)"
    )
    parser.add_argument("--plan", metavar="NAME|FILE", default="first-visit", help="the plan (default: %(default)s)")
    parser.add_argument(
        "--choose",
        metavar="PLAN",
        nargs="*",
        help="plans to choose from on the panel with its plan keys, beside --plan (none named: all that `plans` lists)",
    )
    parser.add_argument("--table", metavar="KIND", help="the way to it, see above (default: the profile's)")
    parser.add_argument("--seed", metavar="N", type=typed(read_seed), default=0, help="one seed, one run (default: 0)")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument(
        "--speed", metavar="N", type=typed(read_speed), help="times real time, 0.1 … 1000 (default: 1); in-process"
    )
    pace.add_argument("--fast", action="store_true", help="virtual time: do not wait at all; in-process")
    parser.add_argument(
        "--patient",
        metavar="KEY=VALUE,…",
        type=typed(read_patient),
        default={},
        help="the simulated body: mass_kg=75,height_cm=175,offset_cm=3 (centre of mass from the pivot, + to the head)",
    )
    parser.add_argument(
        "--fault",
        metavar="NAME@WHEN",
        action="append",
        default=[],
        help="what goes wrong, and when: NAME@WHEN[+DURATION][:key=value,…]; repeatable; see: inversion-table faults",
    )
    parser.add_argument(
        "--by-hand",
        action="store_true",
        help="a simulated table: nobody simulated works the panel, whoever is at the keyboard does; the patient stays",
    )
    parser.add_argument(
        "--declared",
        metavar="FILE|panel",
        help="the answers to the screening list (a real table), or panel: they are given there (simulated people too)",
    )
    parser.add_argument("--out", metavar="DIR", help="where the files go (default: a new folder under the state)")
    parser.add_argument("--state", metavar="DIR", help="where state is kept (default: the user's own)")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object on stdout")
    add_example(
        parser,
        "inversion-table session --plan first-visit --speed 10",
        "inversion-table session --plan standard --fast --json --out run1",
        "inversion-table session --fast --fault strap-opens@holding+5s:side=left",
        "inversion-table session --by-hand --choose --declared panel",
        "inversion-table session --table serial:auto --profile my-table.toml --declared today.toml",
    )
    parser.epilog = f"{parser.epilog}\n\n{EXITS}"
    parser.set_defaults(run=run_session)


def run_session(args: argparse.Namespace) -> int:
    """Run one session; return its exit code.

    Raises:
        InversionTableError: arguments, files or device do not allow a session; nothing moved.
    """
    from config.loading import load_plan, load_profile, load_screening
    from controller.commands.session_end import finish
    from controller.commands.ways import FAR, refuse_misfits, way_of
    from controller.panel_screening import what_is_asked
    from controller.places import run_folder, state_folder
    from controller.recording import Recorder
    from controller.runner import Pace
    from controller.session import Session
    from controller.watch import watch

    name = args.profile or ("wire" if args.table in FAR else "simulated")
    profile = load_profile(name)
    limits = profile.limits()
    plan = load_plan(args.plan, limits)
    plans = _choice(args.choose, limits)
    way = way_of(args.table, profile)
    refuse_misfits(way, args)
    faults = [args.simulation.parse_fault(text) for text in args.fault]
    state = state_folder(args.state)
    table = _opened(way, args, profile, plan, faults, state)
    at_panel = args.declared == AT_PANEL
    screening = load_screening()
    try:
        folder = run_folder(args.out, state, plan.name, args.seed)
        session = Session(
            table.bridge,
            table.clock,
            plan,
            limits,
            None if at_panel else table.permit,
            table.host,
            plans=plans,
            permit_for=table.permit_for,
            screening=screening if at_panel else None,
            held_tilt=profile.session.held_tilt,
            strap_wait=profile.session.strap_wait,
        )
        recorder = Recorder(table.truth)
        speed = None if args.fast else args.speed or 1.0
        asked_by = watch(
            session,
            table,
            recorder,
            Pace(speed, real_time=table.real_time),
            _heading(plan, profile, args, way, table),
            in_place=speed is not None,
            by_hand=args.by_hand,
            question=lambda wish: what_is_asked(screening, wish),
        )
        return finish(args, session, table, recorder, folder, asked_by, profile, str(way))
    finally:
        table.close()


def _choice(names: list[str] | None, limits: "Limits") -> list["Plan"]:
    """Return the plans to choose from: those named, or all that are known; none where nothing is to be chosen.

    Raises:
        InversionTableError: a named plan is wrong, or does not fit these limits.
    """
    from config.errors import ConfigurationError
    from config.loading import load_plan, load_source
    from config.names import known
    from config.plan import Plan

    if names is None:
        return []
    if names:
        return [load_plan(name, limits) for name in names]
    plans = []
    for source in known("plan"):
        # Which of them this table and this person may have is the session's to say; a broken one nobody can.
        with contextlib.suppress(ConfigurationError):
            plans.append(load_source(Plan, source))
    return plans


def _opened(
    way: "Way", args: argparse.Namespace, profile: "Profile", plan: "Plan", faults: Sequence[Any], state: Path
) -> "OpenedTable":
    """Return the table. Raises InversionTableError."""
    from controller.commands.ways import FAR

    if way.kind == "in-process":
        return args.simulation.open(profile, plan, args.seed, args.patient, faults)  # type: ignore[no-any-return]
    if way.kind in FAR:
        options = [
            f"--table={way}",
            f"--profile={args.profile or 'wire'}",
            *([f"--state={args.state}"] if args.state else []),
        ]
        return args.wire.open(profile, plan, args.seed, args.patient, faults, options)  # type: ignore[no-any-return]
    if way.kind == "gpio":
        from controller.gpio_table import open_gpio

        return open_gpio(profile, plan, args.declared, state)
    from controller.real_table import open_serial

    return open_serial(way.where, profile, plan, args.declared, state)


def _heading(plan: "Plan", profile: "Profile", args: argparse.Namespace, way: "Way", table: "OpenedTable") -> "Heading":
    from controller.progress import REAL_TIME, Heading, about

    real = table.real_time or args.speed == 1 or (args.speed is None and not args.fast)
    pace = REAL_TIME if real else "virtual time" if args.fast else f"{args.speed:g}× real time"
    return Heading(
        plan=plan.name,
        profile=profile.name,
        note=f"{way}, guard: {table.guard}, seed {args.seed}",
        cap_cdeg=plan.cap_cdeg,
        sets=plan.sets,
        planned_s=plan.planned_s,
        manual_return_text=profile.manual_return_text,
        pace=pace,
        about=about(plan),
        person="" if table.permit is None else table.permit.pseudonym,
    )
