"""The frame parser and the table's side of the link under a fuzzer, with sanitizers; a planted defect is found."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.firmware_bridge.building import FIRMWARE, HELPERS, compiler
from tests.firmware_bridge.wire import FRAMES, REFUSED
from tests.needs import required
from tests.test_architecture import ROOT

SOURCES = [FIRMWARE / "frame.c", FIRMWARE / "table_link.c", HELPERS / "frame_fuzz.c"]
SANITIZED = "-std=c99 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all".split()
# Where tools may not be missing, as in continuous integration, the fuzzer gets its whole time.
LONG_S, SHORT_S = 30, 1
# Inputs that broke something, for whoever mends it.
KEPT = ROOT / ".state" / "fuzz"


def corpus(folder: Path) -> list[Path]:
    """The page's frames as inputs: over the wire, and as what is to be framed."""
    folder.mkdir()
    inputs = []
    for example in [*FRAMES, *REFUSED]:
        inputs.append(b"\1" + bytes.fromhex(example["wire"]))
        if "frame" in example:
            frame = bytes.fromhex(example["frame"])
            inputs.append(bytes([2, len(frame) - 7]) + frame[:-4])
    for number, data in enumerate(inputs):
        (folder / f"{number:03}").write_bytes(data)
    return sorted(folder.iterdir())


def build(
    folder: Path, command: Sequence[str], sources: Sequence[Path], planted: tuple[str, str] | None = None
) -> Path:
    """Build a program of sources; `planted` is a piece of frame.c and what stands there instead."""
    frame, *others = sources
    if planted:
        text = frame.read_text(encoding="utf-8")
        assert planted[0] in text
        frame = folder / frame.name
        frame.write_text(text.replace(*planted), encoding="utf-8")
    program = folder / "fuzz"
    whole = [*command, f"-I{FIRMWARE}", str(frame), *map(str, others), "-o", str(program)]
    result = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return program


def run(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, cwd=program.parent, capture_output=True, text=True, check=False)


@pytest.mark.needs("cc")
def test_spoilt_examples_break_nothing(tmp_path: Path) -> None:
    program = build(tmp_path, [compiler(), *SANITIZED], [*SOURCES, HELPERS / "fuzz_main.c"])
    result = run(program, "30000", "1", *corpus(tmp_path / "corpus"))
    assert result.returncode == 0, result.stderr


DEFECTS = {
    "a frame that is too long runs on": ("parser->length < FRAME_LARGEST", "parser->length < 255u"),
    "a block that is cut off counts as whole": ("parser->left != 0) {", "parser->left > 60) {"),
    "the check sum is not looked at": ("parser->crc != CRC_GOOD", "false"),
}


@pytest.mark.needs("cc")
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found(defect: str, tmp_path: Path) -> None:
    program = build(tmp_path, [compiler(), *SANITIZED], [*SOURCES, HELPERS / "fuzz_main.c"], DEFECTS[defect])
    assert run(program, "30000", "1", *corpus(tmp_path / "corpus")).returncode != 0


def fuzzed(folder: Path, for_s: int, planted: tuple[str, str] | None = None) -> tuple[int, str, list[Path]]:
    """Fuzz for some seconds; return how many inputs were tried, what the fuzzer said, and the inputs that broke it."""
    clang = shutil.which("clang")
    assert clang
    program = build(folder, [clang, *SANITIZED, "-fsanitize=fuzzer"], SOURCES, planted)
    corpus(folder / "corpus")
    kept = folder / "broke-it"
    kept.mkdir()
    options = (f"-max_total_time={for_s}", "-max_len=1024", "-print_final_stats=1", f"-artifact_prefix={kept}/")
    said = run(program, "corpus", *options).stderr
    tried = re.search(r"stat::number_of_executed_units: +(\d+)", said)
    return int(tried[1]) if tried else 0, said, sorted(kept.iterdir())


@pytest.mark.needs("clang")
@pytest.mark.timeout(180)
def test_the_fuzzer_finds_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for_s = LONG_S if "clang" in required(request.config) else SHORT_S
    tried, said, broke_it = fuzzed(tmp_path, for_s)
    if broke_it:
        # pytest clears its folders away sooner or later, and a clone is gone at once: what was found is told as well.
        KEPT.mkdir(parents=True, exist_ok=True)
        kept = [shutil.copy(found, KEPT) for found in broke_it]
        told = "; ".join(f"{found} is {found.read_bytes().hex()}" for found in map(Path, kept))
        pytest.fail(f"the fuzzer broke the frame parser. Inputs kept: {told}\n{said[-4000:]}", pytrace=False)
    assert tried > 1000 * for_s, said[-4000:]


@pytest.mark.needs("clang")
@pytest.mark.timeout(180)
def test_the_fuzzer_finds_a_planted_defect_and_keeps_what_found_it(tmp_path: Path) -> None:
    planted = DEFECTS["a frame that is too long runs on"]
    _, said, broke_it = fuzzed(tmp_path, 60, planted)
    assert len(broke_it) == 1, said
    assert "stack-buffer-overflow" in said or "runtime error" in said
    # The very input breaks it again, and not what is right.
    assert run(tmp_path / "fuzz", broke_it[0]).returncode != 0
    clang = shutil.which("clang")
    assert clang
    right = tmp_path / "right"
    right.mkdir()
    assert run(build(right, [clang, *SANITIZED, "-fsanitize=fuzzer"], SOURCES), broke_it[0]).returncode == 0
