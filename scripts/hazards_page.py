"""Write docs/hazards.md: the hazard table that the safety layer executes, out of `safety/hazards.toml`.

`python scripts/hazards_page.py` writes the page, `--check` says whether the committed one is current.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "hazards.md"
REGISTER = ROOT / "safety" / "hazards.toml"
BY = {"h": "host", "g": "guard", "wire": "wire"}
CLEARS = {
    "self": "by itself",
    "press": "by release and a fresh press",
    "ack": "released and ACK: HOLD; then RESET",
    "reset": "RESET",
    "service": "service tool only",
    "-": "a refusal holds nothing",
}
INTRODUCTION = """# Hazards, and what the software does about them

Generated from `safety/hazards.toml` by `scripts/hazards_page.py`; change the table there, not this page.
This is not a certified medical device, and no software replaces the wired chain: e-stop, end switches, brake,
manual return.

Angles: 0° is level, negative is head-down. *Level* is within ±1°, *below* deeper than −1°, *inverted* deeper than −5°.
Demands, in rising order: `ALLOW` (the wish is followed, within limits), `NO_DEEPENING` (holding and going toward level
continue), `STOP` (to rest), `RETURN` (to level and no further, with a tone; at or above −1° it is a `STOP`), `HOLD` (to
rest, moves only by the held button, toward level, slowly), `CUT` (drive and brake at once). `refuse` means: no arming,
or no start of a set, with the reason shown. The worst demand wins; the first cause is kept.
RESET is ACK held for 2 s, at level or above, still, every cause gone."""


def rows() -> list[dict[str, Any]]:
    """Return the register's rows, in its order."""
    found: list[dict[str, Any]] = tomllib.loads(REGISTER.read_text(encoding="utf-8"))["hazard"]
    return found


def line(row: dict[str, Any]) -> str:
    """Return one row of the page's table."""
    demand = f"`{row['demand']}`" + (f"; {row['then']}" if "then" in row else "")
    by = ", ".join(BY[letter] for letter in row["by"].split())
    check = f"`{row['check']}`" if row["status"] == "active" else f"planned: waits for {row['waits_for']}"
    within = f"{row['bound_ms']} ms" if row["bound_ms"] else ""
    clears = CLEARS.get(row["clears"], row["clears"])
    cells = [row["id"], row["hazard"], row["active"], demand, row["alarm"], within, clears, by, check]
    return re.sub(r"(?<!\w)-(?=\d)", "−", "| " + " | ".join(cells) + " |")


def page() -> str:
    """Return the whole page."""
    table = rows()
    planned = [row["id"] for row in table if row["status"] == "planned"]
    head = ["| id | hazard | active | demand | alarm | within | clears | by | check |", "|---" * 9 + "|"]
    judged = len(table) - len(planned)
    waiting = f"; {len(planned)} are planned: {', '.join(planned)}" if planned else ", and none is planned"
    end = f"{judged} rows are judged on the host today{waiting}."
    return "\n".join([INTRODUCTION, "", *head, *(line(row) for row in table), "", end, ""])


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Write docs/hazards.md from the hazard table.")
    parser.add_argument("--check", action="store_true", help="change nothing; say whether the page is current")
    if parser.parse_args().check:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        print("docs/hazards.md is current" if current else "docs/hazards.md is old: run python scripts/hazards_page.py")
        return 0 if current else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
