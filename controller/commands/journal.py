"""`inversion-table journal`: what was recorded, listed, shown, drawn, exported, and put before today's judge."""

import argparse
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from controller.arguments import add_example, typed
from controller.voice import Voice

if TYPE_CHECKING:
    from controller.journal import Journal, VisitEntry
    from controller.recording import Row
    from safety.signals import Snapshot

DESCRIPTION = """\
Look into the journal that the control process writes, also while it writes.

  list        the visits: when, which plan, how it ended, how deep, what tripped
  show N      visit N: what it came to and what happened, in order
  draw N      its drawing, as SVG
  export N    every tick of it: --csv as trace.csv has it, --mcap for Foxglove
  replay N    what was read and wished then, before today's judge: would it
              decide otherwise?

N is a visit's number, or `last`. draw and export --csv go to stdout unless
--out names a file.
"""
EXITS = """\
exit codes:
  0  done; replay: every decision would be as it was
  2  no such journal or visit, or a mistake in arguments
  3  replay: today's judge would decide otherwise
"""
ACTIONS: Final = ("list", "show", "draw", "export", "replay")
SAME, OTHERWISE = 0, 3
LAST: Final = "last"
_AGO = re.compile(r"(\d{1,5})([dh])")


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand; it sets `run`, which takes the parsed arguments and returns the exit code."""
    parser = subparsers.add_parser(
        "journal", help="list, draw, export and replay what was recorded", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("action", metavar="WHAT", nargs="?", choices=ACTIONS, default="list", help=", ".join(ACTIONS))
    parser.add_argument("visit", metavar="N", nargs="?", type=typed(read_number), help="a visit's number, or last")
    parser.add_argument(
        "--since", metavar="DATE", type=typed(read_since), help="list: from 2026-11-24 on, or for 7d, 12h"
    )
    parser.add_argument("--csv", action="store_true", help="export: a trace as CSV")
    parser.add_argument("--mcap", action="store_true", help="export: an MCAP file with JSON schemas")
    parser.add_argument("--out", metavar="FILE", help="draw, export: where to write it")
    parser.add_argument("--profile", metavar="NAME|FILE", help="replay: with this table's limits, not those of then")
    parser.add_argument("--journal", metavar="TABLE|FILE", help="which one, where there are several, or any file")
    parser.add_argument("--state", metavar="DIR", help="where state is kept (default: the user's own)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    add_example(
        parser,
        "inversion-table journal list --since 7d",
        "inversion-table journal show last",
        "inversion-table journal draw 3 --out visit-3.svg",
        "inversion-table journal export 3 --mcap --out visit-3.mcap",
        "inversion-table journal replay 3",
    )
    parser.epilog = f"{parser.epilog}\n\n{EXITS}"
    parser.set_defaults(run=run_journal)


def read_number(text: str) -> int:
    """Read a visit's number; −1 is the last one. Raises ValueError."""
    if text == LAST:
        return -1
    if not re.fullmatch(r"[1-9]\d{0,9}", text, re.ASCII):
        raise ValueError(f'"{text[:20]}" is no visit; write its number as list shows it, or last')
    return int(text)


def read_since(text: str) -> int:
    """Read a day, a moment, or how long ago (`7d`, `12h`), as milliseconds since 1970. Raises ValueError."""
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            now = datetime.now(UTC)  # noqa: TID251 label: which of the records are asked for
            moment = now - timedelta(**{{"d": "days", "h": "hours"}[ago[2]]: int(ago[1])})
        else:
            moment = datetime.fromisoformat(text).astimezone()
        return max(0, round(moment.timestamp() * 1000))
    except (ValueError, OverflowError, OSError):
        raise ValueError(f'"{text[:40]}" is no date; write 2026-11-24, 2026-11-24T09:30, or 7d for a week') from None


def run_journal(args: argparse.Namespace) -> int:
    """Do what is asked for; return the exit code.

    Raises:
        InversionTableError: there is no such journal or visit, or the arguments do not go together.
    """
    from controller.journal import Journal, find_journal
    from controller.places import state_folder

    _refuse_misfits(args)
    with Journal(find_journal(state_folder(args.state), args.journal)) as journal:
        if args.action == "list":
            return _list(args, journal)
        visit = _chosen(journal, args.visit)
        if args.action == "show":
            return _show(args, journal, visit)
        if args.action == "draw":
            return _draw(args, journal, visit)
        if args.action == "export":
            return _export(args, journal, visit)
        return _replay(args, journal, visit)


def _refuse_misfits(args: argparse.Namespace) -> None:
    """Refuse what does not go together. Raises UsageError."""
    from config.errors import UsageError

    action = args.action
    if (action == "list") != (args.visit is None):
        if args.visit is None:
            raise UsageError(f"say which visit: inversion-table journal {action} N; list shows their numbers")
        raise UsageError("list takes no visit; write show to see one")
    allowed = {"since": "list", "csv": "export", "mcap": "export", "profile": "replay"}
    for option, goes_with in allowed.items():
        if getattr(args, option) and action != goes_with:
            raise UsageError(f"--{option} goes with {goes_with}, not with {action}: leave it out")
    if args.out and action not in ("draw", "export"):
        raise UsageError(f"{action} writes no file: leave --out out")
    if action == "export" and args.csv == args.mcap:
        raise UsageError("say as what to export it: --csv or --mcap")
    if args.out is None and (args.mcap or (args.json and action in ("draw", "export"))):
        raise UsageError("say where to write the file: --out FILE")


def _chosen(journal: "Journal", number: int) -> "VisitEntry":
    """Return the visit that is meant. Raises JournalError."""
    from controller.journal import JournalError

    if number > 0:
        return journal.visit(number)
    visits = journal.visits()
    if not visits:
        raise JournalError(f"there is no visit in {journal.path} yet")
    return visits[-1]


