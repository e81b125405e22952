"""Files that are none of ours: one sentence each, whatever they are."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.loading import load_file, load_plan, load_profile
from config.reading import MOST_BYTES, MOST_IN_LINE
from tests.config.writing import PLAN, document, save

HEAD = 'format = "inversion-table/plan@1"\n'
CONTENTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b"  \n\t\r\n", "is empty"),
    "only a comment": (b"# nothing\n", "format: the line is missing"),
    "random": (bytes(range(256)) * 4, "is no text: byte 129 is not UTF-8"),
    "binary": (b"\x7fELF\x02\x01\x01\x00\x00\x00\xff", "is no text: byte 11 is not UTF-8"),
    "zeros": (b"\x00" * 100, "is not TOML"),
    "utf-16": (document(PLAN).encode("utf-16"), "is no text: byte 1 is not UTF-8"),
    "yaml": (b"format: inversion-table/plan@1\n", "is not TOML: Expected '=' after a key"),
    "json": (b'{"format": "inversion-table/plan@1"}', "is not TOML: Invalid statement (at line 1, column 1)"),
    "half a line": (HEAD.encode() + b"hold_s = \n", "is not TOML: Invalid value (at line 2, column 10)"),
    "a key twice": (HEAD.encode() + b"hold_s = 1\nhold_s = 2\n", "is not TOML: Cannot overwrite a value"),
    "a table twice": (HEAD.encode() + b"[staged]\n[staged]\n", "is not TOML: Cannot declare"),
    "no format": (b"hold_s = 60\n", "format: the line is missing"),
    "nested lists": (HEAD.encode() + b"a = " + b"[\n" * 20_000, "nested too deeply"),
    "nested tables": (HEAD.encode() + b"a = " + b"{a = [\n" * 5_000, "nested too deeply"),
    "dotted deep": (HEAD.encode() + b".".join([b"a"] * 240) + b" = 1", "a: is no known key"),
    "dotted too deep": (HEAD.encode() + b".".join([b"a"] * 20_000) + b" = 1", "line 2 is too long to be one of ours"),
    "headed deep": (HEAD.encode() + b"[" + b".".join([b"a"] * 240) + b"]\n", "a: is no known key"),
    "deep in a table": (HEAD.encode() + b"[staged]\n" + b"a." * 240 + b"a = 1", "staged.a: is no known key"),
    "400 digits": (
        HEAD.encode() + b"hold_s = " + b"9" * 400,
        "hold_s = a number of more than 30 digits: is above the highest allowed (allowed: 1 … 300 s)",
    ),
    "5000 digits": (HEAD.encode() + b"hold_s = " + b"9" * 5000, "line 2 is too long to be one of ours"),
    "400 decimals": (
        HEAD.encode() + b"speed_deg_s = 1." + b"9" * 400,
        "has too many digits after the point (allowed: 0.5 … 2 °/s)",
    ),
    "a vast exponent": (HEAD.encode() + b"speed_deg_s = 1e999999999", "is far too large (allowed: 0.5 … 2 °/s)"),
    "a vaster exponent": (HEAD.encode() + b"speed_deg_s = 1e" + b"9" * 100, "speed_deg_s = "),
    "a tiny exponent": (HEAD.encode() + b"speed_deg_s = 1e-999999999", "has too many digits after the point"),
    "no day": (HEAD.encode() + b"hold_s = 2026-02-31", "is not TOML: Invalid date or datetime"),
}


def sentence(path: Path) -> str:
    told = set()
    for load in (load_plan, load_file):
        with pytest.raises(ConfigurationError) as caught:
            load(path)
        assert all("\n" not in str(problem) for problem in caught.value.problems)
        assert all(str(path) in str(problem) for problem in caught.value.problems)
        told.add(str(caught.value))
    return max(told, key=len)


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_file_that_is_none_of_ours_is_refused_in_a_sentence(kind: str, tmp_path: Path) -> None:
    content, expected = CONTENTS[kind]
    path = tmp_path / "file.toml"
    path.write_bytes(content)
    assert expected in sentence(path)


def test_a_file_too_long_is_refused_and_one_just_so_long_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    right = document(PLAN).encode()
    path.write_bytes(right + b"\n" * (MOST_BYTES - len(right)))
    assert load_plan(path).name == "first-visit"
    path.write_bytes(right + b"\n" * (MOST_BYTES - len(right) + 1))
    assert f"is too long to be one of ours (allowed: up to {MOST_BYTES} bytes)" in sentence(path)


def test_a_line_too_long_is_refused_and_one_just_so_long_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text(document(PLAN) + "#" * MOST_IN_LINE)
    assert load_plan(path).name == "first-visit"
    path.write_text(document(PLAN) + "#" * (MOST_IN_LINE + 1))
    assert f"line 9 is too long to be one of ours (allowed: up to {MOST_IN_LINE} characters)" in sentence(path)


def test_a_byte_order_mark_and_other_line_ends_harm_nobody(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_bytes(b"\xef\xbb\xbf" + document(PLAN).replace("\n", "\r\n").encode())
    assert load_plan(path) == load_plan("first-visit")


def _directory(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda _: None, "there is no such file"),
        (_directory, "is a directory, a TOML file is wanted"),
        (_pipe, "is no ordinary file"),
        (_loop, "cannot be read: "),
        (_dangling, "there is no such file"),
    ],
)
def test_what_is_no_file_is_refused_in_a_sentence(make: Callable[[Path], None], expected: str, tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    make(path)
    assert expected in sentence(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/dev/zero", "is no ordinary file"),
        ("pyproject.toml/file.toml", "there is no such file"),
        ("a\0b.toml", "is no possible file name"),
        ("a/" * 5000 + "b.toml", "cannot be read: File name too long"),
        ("./\udc80.toml", "there is no such file"),
    ],
)
def test_an_impossible_path_is_refused_in_a_sentence(name: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(expected)):
        load_profile(name)


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, PLAN)

    # Planted, because these tests may run as a user who may read everything.
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "may not be read by this user (permission denied)" in sentence(path)


def test_a_failing_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, PLAN)

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    assert "cannot be read: Input/output error" in sentence(path)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'format = "inversion-table/plam@1"',
            (
                'format = "inversion-table/plam@1": is no format of ours (allowed: "inversion-table/plan@1"); '
                'did you mean "inversion-table/plan@1"?'
            ),
        ),
        ('format = "inversion-table/plan@2"', 'did you mean "inversion-table/plan@1"?'),
        ('format = "plan"', 'format = "plan": is no format of ours'),
        ('format = "inversion-table/profile@1"', "this is a profile"),
        ("format = 1", "format = 1: is no format of ours"),
        ("format = []", "format = a list of 0: is no format of ours"),
        ('Format = "inversion-table/plan@1"', "format: the line is missing (there is a key Format)"),
    ],
)
def test_a_wrong_format_line_is_told_with_the_right_one(line: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text(f"{line}\nhold_s = 60\n")
    with pytest.raises(ConfigurationError) as caught:
        load_plan(path)
    (problem,) = caught.value.problems
    assert told in str(problem)


def test_any_of_our_formats_is_recognised() -> None:
    folder = Path(__file__).resolve().parents[2] / "config"
    names = {path.name: type(load_file(path)).__name__ for path in sorted(folder.rglob("*.toml"))}
    assert names == {
        "mega-serial.toml": "Profile",
        "pi-gpio.toml": "Profile",
        "simulated.toml": "Profile",
        "wire.toml": "Profile",
        "declared.toml": "Declared",
        "first-visit.toml": "Plan",
        "short.toml": "Plan",
        "standard.toml": "Plan",
        "three-sets.toml": "Plan",
        "screening.toml": "Screening",
    }
