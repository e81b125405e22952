"""Plain lines never make the program wait: not for a full pipe, not for a reader who is gone."""

import os
from collections.abc import Iterator

import pytest

from controller.lines import MOST_WAITING, Lines

Pipe = tuple[int, Lines]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    near, far = os.pipe()
    stream = os.fdopen(far, "w", encoding="utf-8")
    yield near, Lines(stream)
    stream.close()


def read(near: int) -> list[str]:
    return os.read(near, 1_000_000).decode().splitlines()


def test_lines_are_written_one_at_a_time(pipe: Pipe) -> None:
    near, lines = pipe
    lines.say("−20° one")
    lines.say("two")
    assert lines.pump()
    assert read(near) == ["−20° one"]
    lines.finish()
    assert read(near) == ["two"]
    os.close(near)


def test_a_full_pipe_is_not_waited_for_and_what_was_left_out_is_told(pipe: Pipe) -> None:
    near, lines = pipe
    said = 0
    while True:
        lines.say("x" * 4000)
        said += 1
        if lines.pump():
            break
    for number in range(MOST_WAITING + 5):
        lines.say(f"line {number}")
        assert lines.pump()
    told: list[str] = []
    while not told or told[-1] != f"line {MOST_WAITING + 4}":
        told += read(near)
        lines.finish()
    assert said > 1
    assert any("lines were left out" in line for line in told)
    assert len([line for line in told if line.startswith("line ")]) <= MOST_WAITING
    os.close(near)


def test_a_reader_who_is_gone_stops_nothing(pipe: Pipe) -> None:
    near, lines = pipe
    os.close(near)
    for _ in range(3):
        lines.say("to nobody")
        lines.pump()
    lines.finish()


def test_without_a_stream_nothing_is_said() -> None:
    lines = Lines(None)
    lines.say("nothing")
    assert not lines.pump()


def test_what_an_encoding_has_no_sign_for_is_written_in_ascii() -> None:
    near, far = os.pipe()
    with os.fdopen(far, "w", encoding="ascii") as stream:
        lines = Lines(stream)
        lines.say("−20°")
        lines.finish()
        assert read(near) == ["-20 deg"]
    os.close(near)