def _list(args: argparse.Namespace, journal: "Journal") -> int:
    from controller.journal_text import SCHEMA, listed, visit_json

    visits = journal.visits(args.since or 0)
    voice = Voice()
    if args.json:
        voice.hand_over(
            _json({"schema": SCHEMA, "journal": str(journal.path), "visits": [visit_json(one) for one in visits]})
        )
    elif visits:
        voice.hand_over("\n".join(listed(visits)))
    else:
        voice.hand_over(f"no visit {'since then ' if args.since else 'yet '}in {journal.path}")
    return SAME


def _show(args: argparse.Namespace, journal: "Journal", visit: "VisitEntry") -> int:
    from controller.journal_text import SCHEMA, event_json, shown, visit_json

    events = journal.events(visit)
    snapshots = journal.snapshots(visit.run, visit.first_tick, visit.last_tick)
    run = journal.run(visit.run)
    voice = Voice()
    if args.json:
        missing = visit.last_tick - visit.first_tick + 1 - len(snapshots)
        told = {"schema": SCHEMA, **visit_json(visit), "table": run.table_id, "profile": run.profile}
        told |= {"ticks": len(snapshots), "missing": missing, "events": [event_json(event) for event in events]}
        voice.hand_over(_json(told))
    else:
        voice.hand_over("\n".join(shown(visit, run, events, snapshots)))
    return SAME


def _draw(args: argparse.Namespace, journal: "Journal", visit: "VisitEntry") -> int:
    from controller.drawing import svg_of
    from controller.journal import JournalError
    from controller.journal_text import deg, result_of, when
    from controller.recording import trips_of
    from controller.result import minutes

    snapshots = journal.trace(visit)
    if not snapshots:
        raise JournalError(f"nothing of visit {visit.number} was recorded that could be drawn")
    title = f"Visit {visit.number}: {visit.plan or 'no plan'}, {result_of(visit)}"
    subtitle = (
        f"{when(visit.began_ms, seconds=True)}, deepest {deg(visit.deepest_cdeg)}, "
        f"inverted {minutes(visit.inverted_ms / 1000)}, table {journal.run(visit.run).table_id}"
    )
    return _hand_over(args, visit, svg_of(_rows(snapshots), trips_of(snapshots), title, subtitle))


def _rows(snapshots: "list[Snapshot]") -> "list[Row]":
    """Return the rows of a trace; what the plant of a simulated table knows of itself was not recorded."""
    from controller.recording import rows_of

    return list(rows_of(snapshots, [(None, None, "")] * len(snapshots)))


def _export(args: argparse.Namespace, journal: "Journal", visit: "VisitEntry") -> int:
    if args.csv:
        from controller.recording import csv_text

        return _hand_over(args, visit, csv_text(_rows(journal.trace(visit))))
    from controller.journal_mcap import write_mcap
    from controller.journal_text import visit_json

    about = {key: str(value) for key, value in visit_json(visit).items()}
    run = journal.run(visit.run)
    about |= {"table": run.table_id, "profile": run.profile, "guard": run.guard, "program": run.program}
    snapshots = journal.snapshots(visit.run, visit.first_tick, visit.last_tick)
    origin_ns = journal.clock_origin_ms(visit.run, visit.first_tick) * 1_000_000
    try:
        counts = write_mcap(Path(args.out), snapshots, journal.events(visit), origin_ns, about)
    except OSError as error:
        raise _unwritable(args.out, error) from error
    return _written(args, visit, {"messages": counts})


def _replay(args: argparse.Namespace, journal: "Journal", visit: "VisitEntry") -> int:
    from controller.journal import JournalError
    from controller.journal_text import compared, replayed_json
    from controller.replay import replay

    if args.profile is None:
        limits = journal.limits(visit.run)
    else:
        from config.loading import load_profile

        limits = load_profile(args.profile).limits()
    before = journal.judged_before(visit.run, visit.first_tick)
    start = visit.first_tick if before is None else before + 1
    stretches = journal.stretches(visit.run, start, visit.last_tick)
    judged = journal.judged(visit.run, start - 1, visit.last_tick)
    result = replay(stretches, judged, limits, visit.first_tick)
    first_ms = next((s.snapshots[0].t_ms for s in journal.stretches(visit.run, visit.first_tick, visit.first_tick)), 0)
    lines = compared(visit, result, first_ms)
    if not result.ticks:
        raise JournalError(lines[0])
    voice = Voice()
    voice.hand_over(_json(replayed_json(visit, result)) if args.json else "\n".join(lines))
    return SAME if result.same else OTHERWISE


# Files ---------------------------------------------------------------------------------------------------------------


def _hand_over(args: argparse.Namespace, visit: "VisitEntry", text: str) -> int:
    """Write a text to the file that is named, or to stdout. Raises UsageError."""
    from controller.places import write_whole

    if args.out is None:
        Voice().hand_over(text.removesuffix("\n"))
        return SAME
    try:
        write_whole(Path(args.out), text)
    except OSError as error:
        raise _unwritable(args.out, error) from error
    return _written(args, visit, {})


def _written(args: argparse.Namespace, visit: "VisitEntry", more: dict[str, object]) -> int:
    from controller.journal_text import SCHEMA

    voice = Voice()
    voice.say(f"written: {args.out}")
    if args.json:
        voice.hand_over(_json({"schema": SCHEMA, "visit": visit.number, "file": args.out, **more}))
    return SAME


def _unwritable(out: str, error: OSError) -> Exception:
    from config.errors import UsageError

    return UsageError(f"{out} cannot be written ({error.strerror or error}); choose another place with --out")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
