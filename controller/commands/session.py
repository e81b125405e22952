"""`inversion-table session`: one plan on one table, watched to its end, with result, trace and picture."""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from controller.arguments import add_example, read_patient, read_seed, read_speed, typed
from controller.voice import Voice, full_picture

if TYPE_CHECKING:
    from config.plan import Plan
    from config.profile import Profile
    from controller.commands.ways import Way
    from controller.progress import Heading
    from controller.recording import Recorder
    from controller.result import SessionResult
    from controller.runner import OpenedTable, Pace
    from controller.session import Session
    from safety.signals import Snapshot

DESCRIPTION = """\
Run one session: straps close, the table tilts, holds, returns to level and
rests. On a simulated table, simulated people do what people must do.

--table in-process   the simulated table in this program, in virtual time
--table wire         the same in a process of its own behind a serial line, in
                     real time; this command starts it
--table serial:PORT  a real table: PORT is auto, usb:2341:0042, a path or a URL;
                     a supervisor answers the screening list, at the terminal
                     or with --declared FILE

What happens is shown live on stderr. At the end come a summary, a trace
(CSV), a picture (SVG) and the result (JSON), in a folder that is named.
Ctrl-C brings the patient back first.
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
    parser.add_argument("--declared", metavar="FILE", help="a real table: the answers to the screening list")
    parser.add_argument("--out", metavar="DIR", help="where the files go (default: a new folder under the state)")
    parser.add_argument("--state", metavar="DIR", help="where state is kept (default: the user's own)")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object on stdout")
    add_example(
        parser,
        "inversion-table session --plan first-visit --speed 10",
        "inversion-table session --plan standard --fast --json --out run1",
        "inversion-table session --fast --fault strap-opens@holding+5s:side=left",
        "inversion-table session --table serial:auto --profile my-table.toml --declared today.toml",
    )
    parser.epilog = f"{parser.epilog}\n\n{EXITS}"
    parser.set_defaults(run=run_session)


def run_session(args: argparse.Namespace) -> int:
    """Run one session; return its exit code.

    Raises:
        InversionTableError: arguments, files or device do not allow a session; nothing moved.
    """
    from config.loading import load_plan, load_profile
    from controller.commands.ways import refuse_misfits, way_of
    from controller.places import run_folder, state_folder
    from controller.recording import Recorder
    from controller.runner import Pace
    from controller.session import Session

    name = args.profile or ("wire" if args.table == "wire" else "simulated")
    profile = load_profile(name)
    limits = profile.limits()
    plan = load_plan(args.plan, limits)
    way = way_of(args.table, profile)
    refuse_misfits(way, args)
    faults = [args.simulation.parse_fault(text) for text in args.fault]
    state = state_folder(args.state)
    table = _opened(way, args, profile, plan, faults, state)
    try:
        folder = run_folder(args.out, state, plan.name, args.seed)
        session = Session(
            table.bridge,
            table.clock,
            plan,
            limits,
            table.permit,
            table.host,
            held_tilt=profile.session.held_tilt,
            strap_wait=profile.session.strap_wait,
        )
        recorder = Recorder(table.truth)
        speed = None if args.fast else args.speed or 1.0
        heading = _heading(plan, profile, args, way, table)
        pace = Pace(speed, real_time=table.real_time)
        asked_by = _watch(session, table, recorder, pace, heading, in_place=speed is not None)
        return _finish(args, session, table, recorder, folder, asked_by, plan, profile, str(way))
    finally:
        table.close()


def _opened(
    way: "Way", args: argparse.Namespace, profile: "Profile", plan: "Plan", faults: Sequence[Any], state: Path
) -> "OpenedTable":
    """Return the table. Raises InversionTableError."""
    if way.kind == "in-process":
        return args.simulation.open(profile, plan, args.seed, args.patient, faults)  # type: ignore[no-any-return]
    if way.kind == "wire":
        options = [f"--profile={args.profile or 'wire'}", *([f"--state={args.state}"] if args.state else [])]
        return args.wire.open(profile, plan, args.seed, args.patient, faults, options)  # type: ignore[no-any-return]
    from controller.real_table import open_serial

    return open_serial(way.where, profile, plan, args.declared, state)


def _heading(plan: "Plan", profile: "Profile", args: argparse.Namespace, way: "Way", table: "OpenedTable") -> "Heading":
    from controller.progress import Heading

    pace = "virtual time" if args.fast else f"{args.speed or 1:g}× real time"
    pace = "real time" if table.real_time else pace
    return Heading(
        plan=plan.name,
        profile=profile.name,
        note=f"{way}, guard: {table.guard}, seed {args.seed}, {pace}",
        cap_cdeg=plan.cap_cdeg,
        sets=plan.sets,
        planned_s=plan.planned_s,
        manual_return_text=profile.manual_return_text,
    )


def _watch(
    session: "Session", table: "OpenedTable", recorder: "Recorder", pace: "Pace", heading: "Heading", in_place: bool
) -> str:
    """Run the session with the view that this terminal can show; return who ended it from outside."""
    from controller.progress import PlainLines
    from controller.runner import run

    voice = Voice()
    if in_place and voice.people is not None and full_picture(voice.people, os.environ):
        from controller.live import LiveView

        with LiveView(voice.people, heading) as view:
            return run(session, table, recorder, pace, view.show, view.say)
    voice.say(f"{heading.plan} on {heading.profile} ({heading.note})")
    lines = PlainLines(heading)

    def show(snapshots: "Sequence[Snapshot]") -> None:
        for line in lines.lines(snapshots):
            voice.say(line)

    return run(session, table, recorder, pace, show, voice.say)


def _finish(
    args: argparse.Namespace,
    session: "Session",
    table: "OpenedTable",
    recorder: "Recorder",
    folder: Path,
    asked_by: str,
    plan: "Plan",
    profile: "Profile",
    kind: str,
) -> int:
    """Write the files, tell people and programs what it came to, and return the exit code."""
    from config.errors import UsageError
    from controller.result import SessionResult, figures_of
    from controller.session import EXIT_NOT_LEVEL

    rows = recorder.rows()
    result = SessionResult(
        outcome=session.outcome(),
        plan=plan.name,
        profile=profile.name,
        table=kind,
        guard=table.guard,
        seed=args.seed,
        cap_cdeg=plan.cap_cdeg,
        manual_return_text=profile.manual_return_text,
        figures=figures_of(rows),
        trips=tuple(recorder.trips()),
        asked_by=asked_by,
        gave_up=session.gave_up,
    )
    voice = Voice()
    unwritten = _write_files(folder, rows, result)
    voice.say(result.summary(str(folder), voice.width))
    for problem in unwritten:
        voice.say(problem)
    code = result.exit_code
    unreached = table.unreached()
    told = result.as_json()
    if unreached:
        error = UsageError(f"the session never came to the moment of {', '.join(unreached)}; see the states above")
        voice.say(f"inversion-table: {error}")
        code = code if code == EXIT_NOT_LEVEL else error.exit_code
        told = {"error": str(error), "exit": code, "session": told}
    if args.json:
        voice.hand_over(json.dumps(told, indent=2, ensure_ascii=False))
    return code


def _write_files(folder: Path, rows: "Sequence[Any]", result: "SessionResult") -> list[str]:
    """Write trace, picture and result; return a sentence for each that could not be written."""
    from controller.drawing import svg_of
    from controller.places import write_whole
    from controller.recording import csv_text

    texts: list[tuple[str, str, Callable[[], str]]] = [
        ("trace", "trace.csv", lambda: csv_text(rows)),
        ("picture", "session.svg", lambda: svg_of(rows, result.trips, result.headline, result.subtitle)),
        ("", "result.json", lambda: result.json_text() + "\n"),
    ]
    problems = []
    for key, name, text in texts:
        try:
            write_whole(folder / name, text())
        except OSError as error:
            problems.append(f"{name} could not be written to {folder}: {error.strerror or error}")
        else:
            if key:
                result.files[key] = name
    return problems
