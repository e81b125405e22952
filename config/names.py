"""Where profiles and plans are found: shipped with the program, then a site's own.

A name is whole, never a prefix. Anything with a slash or ending in `.toml` is a file. A site's file that has the name
of a shipped one is never found by name: what `standard` means must not depend on the machine.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from config.errors import UnknownNameError, nearest, shorten
from config.reading import read_bytes, read_shipped

SITE = Path("/etc/inversion-table")
Kind = Literal["profile", "plan"]


@dataclass(frozen=True, slots=True)
class Source:
    """One place to read from; `label` is what messages call it, `name` is empty where a file was asked for.

    `origin` is `shipped`, `site` or `file`.
    """

    label: str
    name: str
    origin: Literal["shipped", "site", "file"]
    file: Traversable | Path

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises:
            ConfigurationError: as `config.reading.read_bytes`.
        """
        return read_bytes(self.file) if isinstance(self.file, Path) else read_shipped(self.file)


def shipped_file(*parts: str) -> Traversable:
    """Return a file that comes with this package, installed or not."""
    return resources.files("config").joinpath(*parts)


def _stems(folder: Traversable | Path) -> dict[str, Traversable | Path]:
    """Return the TOML files of a folder by their stems; a folder that is missing or closed has none."""
    try:
        files = sorted(folder.iterdir(), key=lambda file: file.name)
    except OSError:
        return {}
    return {file.name.removesuffix(".toml"): file for file in files if file.name.endswith(".toml")}


def known(kind: Kind) -> Iterator[Source]:
    """Yield every shipped profile or plan, then the site's own, each by name."""
    shipped = _stems(shipped_file(f"{kind}s"))
    for name, file in shipped.items():
        yield Source(f"{kind}s/{name}.toml", name, "shipped", file)
    for name, file in _stems(SITE / f"{kind}s").items():
        if name not in shipped:
            yield Source(shorten(str(file), 200), name, "site", file)


def shadowed(kind: Kind) -> list[str]:
    """Return the site's files that cannot be found by name, because a shipped one has it."""
    shipped = _stems(shipped_file(f"{kind}s"))
    return [str(file) for name, file in _stems(SITE / f"{kind}s").items() if name in shipped]


def file_source(path: str | os.PathLike[str]) -> Source:
    """Return the source for a file."""
    return Source(shorten(str(path), 200), "", "file", Path(path))


def find(kind: Kind, name_or_path: str | os.PathLike[str]) -> Source:
    """Return where to read a profile or plan from.

    Raises:
        UnknownNameError: no file is meant and no profile or plan has this name.
    """
    if not isinstance(name_or_path, str):
        return file_source(name_or_path)
    if "/" in name_or_path or os.sep in name_or_path or name_or_path.endswith(".toml"):
        return file_source(name_or_path)
    sources = list(known(kind))
    for source in sources:
        if source.name == name_or_path:
            return source
    names = [source.name for source in sources]
    hint = "" if nearest(name_or_path, names) else "A file is named with its path or its ending .toml."
    raise UnknownNameError(kind, name_or_path, names, hint)
