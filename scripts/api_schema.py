"""Write docs/api-schema.json: every message of the control process's local socket, as JSON Schema.

`python scripts/api_schema.py` writes the file, `--check` says whether the committed one is current.
"""

import argparse
import enum
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from controller import messages as say
from safety import signals

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docs" / "api-schema.json"
TO_CONTROL: list[Any] = [*say.Request.__args__]
FROM_CONTROL: list[Any] = [*say.Reply.__args__]


def schema() -> dict[str, Any]:
    """Return the whole schema: what a client sends, what it is sent, and every type in these."""
    found, definitions = msgspec.json.schema_components([*TO_CONTROL, *FROM_CONTROL], ref_template="#/$defs/{name}")
    refs = list(found)
    for name, definition in definitions.items():
        kind = getattr(signals, name, None)
        if isinstance(kind, type) and issubclass(kind, enum.IntEnum):
            # A number says nothing to a reader; JSON Schema has no word for its name, so it is an extension.
            definition["x-names"] = {str(member.value): member.name for member in kind}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"inversion-table local API, version {say.VERSION}",
        "to_control": refs[: len(TO_CONTROL)],
        "from_control": refs[len(TO_CONTROL) :],
        "$defs": dict(sorted(definitions.items())),
    }


def main() -> int:
    """Write or check the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="only say whether the committed file is current")
    text = json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    if parser.parse_args().check:
        if FILE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{FILE.relative_to(ROOT)} is not current: run python scripts/api_schema.py", file=sys.stderr)
        return 1
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
