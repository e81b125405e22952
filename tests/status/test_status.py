"""`inversion-table status`: what it says of a table, and where there is none."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from controller.app import main
from controller.commands import status
from controller.messages import Frame
from safety.signals import State
from tests.api.peers import Served
from tests.service.rig import PROFILE, Rig


def told_of(rig: Rig) -> dict[str, Any]:
    # As a client has it: through JSON and back.
    frame = msgspec.json.decode(msgspec.json.encode(Frame(rig.snapshot, rig.service.state)), type=Frame)
    return status.status_of(rig.service.welcome, frame, PROFILE.manual_return_text)


def test_a_table_at_rest() -> None:
    rig = Rig()
    rig.forward(1)
    told = told_of(rig)
    assert (told["schema"], told["state"], told["alarm"]) == ("inversion-table.status/1", "idle", "NONE")
    assert abs(told["angle_deg"]) < 0.5
    text = "\n".join(status.lines_of(told))
    for words in (
        "A table (sim), guard: host build",
        "idle, ",
        "nothing is offered",
        "alarm      none",
        "everything is",
    ):
        assert words in text


def test_a_visit_in_trouble_says_what_to_do_on_one_screen() -> None:
    rig = Rig()
    rig.forward(1)
    rig.offer()
    rig.forward(0.2)
    assert "short, set 1, offered, waits at the panel" in "\n".join(status.lines_of(told_of(rig)))
    rig.come()
    rig.until_state(State.HOLDING)
    assert "short, set 1, armed, " in "\n".join(status.lines_of(told_of(rig)))
    rig.table.hands.strap("left", False)
    rig.forward(0.5)
    told = told_of(rig)
    lines = status.lines_of(told)
    assert told["causes"][0]["code"] == "H04"
    assert told["straps"] == {"left": "open", "right": "closed"}
    text = "\n".join(lines)
    assert "HIGH       H04: " in text
    assert "Hold the patient" in text
    assert "−1" in text
    assert len(lines) <= 24


def test_an_unknown_angle_is_said_to_be() -> None:
    rig = Rig()
    rig.forward(1)
    told = told_of(rig) | {"angle_deg": None, "mains": None}
    text = "\n".join(status.lines_of(told))
    assert "idle, unknown, " in text
    assert "mains unknown" in text


def test_the_command_asks_the_control_process(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    # The shipped profile's table has another name.
    (served.path.parent / "wire.sock").symlink_to(served.path)
    words = ["status", "--state", str(served.path.parent)]
    assert served.while_asking(lambda: main([*words, "--json"])) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["clients"]) == ("idle", 1)
    assert served.while_asking(lambda: main(words)) == 0
    assert "A table (sim)" in capsys.readouterr().out


def test_where_there_is_none_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--state", str(tmp_path), "--json"]) == 5
    captured = capsys.readouterr()
    assert "start one with: inversion-table serve" in captured.err
    assert json.loads(captured.out)["exit"] == 5


def test_every_word_of_its_json_is_on_the_page() -> None:
    rig = Rig()
    rig.forward(1)
    page = (Path(__file__).parent.parent.parent / "docs/service.md").read_text(encoding="utf-8")
    for name in told_of(rig):
        assert f"`{name}`" in page or f'"{name}"' in page, name
