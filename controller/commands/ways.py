"""The ways to a table as a session's command line names them, and what does not go with which."""

import argparse
from typing import TYPE_CHECKING, Final, NamedTuple

from config.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from config.profile import Profile

MACHINE_CODE: Final = "machine-code"
KINDS: Final = ("in-process", "wire", MACHINE_CODE, "serial", "gpio")
FAR: Final = ("wire", MACHINE_CODE)
"""The simulated tables in a process of their own."""
REAL: Final = ("serial", "gpio")
AT_PANEL: Final = "panel"


class Way(NamedTuple):
    """One way to a table: its kind, and for `serial` the port."""

    kind: str
    where: str = ""

    def __str__(self) -> str:
        """Write it as on the command line."""
        return f"{self.kind}:{self.where}" if self.where else self.kind


def way_of(asked: str | None, profile: "Profile") -> Way:
    """Return the way that the command line asks for, else the profile's.

    Raises:
        UnknownNameError: there is no such way.
        UsageError: it takes no port.
    """
    kind, colon, where = (asked or profile.bridge).partition(":")
    if kind not in KINDS:
        raise UnknownNameError("table", kind, KINDS)
    if kind == "serial":
        return Way(kind, where or profile.port)
    if colon:
        raise UsageError(f"--table {kind} takes no port: write --table {kind}, or --table serial:{where}")
    return Way(kind)


def refuse_misfits(way: Way, args: argparse.Namespace) -> None:
    """Refuse options that mean nothing on this way.

    Raises:
        UsageError: it names the option and what to do.
    """
    if way.kind != "in-process":
        for option, given in (("--fast", args.fast), ("--speed", args.speed is not None)):
            if given:
                raise UsageError(
                    f"--table {way.kind} runs in real time, so {option} means nothing there: leave it out, or take "
                    "--table in-process"
                )
    if way.kind in REAL:
        for option, given in (("--fault", args.fault), ("--patient", args.patient), ("--by-hand", args.by_hand)):
            if given:
                raise UsageError(
                    f"{option} is for simulated tables, and --table {way} is a real one: leave it out, or take "
                    "--table wire"
                )
        if way.kind == "serial" and args.profile is None:
            raise UsageError(
                f"say which table stands at {way.where}, since its limits are written into it: --profile NAME|FILE"
            )
        return
    if args.declared not in (None, AT_PANEL):
        raise UsageError(
            f"--declared is for a person on a real table; on --table {way.kind} everybody is simulated: leave it out, "
            "or see the questions answered with --declared panel"
        )
    if args.by_hand and args.fast:
        raise UsageError("--by-hand goes at the speed of a hand: leave --fast out")
