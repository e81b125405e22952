"""The outside tools that some tests need: how each is recognised, and which Debian packages bring it.

This is the one list. The marker `needs` (tests/needs.py), `make tools` and `.ci/run` all read it. Nothing but the
standard library is imported, so that `make tools` works before anything is installed.

    python -m tests.tools             what is here, and the line that installs all of them
    python -m tests.tools --packages  the packages of the tools that tests are marked with and that are missing here
"""

import argparse
import ast
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Debian keeps servers where an ordinary user's PATH does not look.
SERVER_PLACES = ("/usr/sbin", "/usr/local/sbin")


def program(*names: str) -> Callable[[], bool]:
    """Return a probe that is true when any of the programs is on the path or among the servers."""

    def here() -> bool:
        path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SERVER_PLACES))
        return any(shutil.which(name, path=path) for name in names)

    return here


def file(*patterns: str) -> Callable[[], bool]:
    """Return a probe that is true when each pattern matches a file."""

    def here() -> bool:
        return all(any(Path("/").glob(pattern.lstrip("/"))) for pattern in patterns)

    return here


@dataclass(frozen=True)
class Tool:
    """One tool: what it is for, the Debian packages that bring it (none: `elsewhere` says whence), its probes."""

    purpose: str
    packages: tuple[str, ...]
    probes: tuple[Callable[[], bool], ...]
    elsewhere: str = ""

    def here(self) -> bool:
        """Say whether this machine has it."""
        return all(probe() for probe in self.probes)


TOOLS: dict[str, Tool] = {
    "cc": Tool("builds the guard for this machine", ("gcc", "libc6-dev"), (program("cc", "gcc", "clang"),)),
    "clang": Tool(
        "fuzzes the guard",
        ("clang", "libclang-rt-dev"),
        (program("clang"), file("/usr/lib/llvm-*/lib/clang/*/lib/*/libclang_rt.fuzzer*.a")),
    ),
    "avr": Tool(
        "builds the firmware",
        ("gcc-avr", "avr-libc", "binutils-avr"),
        (program("avr-gcc"), program("avr-objcopy"), file("/usr/lib/avr/include/avr/io.h")),
    ),
    "simavr": Tool(
        "runs the firmware's machine code",
        ("libsimavr-dev", "libelf-dev", "gcc", "libc6-dev"),
        (program("cc", "gcc", "clang"), file("/usr/include/simavr/sim_avr.h", "/usr/include/libelf.h")),
    ),
    "tmux": Tool("shows what a terminal shows", ("tmux",), (program("tmux"),)),
    "cppcheck": Tool("checks the firmware's C", ("cppcheck",), (program("cppcheck"),)),
    "frama-c": Tool("analyses the guard", ("frama-c-base",), (program("frama-c"),)),
    "esbmc": Tool("proves the guard", (), (program("esbmc"),), "no Debian package: put the program esbmc on the path"),
    "postgres": Tool(
        "keeps records of many tables",
        ("postgresql",),
        (lambda: program("initdb")() or file("/usr/lib/postgresql/*/bin/initdb")(),),
    ),
    "mosquitto": Tool("carries what tables publish", ("mosquitto",), (program("mosquitto"),)),
    "chromium": Tool("looks at the pages", ("chromium",), (program("chromium", "chromium-browser"),)),
}


def missing(names: Iterable[str]) -> list[str]:
    """Return those of the named tools that this machine lacks, in the order of the list."""
    wanted = set(names)
    return [name for name, tool in TOOLS.items() if name in wanted and not tool.here()]


def packages(names: Iterable[str]) -> list[str]:
    """Return the Debian packages that bring the named tools, each once."""
    return list(dict.fromkeys(package for name in names for package in TOOLS[name].packages))


def marked(folder: Path = HERE) -> list[str]:
    """Return the tools that tests in `folder` are marked with, in the order of the list.

    The files are parsed, not searched, so that a marker inside a string of a planted test does not count.
    """
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.needs"):
                found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return [name for name in TOOLS if name in found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is here and what brings the rest; install nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools", description="Tools that some tests need.")
    parser.add_argument("--packages", action="store_true", help="only the packages that marked tests lack here")
    if parser.parse_args(arguments).packages:
        print(*packages(missing(marked())))
        return 0
    for name, tool in TOOLS.items():
        hint = f" ({tool.elsewhere})" if tool.elsewhere else ""
        print(f"{name:10} {'here' if tool.here() else 'missing':8} {tool.purpose}{hint}")
    print("Nothing was installed. On Debian, Ubuntu and Raspberry Pi OS this line brings them:")
    print("sudo apt-get update && sudo apt-get install -y --no-install-recommends", *packages(TOOLS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
