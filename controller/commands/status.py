"""`inversion-table status`: how the table of this computer is, on one screen, asked of its control process."""

import argparse
import json
from typing import TYPE_CHECKING, Any, Final

from controller.arguments import add_example

if TYPE_CHECKING:
    from controller.messages import Frame, Welcome

DESCRIPTION = """\
Ask the control process that runs here how its table is: state, angle, what is
wrong and what to do about it, the visit, and how the process itself is. Nothing is
changed by asking. --json: one object, as docs/service.md tells.
"""
EXITS = "exit codes: 0 told; 2 a mistake in arguments; 5 no control process answers"
NAME: Final = "status"
WAIT_S: Final = 2.0


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "status", help="how the table is now, on one screen", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("--profile", metavar="NAME|FILE", default="wire", help="the table (default: %(default)s)")
    parser.add_argument("--state", metavar="DIR", help="where state is kept (default: the user's own)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    add_example(parser, "inversion-table status", "inversion-table status --profile my-table.toml --json")
    parser.epilog = f"{parser.epilog}\n\n{EXITS}"
    parser.set_defaults(run=run_status)


def run_status(args: argparse.Namespace) -> int:
    """Ask, and tell. Raises InversionTableError: nobody answers."""
    from config.loading import load_profile
    from controller.client import Client, ClientError
    from controller.messages import Frame
    from controller.places import socket_folder, state_folder
    from controller.voice import Voice

    profile = load_profile(args.profile)
    path = socket_folder(state_folder(args.state)) / f"{profile.table_id}.sock"
    with Client(path, NAME) as client:
        client.watch(events=False)
        frame = client.newest
        while frame is None:
            came = [one for one in client.receive(WAIT_S) if isinstance(one, Frame)]
            if not came:
                raise ClientError(f"the control process at {path} tells nothing of its table: look at the table")
            frame = came[-1]
        welcome = client.welcome
    told = status_of(welcome, frame, profile.manual_return_text)
    voice = Voice()
    if args.json:
        voice.hand_over(json.dumps(told, ensure_ascii=False))
    else:
        voice.hand_over("\n".join(lines_of(told)))
    return 0


def status_of(welcome: "Welcome", frame: "Frame", manual_return_text: str) -> dict[str, Any]:
    """Return how a table is, for programs. Angles are degrees, times seconds where their names say so."""
    from controller.recording import moment_of
    from controller.sentences import message

    snapshot, service = frame.snapshot, frame.service
    wish, decision, readings = snapshot.wish, snapshot.decision, snapshot.readings
    moment = moment_of(decision)
    return {
        "schema": "inversion-table.status/1",
        "table_id": welcome.table_id,
        "title": welcome.title,
        "profile": welcome.profile,
        "program": welcome.program,
        "guard": welcome.guard,
        "simulated": welcome.simulated,
        "pid": welcome.pid,
        "up_s": snapshot.t_ms // 1000,
        "state": str(wish.state),
        "angle_deg": None if decision.angle_cdeg is None else decision.angle_cdeg / 100,
        "region": decision.region.name,
        "demand": decision.demand.name,
        "armed": decision.armed is not None,
        "plan": wish.plan,
        "set": wish.set_number,
        "left_s": wish.left_ms // 1000,
        "inverted_s": decision.inverted_ms // 1000,
        "offered": service.offered,
        "visits": service.visit,
        "straps": {"left": _word(readings.strap_left), "right": _word(readings.strap_right)},
        "estop": _word(readings.estop),
        "mains": readings.mains,
        "alarm": decision.alarm.name,
        "causes": [
            {
                "code": cause.code,
                "alarm": cause.alarm.name,
                "demand": cause.demand.name,
                "by": cause.by,
                "value": cause.value,
                "limit": cause.limit,
                "unit": cause.unit,
                "message": message(cause, manual_return_text, moment, readings),
            }
            for cause in decision.causes
        ],
        "records": service.records,
        "line": service.line,
        "real_time": service.real_time,
        "overruns": service.overruns,
        "late_ms": service.late_ms,
        "clients": service.clients,
        "stays": service.stays,
    }


def lines_of(told: dict[str, Any]) -> list[str]:
    """Return the same for people, at most a screen of it."""
    angle = "unknown" if told["angle_deg"] is None else f"{told['angle_deg']:.1f}°".replace("-", "−")
    visit = "nothing is offered"
    if told["plan"]:
        left = f", {told['left_s']} s left" if told["left_s"] else ""
        what = "armed" if told["armed"] else "offered, waits at the panel" if told["offered"] else "not armed"
        visit = f"{told['plan']}, set {max(1, told['set'])}, {what}{left}"
    straps, mains = told["straps"], {True: "there", False: "LOST", None: "unknown"}[told["mains"]]
    rows = [
        f"{told['title']} ({told['table_id']}), guard: {told['guard']}",
        f"  state      {told['state'].replace('_', ' ')}, {angle}, {told['region'].lower()}; demand {told['demand']}",
        f"  visit      {visit}; head-down {told['inverted_s']} s since the last rest",
        f"  inputs     straps left {straps['left']}, right {straps['right']}; e-stop {told['estop']}; mains {mains}",
    ]
    if not told["causes"]:
        rows.append("  alarm      none")
    rows += [f"  {cause['alarm']:10} {cause['code']}: {cause['message']}" for cause in told["causes"]]
    late = f"{told['overruns']} late ticks, the worst gap of the last minute {told['late_ms']} ms"
    rows.append(f"  process    {told['pid']}, up {_long(told['up_s'])}, plans offered: {told['visits']}; {late}")
    rows.append(f"  records    {told['records'] or 'everything is recorded'}")
    rows += [f"  {name:10} {told[key]}" for name, key in SELDOM if told[key]]
    rows.append(f"  clients    {told['clients']}, this one among them")
    return rows


SELDOM: Final = (("line", "line"), ("real time", "real_time"), ("stays", "stays"))


def _word(contacts: Any) -> str:
    return "unknown" if contacts is None else contacts.name.lower()


def _long(seconds: int) -> str:
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
