"""`inversion-table wiring`: how a table is wired, from its profile."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from controller.arguments import add_example
from controller.voice import Voice

if TYPE_CHECKING:
    from controller.wiring import Wiring

DESCRIPTION = """\
Say how the table of a profile is wired: every pin by plug, what a broken wire
reads as, what has to be in hardware whatever the program does, and what to
measure first, in order. With --out the same as a page (wiring.md) and a block
diagram for a sheet of A4 (wiring.svg).

Nothing is opened or switched: this needs no board.
"""
PAGE, PICTURE = "wiring.md", "wiring.svg"
MISTAKE = 2


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand; it sets `run`, which takes the parsed arguments and returns the exit code."""
    parser = subparsers.add_parser(
        "wiring", help="say how a table is wired, pin by pin", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("--profile", metavar="NAME|FILE", required=True, help="the table: mega-serial, pi-gpio, a file")
    parser.add_argument("--out", metavar="DIR", help=f"write {PAGE} and {PICTURE} there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_example(
        parser,
        "inversion-table wiring --profile mega-serial",
        "inversion-table wiring --profile my-table.toml --out wiring",
    )
    parser.set_defaults(run=run_wiring)


def run_wiring(args: argparse.Namespace) -> int:
    """Tell how the table is wired; return 0, or 2 where nobody took what was told.

    Raises:
        InversionTableError: the profile cannot be used, its table is simulated, or the files cannot be written.
    """
    from config.loading import load_profile
    from controller.wiring import wiring_of
    from controller.wiring_text import lines_of, object_of

    wiring = wiring_of(load_profile(args.profile))
    voice = Voice()
    files: dict[str, str] = {}
    if args.out is not None:
        folder = _write(args.out, wiring)
        files = {"page": PAGE, "picture": PICTURE}
        voice.say(f"written: {folder / PAGE} and {folder / PICTURE}")
    if args.json:
        taken = voice.hand_over(json.dumps({**object_of(wiring), "files": files}, ensure_ascii=False))
    else:
        taken = args.out is not None or voice.hand_over("\n".join(lines_of(wiring, voice.width)))
    return 0 if taken else MISTAKE


def _write(out: str, wiring: "Wiring") -> Path:
    """Write page and picture into a folder, which is made if need be, and return it. Raises UsageError."""
    from config.errors import UsageError
    from controller.places import run_folder, write_whole
    from controller.wiring_drawing import svg_of
    from controller.wiring_text import markdown_of

    folder = run_folder(out, Path(), "wiring", 0)
    try:
        write_whole(folder / PICTURE, svg_of(wiring))
        write_whole(folder / PAGE, markdown_of(wiring, PICTURE))
    except OSError as error:
        raise UsageError(f"{folder} took no files ({error.strerror}); choose another place with --out") from error
    return folder
