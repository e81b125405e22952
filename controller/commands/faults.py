"""`inversion-table faults`: every fault that the simulated table can have."""

import argparse
import json
import textwrap
from typing import Any

from controller.arguments import add_example
from controller.voice import Voice

MISTAKE = 2


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand; `args.simulation` lists the faults."""
    parser = subparsers.add_parser(
        "faults",
        help="list what can be made to go wrong with a simulated table",
        description=(
            "List every fault: its name, the hazard that it provokes, and its parameters\n"
            "with units and defaults. A session takes a fault as\n"
            "NAME@WHEN[+DURATION][:key=value,…], where WHEN is a time from the first\n"
            "motion below level (40s) or a state and a time in it (holding+5s)."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    add_example(
        parser,
        "inversion-table faults",
        "inversion-table session --plan first-visit --fast --fault strap-opens@holding+5s:side=left",
    )
    parser.set_defaults(run=run_faults)


def run_faults(args: argparse.Namespace) -> int:
    """List the faults; return 0, or 2 where nobody took the list."""
    faults: list[dict[str, Any]] = args.simulation.faults()
    voice = Voice()
    if args.json:
        return 0 if voice.hand_over(json.dumps(faults, ensure_ascii=False)) else MISTAKE
    widest = max(len(fault["name"]) for fault in faults)
    lines = []
    for fault in faults:
        meaning = textwrap.wrap(fault.get("meaning", ""), 96 - widest) or [""]
        lines.append(f"{fault['name']:<{widest}}  {fault['hazard']}  {meaning[0]}")
        lines += [f"{'':<{widest}}       {line}" for line in [*meaning[1:], *_parameters(fault["parameters"])]]
    return 0 if voice.hand_over("\n".join(lines)) else MISTAKE


def _parameters(parameters: dict[str, dict[str, Any]]) -> list[str]:
    """Return one line a parameter: its name, its default with the unit, what is allowed, what it means."""
    lines = []
    for name, said in parameters.items():
        unit = f" {said['unit']}" if said.get("unit") else ""
        if "choices" in said:
            allowed = ", ".join(said["choices"])
        else:
            allowed = f"{said['low']:g} … {said['high']:g}{unit}"
        lines.append(f":{name}={said['default']}{unit} ({allowed}) {said['meaning']}")
    return lines
