"""`inversion-table serve`: the control process of one table, in the foreground."""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from controller.arguments import add_example, read_patient, read_seed, typed

if TYPE_CHECKING:
    from config.limits import Limits
    from config.profile import Profile
    from controller.commands.ways import Way
    from controller.lines import Lines
    from controller.recorder import RecorderLink
    from controller.service import Service
    from controller.serving import Clients
    from controller.startup import AtHand

DESCRIPTION = """\
Run the control process of one table, for as long as it is wanted: it arms
nobody by itself, stands by until a plan with a permit is offered over its local
socket (docs/api.md) or the screening list is answered at the panel, and then
does visit after visit. Everything is recorded (inversion-table journal).

With a profile whose bridge is wire it starts a simulated table, or finds the one
that an earlier run left behind, with the patient where he is.

It starts still and moves nothing. SIGTERM, SIGHUP and Ctrl-C bring the patient
back first; with the patient inverted and held, or the drive cut, it stays and
says what somebody has to do.
"""
EXITS = """\
exit codes:
  0  ended as asked, patient at level
  2  a mistake in arguments or files; nothing moved
  4  refused to start, with every reason; another process may have the table
  5  a needed device or tool is not there
  7  the table is gone and the patient may not be at level: somebody must act now
"""


class LivingTables(Protocol):
    """What only the simulation knows; `controller.app` brings it."""

    def reach(self, profile: "Profile", folder: Path, options: list[str], wall_s: int) -> "AtHand":
        """Find the living simulated table, or start one. Raises InversionTableError."""
        ...


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand; `args.living` brings simulated tables."""
    parser = subparsers.add_parser(
        "serve", help="run the control process of one table", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("--profile", metavar="NAME|FILE", default="wire", help="the table (default: %(default)s)")
    parser.add_argument(
        "--table", metavar="KIND", help="the way to it: wire, serial:PORT, gpio (default: the profile's)"
    )
    parser.add_argument(
        "--declared", metavar="panel", help="the screening list is answered at the panel, before each visit"
    )
    parser.add_argument(
        "--offer", metavar="PLAN", help="a simulated table: offer this plan, with a simulated permit, at the start"
    )
    parser.add_argument("--seed", metavar="N", type=typed(read_seed), default=0, help="of a simulated table's noise")
    parser.add_argument(
        "--patient",
        metavar="KEY=VALUE,…",
        type=typed(read_patient),
        default={},
        help="the simulated body: mass_kg=75,height_cm=175,offset_cm=3",
    )
    parser.add_argument("--state", metavar="DIR", help="where state is kept (default: the user's own)")
    parser.add_argument(
        "--attached", action="store_true", help="end, the patient at level first, when stdin is closed: for programs"
    )
    parser.add_argument("--json", action="store_true", help="print where it is reached as one JSON object on stdout")
    add_example(
        parser,
        "inversion-table serve",
        "inversion-table serve --profile my-table.toml --declared panel",
        "inversion-table serve --offer first-visit --json",
    )
    parser.epilog = f"{parser.epilog}\n\n{EXITS}"
    parser.set_defaults(run=run_serve)


def run_serve(args: argparse.Namespace) -> int:
    """Serve one table until a signal ends it; return the exit code.

    Raises:
        InversionTableError: the start is not clean; nothing moved.
    """
    from config.errors import DeviceMissingError
    from config.loading import load_plan, load_profile
    from controller import startup
    from controller.commands.ways import way_of
    from controller.lines import Lines
    from controller.locks import Lock
    from controller.places import socket_folder, state_folder
    from controller.realtime import RealTime
    from controller.service import Service
    from controller.serving import EXIT_SERVED, Serving
    from controller.voice import Voice

    if not sys.platform.startswith("linux"):
        raise DeviceMissingError("serve runs on Linux only: take inversion-table session, or a Raspberry Pi")
    profile = load_profile(args.profile)
    limits = profile.limits()
    way = way_of(args.table, profile)
    startup.refuse_misfits(way, profile, args.declared, args.offer)
    if args.offer is not None:
        load_plan(args.offer, limits)
    state = state_folder(args.state)
    folder = socket_folder(state)
    voice = Voice()
    with ExitStack() as ends:
        if way.kind == "wire":
            # A real table's own opening takes the lock, as it does for a session.
            ends.enter_context(Lock(folder, profile.table_id, f"the table {profile.table_id}"))
        cut_off, told = startup.unfinished(state, profile.table_id)
        newest_s = startup.newest_label_s(state, profile.table_id)
        table = _reached(args, way, profile, folder, state)
        # A start that is not clean leaves nothing behind; a defect in mid-session leaves the patient to the guard.
        ends_table = not table.found
        ends.callback(lambda: table.end() if ends_table else None)
        ends.callback(table.leave)
        boot, real_time = startup.new_boot(), RealTime()
        records = _recorder(state, profile, limits, table.guard, boot)
        ends.callback(records.close)
        served = startup.served(
            profile, limits, table, args.declared is not None, records, boot, newest_s, cut_off, real_time
        )
        service = Service(served)
        path = folder / f"{profile.table_id}.sock"
        clients = _clients(path, service)
        ends.callback(clients.close)
        lines = Lines(voice.people)
        offer = None if args.offer is None else _offers(service, args.offer, limits, lines)
        serving = Serving(service, clients, lines, table.lost, table.simulated, offer, args.attached)
        real_time.take()
        for sentence in (*_beginning(profile, way, table, path, records.path), told, real_time.told):
            if sentence:
                lines.say(sentence)
        if args.json:
            voice.hand_over(json.dumps(_where(profile, table, path, records.path, boot), ensure_ascii=False))
        # What came while everything was put together is old: the first tick begins with the next frame.
        table.bridge.read(table.clock.now_ms(), served.host)
        ends_table = False
        code = serving.run()
        ends_table = code == EXIT_SERVED
        lines.finish()
    return code


def _reached(args: argparse.Namespace, way: "Way", profile: "Profile", folder: Path, state: Path) -> "AtHand":
    """Return the table. Raises InversionTableError."""
    from controller import startup

    if way.kind != "wire":
        return startup.of_real_table(way, profile, state)
    options = [f"--profile={args.profile}", f"--seed={args.seed}"]
    if args.state:
        options.append(f"--state={args.state}")
    if args.patient:
        options.append("--patient=" + ",".join(f"{key}={value}" for key, value in args.patient.items()))
    return args.living.reach(profile, folder, options, startup.label_ms() // 1000)  # type: ignore[no-any-return]


def _recorder(state: Path, profile: "Profile", limits: "Limits", guard: str, boot: str) -> "RecorderLink":
    """Start the recorder. Raises DeviceMissingError."""
    from importlib.metadata import version

    from config.errors import DeviceMissingError
    from controller.recorder import RecorderLink

    about = {
        "limits": limits,
        "profile": profile.name,
        "guard": guard,
        "program": f"inversion-table {version('inversion-table')}",
        "boot": boot,
    }
    try:
        return RecorderLink.start(state, profile.table_id, about)
    except OSError as error:
        raise DeviceMissingError(f"the recorder cannot be started: {error.strerror or error}") from error


def _clients(path: Path, service: "Service") -> "Clients":
    """Open the local socket. Raises UsageError."""
    clients: Clients = importlib.import_module("controller.api").Server(path, service)
    return clients


def _offers(service: "Service", name: str, limits: "Limits", lines: "Lines") -> Callable[[], bool]:
    """Return what offers a plan with a simulated permit once the table can take it, and then says that it has."""
    from config.loading import load_plan
    from config.names import find
    from config.reading import parse
    from controller.messages import Offer
    from controller.permits import simulated
    from controller.startup import label_ms

    plan = load_plan(name, limits)
    data = parse(find("plan", name).read(), name)
    permit = simulated(plan, limits.screening_version, label_ms() // 1000)

    def offer() -> bool:
        snapshot = service.snapshot
        if snapshot is None or not service.takes_offers:
            return False
        answer = service.handle(Offer(0, snapshot.number, data, permit), "--offer", True)
        if not answer.ok:
            lines.say(f"{name} is not offered: {'; '.join(answer.why)}")
        return True

    return offer


def _beginning(profile: "Profile", way: "Way", table: "AtHand", path: Path, journal: Path) -> list[str]:
    """Return what people are told first."""
    found = "found where it was left" if table.found else "started" if table.simulated else "connected"
    lines = [
        f"{profile.title} ({profile.table_id}), table: {way}, {found}; guard: {table.guard}; nothing moves.",
        f"Local socket: {path}; journal: {journal}",
    ]
    if table.hands:
        lines.append(f"Its switches are simulated, and worked at {table.hands}")
    lines.append("Ctrl-C brings the patient back to level first, then ends it.")
    return lines


def _where(profile: "Profile", table: "AtHand", path: Path, journal: Path, boot: str) -> dict[str, Any]:
    """Return where everything is, for programs."""
    return {
        "schema": "inversion-table.serve/1",
        "table_id": profile.table_id,
        "profile": profile.name,
        "guard": table.guard,
        "socket": str(path),
        "hands": table.hands,
        "journal": str(journal),
        "pid": os.getpid(),
        "boot": boot,
        "found": table.found,
    }
