"""`inversion-table sim`: its options; `controller.app` brings what runs the table."""

import argparse

from controller.arguments import add_example, read_patient, read_seed, typed

DESCRIPTION = """\
Run a simulated table in a process of its own, in real time, with the guard in
its loop, until a signal ends it. --table wire puts it behind a pseudo-terminal:
its path is printed, and any program may open it as a serial port. --table
machine-code does the same with the microcontroller's own program, cycle by cycle,
in simavr (apt-get install libsimavr-dev libelf-dev).

People are not simulated here: whoever connects to the hands socket works the
switches (docs/hands.md).
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand; `args.run_table` runs the table."""
    parser = subparsers.add_parser(
        "sim", help="run a simulated table behind a serial line", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("--table", metavar="KIND", default="wire", help="wire (default) or machine-code")
    parser.add_argument("--profile", metavar="NAME|FILE", default="wire", help="the table (default: %(default)s)")
    parser.add_argument("--seed", metavar="N", type=typed(read_seed), default=0, help="of noise and bouncing")
    parser.add_argument(
        "--patient",
        metavar="KEY=VALUE,…",
        type=typed(read_patient),
        default={},
        help="the body on it: mass_kg=75,height_cm=175,offset_cm=3",
    )
    parser.add_argument(
        "--at-deg", metavar="DEG", type=typed(_read_angle), default=0.0, help="where it stands at first (default: 0)"
    )
    parser.add_argument("--state", metavar="DIR", help="where state is kept (default: the user's own)")
    parser.add_argument("--json", action="store_true", help="print path, socket, table and process as one JSON object")
    parser.add_argument(
        "--attached", action="store_true", help="end when standard input is closed, as with the program that started it"
    )
    parser.add_argument(
        "--outlive",
        metavar="S",
        type=typed(_read_seconds),
        help="be found again by the next controller, and end when none came for so many seconds, the patient at level",
    )
    add_example(parser, "inversion-table sim --table wire", "inversion-table sim --patient mass_kg=120 --at-deg 20")
    parser.set_defaults(run=lambda args: args.run_table(args))


def _read_angle(text: str) -> float:
    try:
        angle_deg = float(text)
    except ValueError:
        raise ValueError(f'"{text}" is no angle; write degrees, such as 20 or -12.5') from None
    if not -90 <= angle_deg <= 110:
        raise ValueError(f"{text} lies outside -90 … 110")
    return angle_deg


def _read_seconds(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 86_400):
        raise ValueError(f'"{text}" is no number of seconds; write 1 … 86400')
    return int(text)
