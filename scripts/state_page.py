"""Write docs/states.md: the diagram and the table of a session's states, out of the machine itself.

`python scripts/state_page.py` writes the page, `--check` says whether the committed one is current.
"""

import argparse
import re
import sys
from pathlib import Path

from transitions.extensions import GraphMachine

from controller import states
from safety.signals import State

PAGE = Path(__file__).parent.parent / "docs" / "states.md"


class _Model:
    """Whatever the diagram library hangs its methods on."""

    def is_armed(self) -> bool:
        """Named by the table's conditions."""
        return False


def diagram() -> str:
    """Return the machine as a Mermaid state diagram."""
    model = _Model()
    GraphMachine(
        model=model,
        states=list(State),
        transitions=[dict(row) for row in states.TABLE],
        initial=State.IDLE,
        auto_transitions=False,
        graph_engine="mermaid",
        show_conditions=True,
    )
    source: str = model.get_graph().source  # type: ignore[attr-defined]
    # The library writes a header with a title and marks the present state; a page has neither.
    body = source[source.index("stateDiagram") :]
    dropped = ("classDef", "class ", "Class ")
    kept = [line.rstrip() for line in body.splitlines() if line.strip() and not line.lstrip().startswith(dropped)]
    return re.sub(r"\b[A-Z]{4,}(_[A-Z]+)?\b", lambda name: name[0].lower(), "\n".join(kept))


def page() -> str:
    """Return the whole page."""
    words = (states.__doc__ or "").split("\n\n")
    rows = []
    for row in states.TABLE:
        sources = row["source"] if isinstance(row["source"], tuple) else (row["source"],)
        only = "armed" if "conditions" in row else "not armed" if "unless" in row else ""
        rows.append(f"| `{row['trigger']}` | {', '.join(s.value for s in sources)} | {row['dest'].value} | {only} |")
    return "\n".join(
        [
            "# The states of a session",
            "",
            "Generated from `controller/states.py` by `scripts/state_page.py`; change the table, not this page.",
            "`emergency_return` and `stopped` are forced by the safety layer; the machine only follows.",
            "",
            words[-1].strip(),
            "",
            "```mermaid",
            diagram(),
            "```",
            "",
            "| step | from | to | only while |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Write docs/states.md from the state machine.")
    parser.add_argument("--check", action="store_true", help="change nothing; say whether the page is current")
    if parser.parse_args().check:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        print("docs/states.md is current" if current else "docs/states.md is old: run python scripts/state_page.py")
        return 0 if current else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
