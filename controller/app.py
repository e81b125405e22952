"""The command `inversion-table`: the one place where commands, configuration and simulation are put together.

`main` returns an exit code and lets nothing else out: a mistake is one sentence, a defect of the program one
sentence and a file with its traceback. What is for people goes to stderr, results to stdout.
"""

import argparse
import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from config.plan import Plan
    from config.profile import Profile
    from controller.runner import OpenedTable
    from controller.startup import AtHand
    from safety.signals import Permit

PACKAGES = ("config", "safety", "firmware_bridge", "controller", "sim")
PROGRAM = "inversion-table"
DEFECT, MISTAKE, ENDED_BY_PERSON = 1, 2, 6

# The simulated table has a day of its own (in 2027), so that one seed gives one run on every date.
SIMULATED_DAY_S = 1_800_000_000

DESCRIPTION = """\
Controller for a motorized inversion table, with a simulated table. Not a certified medical device.
0° is level, negative angles are head-down.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` defaults to the program's own arguments."""
    words = list(sys.argv[1:] if argv is None else argv)
    foreign = foreign_names()
    if foreign:
        _tell(words, f"refusing to run: {'; '.join(foreign)}. Install into an environment of its own.", MISTAKE)
        return MISTAKE
    from config.errors import InversionTableError
    from controller.voice import flush_all, silence

    state = None
    try:
        args = _parsed(words)
        state = getattr(args, "state", None)
        code = args.run(args)
    except InversionTableError as error:
        code = error.exit_code
        _tell(words, str(error), code)
    except SystemExit as leaving:  # --help and --version
        code = leaving.code if isinstance(leaving.code, int) else 0
    except BrokenPipeError:
        # Whoever read the results has heard enough.
        silence(sys.stdout)
        code = 0
    except KeyboardInterrupt:
        code = ENDED_BY_PERSON
        _tell(words, "ended by Ctrl-C; nothing moved", code)
    except Exception as error:  # noqa: BLE001 a defect is told in a sentence, whatever it is
        code = DEFECT
        _tell(words, _defect(error, state), code)
    flush_all()
    return int(code)


def foreign_names() -> list[str]:
    """Return a sentence for each of our package names that leads to somebody else's files."""
    root = Path(__file__).resolve().parent.parent
    wrong = []
    for name in PACKAGES:
        loaded = sys.modules.get(name)
        if loaded is not None:
            origin = getattr(loaded, "__file__", None)
        else:
            spec = importlib.util.find_spec(name)
            origin = None if spec is None else spec.origin
        if origin is None or Path(origin).resolve() != root / name / "__init__.py":
            wrong.append(f'the name "{name}" leads to {origin or "nothing"}, not to this program\'s {root / name}')
    return wrong


