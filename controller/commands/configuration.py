"""`inversion-table check`, `profiles` and `plans`: what is configured, and whether it may be.

Results go to stdout, problems to stderr; with `--json` stdout holds exactly one JSON object.
"""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any, TextIO

from controller.voice import NOT_TAKEN, silence

if TYPE_CHECKING:
    from config.errors import Problem
    from config.names import Source

SUCCESS, MISTAKE = 0, 2


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the three subcommands; each sets `run`, which takes the parsed arguments and returns the exit code."""
    check = _parser(
        subparsers,
        "check",
        "say everything that is wrong with files of ours",
        "Read profiles, plans, screening lists and declarations and tell every mistake at once.\n"
        "Exit code 0: all in order, else 2.",
        "inversion-table check my-table.toml\n  inversion-table check --profile my-table.toml evening-plan.toml",
    )
    check.add_argument("files", metavar="FILE", nargs="+", help="a TOML file that begins with a format line of ours")
    check.add_argument("--profile", metavar="NAME|FILE", help="the table whose limits plans are held against")
    check.set_defaults(run=run_check)
    profiles = _parser(
        subparsers,
        "profiles",
        "list the tables that are described",
        "List the shipped profiles and the site's own in /etc/inversion-table/profiles.",
        "inversion-table profiles --json",
    )
    profiles.set_defaults(run=run_profiles)
    plans = _parser(
        subparsers,
        "plans",
        "list the plans",
        "List the shipped plans and the site's own in /etc/inversion-table/plans, as one table allows them.",
        "inversion-table plans --profile simulated",
    )
    plans.add_argument("--profile", metavar="NAME|FILE", default="simulated", help="the table (default: %(default)s)")
    plans.set_defaults(run=run_plans)


def run_check(args: argparse.Namespace) -> int:
    """Check each file; return 0 when all are in order, else 2.

    Raises:
        InversionTableError: the profile named by `--profile` cannot be used.
    """
    from config.errors import ConfigurationError
    from config.loading import check_plan, load_file, load_profile
    from config.plan import Plan
    from controller.commands.figures import described, identity, problem_json

    limits = load_profile(args.profile).limits() if args.profile is not None else None
    results: list[dict[str, Any]] = []
    wrong = 0
    for name in args.files:
        try:
            loaded = load_file(name)
            if limits is not None and isinstance(loaded, Plan):
                check_plan(loaded, limits, _plain(name))
        except ConfigurationError as error:
            wrong += 1
            _tell(str(error))
            results.append({"file": name, "ok": False, "problems": [problem_json(one) for one in error.problems]})
        else:
            results.append({"file": name, "ok": True, "problems": [], **identity(loaded)})
            if not args.json:
                _say(f"ok: {_plain(name)}: {described(loaded, limits)}")
    if args.json:
        _say(json.dumps({"ok": wrong == 0, "files": results}))
    elif wrong:
        _tell(f"{wrong} of {len(results)} files cannot be used.")
    return MISTAKE if wrong else SUCCESS


def run_profiles(args: argparse.Namespace) -> int:
    """List every profile; return 0."""
    from config.errors import ConfigurationError
    from config.loading import load_source
    from config.names import known
    from config.profile import Profile
    from controller.commands.figures import profile_json, profile_text

    rows: list[dict[str, Any]] = []
    lines: list[tuple[str, ...]] = []
    for source in known("profile"):
        try:
            profile = load_source(Profile, source)
        except ConfigurationError as error:
            rows.append(_broken(source, error.problems))
            lines.append((_plain(source.name), "cannot be used", _advice(source)))
            continue
        rows.append({**_listed(source), **profile_json(profile)})
        lines.append((profile.name, profile.title, profile_text(profile)))
    _list("profile", rows, lines, args.json)
    return SUCCESS


def run_plans(args: argparse.Namespace) -> int:
    """List every plan, as one profile allows it; return 0.

    Raises:
        InversionTableError: the profile cannot be used.
    """
    from config.errors import ConfigurationError
    from config.loading import check_plan, load_profile, load_source
    from config.names import known
    from config.plan import Plan
    from controller.commands.figures import plan_json, plan_text, problem_json

    limits = load_profile(args.profile).limits()
    rows: list[dict[str, Any]] = []
    lines: list[tuple[str, ...]] = []
    for source in known("plan"):
        try:
            plan = load_source(Plan, source)
        except ConfigurationError as error:
            rows.append(_broken(source, error.problems))
            lines.append((_plain(source.name), "cannot be used", _advice(source)))
            continue
        problems: tuple[Problem, ...] = ()
        try:
            check_plan(plan, limits, source.label)
        except ConfigurationError as error:
            problems = error.problems
        rows.append({**_listed(source), **plan_json(plan, limits), "problems": [problem_json(one) for one in problems]})
        lines.append((plan.name, plan.title, plan_text(plan, limits), "not on this table" if problems else ""))
    _list("plan", rows, lines, args.json)
    return SUCCESS


def _parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, short: str, long: str, example: str
) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        name,
        help=short,
        description=long,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # A name is whole, never a prefix; an option too.
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _list(what: str, rows: list[dict[str, Any]], lines: list[tuple[str, ...]], as_json: bool) -> None:
    """Print a list of profiles or plans."""
    from config.names import shadowed

    for path in shadowed("plan" if what == "plan" else "profile"):
        _tell(f"{_plain(path)}: never found by name, a shipped {what} has it; give its path, or another name")
    if as_json:
        _say(json.dumps({f"{what}s": rows}))
        return
    widths = [max((len(line[column]) for line in lines), default=0) for column in range(2)]
    for name, title, *rest in lines:
        _say("  ".join([name.ljust(widths[0]), title.ljust(widths[1]), *rest]).rstrip())


def _listed(source: "Source") -> dict[str, Any]:
    return {"origin": source.origin, "file": str(source.file)}


def _broken(source: "Source", problems: "tuple[Problem, ...]") -> dict[str, Any]:
    """Return the JSON of a file that cannot be used."""
    from controller.commands.figures import problem_json

    return {"name": source.name, **_listed(source), "problems": [problem_json(one) for one in problems]}


def _advice(source: "Source") -> str:
    return f"see: inversion-table check {source.label}"


def _plain(text: str) -> str:
    """Return a name from outside as it may be printed."""
    from config.errors import shorten

    return shorten(text, 200)


def _say(line: str) -> None:
    """Print a line of a result. Raises UsageError where nobody takes it."""
    from config.errors import UsageError

    try:
        _put(sys.stdout, line)
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout)
        raise UsageError(f"{NOT_TAKEN}: {error.strerror}; send them somewhere else") from error


def _tell(line: str) -> None:
    try:
        _put(sys.stderr, line)
    except OSError:
        silence(sys.stderr)


def _put(stream: TextIO, line: str) -> None:
    """Print a line, also where the terminal's encoding lacks a character. Raises OSError."""
    encoding = stream.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
