"""The end of `inversion-table session`: its files, its summary, and its exit code."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.voice import Voice

if TYPE_CHECKING:
    from config.profile import Profile
    from controller.recording import Recorder
    from controller.result import SessionResult
    from controller.runner import OpenedTable
    from controller.session import Session


def finish(
    args: argparse.Namespace,
    session: "Session",
    table: "OpenedTable",
    recorder: "Recorder",
    folder: Path,
    asked_by: str,
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
        plan=session.plan.name,
        profile=profile.name,
        table=kind,
        guard=table.guard,
        seed=args.seed,
        cap_cdeg=session.plan.cap_cdeg,
        manual_return_text=profile.manual_return_text,
        figures=figures_of(rows),
        trips=tuple(recorder.trips()),
        asked_by=asked_by,
        gave_up=session.gave_up or _nobody_went_on(session),
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


def _nobody_went_on(session: "Session") -> str:
    """Return where a session that nobody armed was left standing; empty where there is another reason."""
    from controller.sentences import what_now
    from controller.session import REFUSED

    outcome, snapshot = session.outcome(), session.snapshot
    if outcome.result != REFUSED or outcome.refusals or snapshot is None:
        return ""
    return f"nobody did what the panel waited for: {what_now(snapshot)}"


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
