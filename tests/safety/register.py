"""What is wrong with the hazard table, against the code that executes it and the tests that provoke it."""

import ast
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIELDS = {"id", "hazard", "check", "active", "demand", "alarm", "bound_ms", "by", "clears", "tests", "status"}
OPTIONAL = {"then", "waits_for"}
DEMANDS = {"NO_DEEPENING", "STOP", "RETURN", "HOLD", "CUT", "refuse"}
ALARMS = {"LOW", "MEDIUM", "HIGH"}
LAST = 36
MAKERS = {"Cause", "refusal"}
NOT_HAZARDS = {"STOP"}

Row = Mapping[str, Any]


def rows() -> list[dict[str, Any]]:
    """Return the register's rows, in its order."""
    text = (ROOT / "safety/hazards.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["hazard"]
    return found


@cache
def sources() -> dict[str, str]:
    """Return the text of every module of `safety`, by name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "safety").glob("*.py"))}


@cache
def read(path: Path) -> str:
    """Read a file once."""
    return path.read_text(encoding="utf-8")


def offences(table: Iterable[Row], modules: Mapping[str, str], root: Path = ROOT) -> list[str]:
    """Say everything that is wrong, one sentence each; an empty list is a whole register."""
    table = list(table)
    found = _order(table)
    for row in table:
        found += _fields(row)
        if row.get("status") == "active":
            found += _check(row, modules)
            found += _tests(row, root)
    made = {code for text in modules.values() for code in codes_made(text)}
    spoken = {code for text in modules.values() for code in codes_spoken(text)}
    registered = {str(row.get("id")) for row in table}
    active = {str(row.get("id")) for row in table if row.get("status") == "active"}
    found += [f"{code} is used in safety and is no hazard" for code in sorted((made | spoken) - registered)]
    found += [f"{code} is active and nothing in safety gives it as a cause" for code in sorted(active - made)]
    return found


def _order(table: list[Row]) -> list[str]:
    ids = [str(row.get("id")) for row in table]
    expected = [f"H{number:02}" for number in range(1, LAST + 1)]
    missing = [f"{code} is missing" for code in expected if code not in ids]
    twice = [f"{code} stands {ids.count(code)} times" for code in sorted(set(ids)) if ids.count(code) > 1]
    foreign = [f"{code} is no hazard of the page" for code in ids if code not in expected]
    order = [] if ids == sorted(ids) else ["the rows do not stand in order"]
    return missing + twice + foreign + order


def _fields(row: Row) -> list[str]:
    name = row.get("id", "a row")
    found = [f"{name} has no {field}" for field in sorted(FIELDS - set(row))]
    found += [f"{name} has an unknown field {field}" for field in sorted(set(row) - FIELDS - OPTIONAL)]
    if row.get("demand") not in DEMANDS:
        found.append(f"{name} demands {row.get('demand')}, which is no demand")
    if row.get("alarm") not in ALARMS:
        found.append(f"{name} has the alarm {row.get('alarm')}, which is none")
    if row.get("status") not in {"active", "planned"}:
        found.append(f"{name} is {row.get('status')}, neither active nor planned")
    if not set(str(row.get("by", "")).split()) <= {"h", "g", "wire"} or not row.get("by"):
        found.append(f"{name} is enforced by nobody known")
    if (row.get("status") == "planned") != bool(row.get("waits_for")):
        found.append(f"{name}: what is planned says what it waits for, and nothing else does")
    if not isinstance(row.get("bound_ms"), int):
        found.append(f"{name} has no bound in milliseconds")
    return found


def _check(row: Row, modules: Mapping[str, str]) -> list[str]:
    module, _, function = str(row.get("check")).partition(".")
    tree = parsed(modules.get(module, ""))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if function not in functions:
        return [f"{row.get('id')} names the check {row.get('check')}, which does not exist"]
    return []


def _tests(row: Row, root: Path) -> list[str]:
    """Each test file named exists and mentions the id; a folder has a test that reads this register itself."""
    found = [] if row.get("tests") else [f"{row.get('id')} is active and has no test"]
    for name in row.get("tests", []):
        path = root / name
        if path.is_dir():
            reads = any("hazards.toml" in read(file) for file in path.glob("test_*.py"))
            found += [] if reads else [f"{row.get('id')} names {name}, where no test reads the register"]
        elif not path.is_file():
            found.append(f"{row.get('id')} names the test {name}, which does not exist")
        elif str(row.get("id")) not in (text := read(path)) and (str(row.get("id")).lower() not in text):
            found.append(f"{row.get('id')} names the test {name}, which does not mention it")
    return found


@cache
def parsed(text: str) -> ast.Module:
    """Parse a module once, however often it is asked about."""
    return ast.parse(text)


@cache
def codes_made(text: str) -> frozenset[str]:
    """Every code that a module gives to a cause or a refusal."""
    return frozenset(
        first.value
        for node in ast.walk(parsed(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
        if (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) in MAKERS and node.args
        if isinstance(first := node.args[0], ast.Constant) and isinstance(first.value, str)
        if first.value not in NOT_HAZARDS
    )


@cache
def codes_spoken(text: str) -> frozenset[str]:
    """Every string of a module that looks like a hazard's code."""
    return frozenset(
        node.value
        for node in ast.walk(parsed(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if len(node.value) == 3 and node.value[0] == "H" and node.value[1:].isdigit()
    )
