"""Ticks go into columns and come back as they were, whatever they are; damaged columns are told, never guessed."""

import json
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.journal_chunks import COLUMNS, ChunkError, pack, unpack
from safety.signals import Command, Decision, Guard, GuardState, Readings, Snapshot, Wish
from tests.journal.conftest import Visit
from tests.journal.recording import tick


def test_a_whole_visit_comes_back_tick_by_tick(visit: Visit) -> None:
    seen = visit.snapshots
    stretches = [seen[start : start + 997] for start in range(0, len(seen), 997)]
    assert [snapshot for some in stretches for snapshot in unpack(pack(some), len(some))] == seen


def test_every_field_of_a_snapshot_has_a_column() -> None:
    told = {name.rpartition(".")[2] for name in COLUMNS}
    assert {field.name for field in msgspec.structs.fields(Decision)} - {"command"} <= told
    assert {field.name for field in msgspec.structs.fields(Readings)} <= told


def test_columns_are_plain_json_for_whoever_has_no_program_of_ours() -> None:
    columns = json.loads(zlib.decompress(pack([tick(number) for number in range(1, 101)])))
    assert columns["number"] == {"from": 1, "by": 1}
    assert columns["t_ms"] == {"from": 10, "by": 10}
    assert columns["readings.mains"] == {"same": None}
    assert columns["decision.command.velocity_cdeg_s"] == {"same": 50}


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-9000, 9000),
            st.none() | st.booleans(),
            st.none() | st.builds(Guard, st.sampled_from(GuardState), causes=st.tuples(st.sampled_from(["H04", "é"]))),
            st.integers(1, 3),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_any_ticks_come_back(values: list[tuple[int | None, bool | None, Guard | None, int]]) -> None:
    ticks, number = [], 0
    for angle, mains, guard, step in values:
        number += step
        readings = Readings(10 * step, angle_a_cdeg=angle, mains=mains, guard=guard)
        ticks.append(Snapshot(number, number * 10, readings, Wish(plan="a,b\n"), Decision(Command(), angle_cdeg=angle)))
    assert unpack(pack(ticks), len(ticks)) == ticks


def test_a_column_that_nobody_knows_is_left_aside_and_a_missing_one_is_its_default() -> None:
    columns = json.loads(zlib.decompress(pack([tick(1), tick(2)])))
    columns["readings.humidity"] = [40, 41]
    del columns["decision.over"]
    (first, _) = unpack(zlib.compress(json.dumps(columns).encode()), 2)
    assert first == tick(1)


def changed(column: str, value: object) -> bytes:
    columns = json.loads(zlib.decompress(pack([tick(1), tick(2), tick(3)])))
    return zlib.compress(json.dumps({**columns, column: value}).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zlib",
        zlib.compress(b"no json"),
        zlib.compress(b"[1, 2]"),
        zlib.compress(b"{}"),
        pack([tick(1), tick(2)]),
        pack([tick(1), tick(2), tick(3)])[:-9],
        changed("number", [1, 2]),
        changed("readings.buttons", {"runs": [[0, 2]]}),
        changed("readings.buttons", {"what": 1}),
        changed("readings.buttons", 7),
        changed("readings.buttons", ["a", "b", "c"]),
        changed("decision.demand", {"same": 99}),
    ],
)
def test_damaged_columns_are_told(data: bytes) -> None:
    with pytest.raises(ChunkError):
        unpack(data, 3)
