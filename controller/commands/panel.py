"""`inversion-table panel`: the table on a terminal, over the control process's local socket."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from controller.arguments import add_example, read_patient, read_seed, typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.profile import Profile
    from controller.messages import Answer
    from controller.started import Started
    from controller.tui.control import Control, Link
    from controller.voice import Voice

DESCRIPTION = """\
Show a table on this terminal: its angle and state in large letters, the plan
beside what is done, what is wrong and what to do now, lamps, alarms, events.

On a simulated table keys and mouse work its panel: hold a key, or the mouse on an
underlined word, to hold a button. On a real one, also over SSH, they do three
things only: s stops it, r brings the patient back, a pauses the sound.

It reaches the control process that runs here (inversion-table serve), and finds
it again when that was restarted. With --start it starts one, with a simulated table
and simulated people who do a first visit unless keys are pressed. Ctrl-C then
brings the patient back first, and ends all of it.

Without a terminal, with TERM=dumb or CI set: a plain line a change, no keys; with
--start it ends by itself after the visit.
"""
EXITS = """\
exit codes: 0 left as asked, or with --start the visit was completed; with --start
else as a session's: 3 ended by the safety layer, 6 by a person, both with the
patient at level; 4 refused to start; 7 the patient is not at level
"""
PLAN: Final = "first-visit"
NAME: Final = "terminal panel"


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "panel", help="watch and work a table on this terminal", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("--profile", metavar="NAME|FILE", default="wire", help="the table (default: %(default)s)")
    parser.add_argument("--start", action="store_true", help="start everything on a simulated table, and end it again")
    parser.add_argument("--plan", metavar="NAME|FILE", help=f"with --start: what is offered (default: {PLAN})")
    parser.add_argument(
        "--seed", metavar="N", type=typed(read_seed), help="with --start: of the simulated table's noise"
    )
    parser.add_argument(
        "--patient",
        metavar="KEY=VALUE,…",
        type=typed(read_patient),
        help="with --start: the simulated body: mass_kg=75,height_cm=175,offset_cm=3",
    )
    parser.add_argument("--state", metavar="DIR", help="where state is kept (default: the user's own)")
    add_example(
        parser,
        "inversion-table panel --start",
        "inversion-table panel --profile my-table.toml",
        "ssh table inversion-table panel --profile my-table.toml",
    )
    parser.epilog = f"{parser.epilog}\n\n{EXITS}"
    parser.set_defaults(run=run_panel)


def run_panel(args: argparse.Namespace) -> int:
    """Show the table until somebody leaves; return the exit code.

    Raises:
        InversionTableError: a mistake in the arguments, or nothing can be started.
    """
    from config.errors import DeviceMissingError, UsageError
    from config.loading import load_profile
    from controller.client import Client
    from controller.keyboard import keyboard_of
    from controller.places import socket_folder, state_folder
    from controller.started import Started
    from controller.tui.control import Link
    from controller.voice import Voice, full_picture

    if not sys.platform.startswith("linux"):
        raise DeviceMissingError("panel runs on Linux only: take inversion-table session")
    profile = load_profile(args.profile)
    for name in ("plan", "seed", "patient"):
        if getattr(args, name) is not None and not args.start:
            raise UsageError(f"--{name} is for --start: without it the table is there already, as it is")
    if args.start and profile.bridge != "wire":
        raise UsageError(
            f"--start is for a simulated table, and the bridge of the profile {profile.name} is {profile.bridge}: "
            "start inversion-table serve for it, then inversion-table panel without --start"
        )
    state = state_folder(args.state).absolute()
    path = socket_folder(state) / f"{profile.table_id}.sock"
    voice = Voice()
    picture = full_picture(voice.people, os.environ) and keyboard_of(sys.stdin) is not None
    started = offer = None
    if args.start:
        offer = _offering(args.plan or PLAN, profile)
        started = Started(args.profile, args.plan or PLAN, state, _options(args), alone=not picture)
    link = Link(lambda: Client(path, NAME))
    code = 0
    try:
        if started is None and not picture:
            # Where nobody watches a screen, a table that is not there is told, and that is the end.
            Client(path, NAME).close()
        code = _picture(link, started, voice, offer) if picture else _plain(link, started, voice)
    finally:
        link.close()
        if started is not None:
            started.say = voice.say
            code = started.finish()
    if started is not None:
        _tell_the_end(voice, code, state)
    return code


def _options(args: argparse.Namespace) -> list[str]:
    options = [] if args.seed is None else [f"--seed={args.seed}"]
    if args.patient:
        options.append("--patient=" + ",".join(f"{key}={value}" for key, value in args.patient.items()))
    return options


def _offering(plan: str, profile: "Profile") -> "Callable[[Control], Answer]":
    """Return what offers the plan again, with a permit for simulated people."""
    from config.loading import load_plan
    from config.names import find
    from config.reading import parse
    from controller.permits import simulated
    from controller.startup import label_ms

    limits = profile.limits()
    known, data = load_plan(plan, limits), parse(find("plan", plan).read(), plan)

    def offer(control: "Control") -> "Answer":
        return control.offer(data, simulated(known, limits.screening_version, label_ms() // 1000))

    return offer


def _picture(
    link: "Link", started: "Started | None", voice: "Voice", offer: "Callable[[Control], Answer] | None"
) -> int:
    from controller.tui.app import Panel
    from controller.tui.steadfast import steadfast
    from controller.voice import draws_ascii_only

    assert voice.people is not None
    ascii_only = draws_ascii_only(voice.people, os.environ)
    if started is None:
        panel = Panel(link, ascii_only=ascii_only)
    else:
        panel = Panel(
            link,
            started=True,
            take_over=started.people_leave,
            leave=started.leave,
            busy=started.busy,
            over=started.look,
            heard=started.take,
            people=started.people_are_there,
            offer=offer,
            ascii_only=ascii_only,
        )
        started.say = panel.scene.say
    with steadfast():
        return panel.run(mouse=True) or 0


def _plain(link: "Link", started: "Started | None", voice: "Voice") -> int:
    from controller.panel_plain import PlainPanel

    if started is None:
        return PlainPanel(link, voice.say, lambda: True, lambda: None, lambda events: None).run()
    started.say = voice.say
    voice.say("A visit on the simulated table, in real time; it ends by itself. Ctrl-C brings the patient back first.")
    return PlainPanel(link, voice.say, started.leave, started.look, started.take, started.busy).run()


def _tell_the_end(voice: "Voice", code: int, state: Path) -> None:
    told = {
        0: "The visit was completed as planned; the patient is at level.",
        3: "The safety layer ended the visit; the patient is at level.",
        6: "Ended by a person; the patient is at level.",
        7: "THE PATIENT MAY NOT BE AT LEVEL: go to the table.",
    }.get(code, "It could not be done.")
    voice.say(f"{told} Everything was recorded: inversion-table journal list --state {state}")
