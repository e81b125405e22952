"""`inversion-table doctor`: whether this computer can run a table, and the one thing to do next."""

import argparse
import json
from typing import Final

from controller.arguments import add_example

DESCRIPTION = """\
Look at everything that a table needs of this computer: Python, libraries, the
profile, ports or pins and who may open them, disk, clock, journal, sockets, being
on time. Nothing is opened that could move, nothing is changed. Each line says ok,
warning or wrong, and what mends it; the last line is the one thing to do next.
"""
EXITS = "exit codes: 0 nothing is wrong; 2 a mistake in arguments or the profile; 5 something is wrong"
OK, WRONG = 0, 5
SIGNS: Final = {"ok": "ok     ", "warning": "WARNING", "wrong": "WRONG  "}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "doctor", help="whether this computer can run a table, and what to do next", description=DESCRIPTION,
        allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--profile", metavar="NAME|FILE", default="wire", help="the table (default: %(default)s)")
    parser.add_argument("--state", metavar="DIR", help="where state is kept (default: the user's own)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    add_example(parser, "inversion-table doctor", "inversion-table doctor --profile mega-serial --json")
    parser.epilog = f"{parser.epilog}\n\n{EXITS}"
    parser.set_defaults(run=run_doctor)


def run_doctor(args: argparse.Namespace) -> int:
    """Look, and tell. Raises InversionTableError: a mistake in arguments or the profile."""
    from config.loading import load_profile
    from controller.doctor import Computer, Grade, examine, next_step
    from controller.places import socket_folder, state_folder
    from controller.voice import Voice

    state = state_folder(args.state)
    findings = list(examine(Computer(load_profile(args.profile), state, socket_folder(state))))
    step = next_step(findings, args.profile)
    voice = Voice()
    if args.json:
        told = {
            "schema": "inversion-table.doctor/1",
            "findings": [
                {"name": one.name, "grade": str(one.grade), "words": one.words, "mend": one.mend} for one in findings
            ],
            "next": step,
        }
        voice.hand_over(json.dumps(told, ensure_ascii=False))
    else:
        lines = []
        for one in findings:
            lines.append(f"  {SIGNS[one.grade]}  {one.name:15}  {one.words}")
            if one.mend:
                lines.append(f"{'':28}{one.mend}")
        voice.hand_over("\n".join([*lines, f"Next: {step}"]))
    return WRONG if any(one.grade is Grade.WRONG for one in findings) else OK