def _parsed(words: list[str]) -> argparse.Namespace:
    """Read the command line. Raises UsageError; SystemExit after --help and --version."""
    from controller.arguments import Parser, add_example
    from controller.commands import (
        configuration,
        doctor,
        faults,
        flash,
        journal,
        panel,
        serve,
        session,
        sim,
        status,
        wiring,
    )

    parser = Parser(prog=PROGRAM, description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and leave")
    add_example(
        parser,
        "inversion-table session --plan first-visit --speed 10",
        "inversion-table check my-plan.toml",
        "inversion-table session --help",
    )
    subparsers: Any = parser.add_subparsers(metavar="COMMAND", dest="command", required=True, title="commands")
    session.register(subparsers)
    for module in (serve, panel, status, doctor, configuration, faults, sim, wiring, flash, journal):
        module.register(subparsers)
    parser.set_defaults(simulation=InProcess(), wire=BehindAWire(), living=Living(), run_table=run_table)
    args, unknown = parser.parse_known_args(words)
    if unknown:
        subparsers.choices[args.command].refuse_unknown(unknown)
    return args


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{PROGRAM} {version(PROGRAM)}")
        parser.exit()


def _tell(words: list[str], sentence: str, code: int) -> None:
    """Tell people what is wrong, and programs too if they asked for JSON."""
    from controller.voice import Voice

    voice = Voice()
    voice.say(f"{PROGRAM}: {sentence}")
    if "--json" in words:
        voice.hand_over(json.dumps({"error": sentence, "exit": code}, ensure_ascii=False))


def _defect(error: Exception, state: str | None) -> str:
    from controller.places import keep_traceback

    where = keep_traceback(error, state)
    told = f"the traceback is in {where}" if where else "its traceback could not be written anywhere"
    return f"a defect in this program ({type(error).__name__}: {error}); {told}"


def run_table(args: argparse.Namespace) -> int:
    """Run a simulated table in this process until a signal ends it. Raises InversionTableError."""
    from sim.cli import run_sim

    return run_sim(args)


class InProcess:
    """The simulated table in this very program, in virtual time, with simulated people around it."""

    def faults(self) -> list[dict[str, Any]]:
        """List every fault, as `inversion-table faults --json` does."""
        from sim.faults.catalogue import catalogue

        return [kind.as_json() for kind in catalogue()]

    def parse_fault(self, text: str) -> object:
        """Read a fault as written on the command line. Raises UsageError."""
        from sim.faults.catalogue import parse

        return parse(text)

    def open(
        self, profile: "Profile", plan: "Plan", seed: int, patient: dict[str, float], faults: Sequence[Any]
    ) -> "OpenedTable":
        """Build a simulated table, put people around it and arrange for faults. Raises UsageError."""
        from controller.permits import simulated
        from controller.runner import OpenedTable
        from controller.voice import Voice
        from firmware_bridge.guard_build import prepare_guard
        from safety.signals import Host
        from sim.body import Person
        from sim.faults.papers import boot_angle_deg, tamper
        from sim.faults.schedule import FaultSchedule
        from sim.habits import Habits
        from sim.people import People
        from sim.table import build

        habits = Habits()
        start_deg = boot_angle_deg(faults, habits.boards_at_deg)
        body = Person(**patient)
        guard = prepare_guard(Voice().say)
        table = build(
            profile,
            seed=seed,
            mass_kg=body.mass_kg,
            height_cm=body.height_cm,
            offset_cm=body.offset_cm,
            start_deg=start_deg,
            guard=guard,
        )
        schedule = FaultSchedule(table, faults)
        people = People(table.hands, habits)
        version = profile.limits().screening_version

        def permit_for(one: "Plan") -> "Permit":
            return tamper(simulated(one, version, SIMULATED_DAY_S), table)

        return OpenedTable(
            bridge=table.bridge,
            clock=table.clock,
            guard="host build" if guard else "absent",
            permit=permit_for(plan),
            host=Host(clock_ok=True, config_ok=True, started_table=True, wall_s=SIMULATED_DAY_S, records_ok=True),
            observers=(schedule.observe, people.observe),
            truth=table.recorded,
            gave_up=lambda: people.supervisor.gave_up,
            unreached=lambda: [f"{fault.name}@{fault.when}" for fault in schedule.unreached],
            hands=table.hands,
            stand_aside=people.supervisor.leave,
            permit_for=permit_for,
        )


class BehindAWire:
    """The simulated table in a process of its own behind a pseudo-terminal, in real time, its people in this one."""

    def open(
        self,
        profile: "Profile",
        plan: "Plan",
        seed: int,
        patient: dict[str, float],
        faults: Sequence[Any],
        options: Sequence[str],
    ) -> "OpenedTable":
        """Start the table, take its line and its hands, and put people around it.

        `options` are those of the command line that its process needs too.

        Raises:
            InversionTableError: the table cannot be started, reached, or have such faults.
        """
        from controller.permits import simulated
        from controller.runner import OpenedTable
        from safety.signals import Host
        from sim.body import Person
        from sim.faults.papers import tampered
        from sim.habits import Habits
        from sim.people import People
        from sim.wire_room import WireRoom

        Person(**patient)
        habits = Habits()
        room = WireRoom(profile, seed, patient, faults, habits.boards_at_deg, options)
        people = People(room.hands, habits)
        version = profile.limits().screening_version

        def permit_for(one: "Plan") -> "Permit":
            return tampered(simulated(one, version, SIMULATED_DAY_S), room.papers)

        return OpenedTable(
            bridge=room.bridge,
            clock=room.clock,
            guard=room.process.guard,
            permit=permit_for(plan),
            host=Host(clock_ok=True, config_ok=True, started_table=True, wall_s=SIMULATED_DAY_S, records_ok=True),
            observers=(room.faults.observe, people.observe, room.renew),
            truth=room.truth,
            gave_up=lambda: people.supervisor.gave_up,
            unreached=lambda: [f"{fault.name}@{fault.when}" for fault in room.faults.unreached],
            real_time=True,
            news=room.news,
            lost=room.process.ended,
            close=room.close,
            hands=room.hands,
            stand_aside=people.supervisor.leave,
            permit_for=permit_for,
        )


class Living:
    """The simulated table that outlives the control process, in a process of its own; people come from elsewhere."""

    def reach(self, profile: "Profile", folder: Path, options: list[str], wall_s: int) -> "AtHand":
        """Find the table that an earlier run left behind, or start one. Raises InversionTableError."""
        from controller.startup import AtHand
        from controller.voice import Voice
        from firmware_bridge.guard_build import prepare_guard
        from safety.signals import Host
        from sim.living import LivingTable

        prepare_guard(Voice().say)
        table = LivingTable(profile, folder, options)
        return AtHand(
            bridge=table.bridge,
            clock=table.clock,
            guard="host build",
            host=Host(clock_ok=True, config_ok=True, started_table=True, wall_s=wall_s),
            simulated=True,
            hands=table.where.hands,
            found=table.found,
            news=table.news,
            trouble=table.trouble,
            lost=table.ended,
            leave=table.leave,
            end=table.end,
        )


if __name__ == "__main__":
    sys.exit(main())
