"""The client: what it asks, what it keeps, and what it says when there is nobody to ask."""

import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.client import Client, ClientError, ClientGoneError
from controller.messages import Frame, News
from tests.api.peers import Served

ROOT = Path(__file__).resolve().parent.parent.parent


@contextlib.contextmanager
def client_of(served: Served, patience_s: float = 5.0) -> Iterator[Client]:
    with served.while_asking(lambda: Client(served.path, "a client", patience_s)) as client:
        yield client


def test_a_client_asks_and_is_answered(served: Served) -> None:
    with client_of(served) as client:
        assert client.welcome.table_id == "sim"
        assert client.receive() == []
        assert served.while_asking(client.watch).ok
        (frame,) = client.receive()
        assert isinstance(frame, Frame)
        assert client.newest == frame
        assert frame.snapshot == served.rig.snapshot
        for ask in (
            lambda: client.stop("x"),
            lambda: client.bring_back("x"),
            client.acknowledge,
            client.configuration,
            client.events,
        ):
            answer = served.while_asking(ask)
            assert (answer.ok, answer.why) == (True, ())
        refused = served.while_asking(lambda: client.disarm("x"))
        assert not refused.ok
        assert "nothing to disarm" in refused.why[0]


def test_frames_and_events_that_come_before_an_answer_are_kept(served: Served) -> None:
    with client_of(served) as client:
        served.while_asking(client.watch)
        served.pump(30)
        served.while_asking(lambda: client.stop("x"))
        served.pump()
        found = client.receive()
        frames = [one.snapshot.number for one in found if isinstance(one, Frame)]
        assert len(frames) >= 3
        assert frames == sorted(frames)
        assert "x (a client" in next(one.event.text for one in found if isinstance(one, News))


def test_what_is_asked_is_asked_on_the_newest_picture_that_has_come(served: Served) -> None:
    with client_of(served) as client:
        served.while_asking(client.watch)
        served.pump(200)
        # Nobody called `receive` in two seconds; what has come by now counts.
        client.receive()
        served.pump(20)
        assert served.while_asking(client.acknowledge).ok


def test_a_process_that_ends_is_told_after_what_it_said(served: Served) -> None:
    with client_of(served) as client:
        served.while_asking(client.watch)
        served.pump(2)
        served.server.close()
        assert client.receive()
        with pytest.raises(ClientGoneError, match="is gone; a patient"):
            client.receive()
        with pytest.raises(ClientGoneError):
            client.stop("x")
        client.close()
        with pytest.raises(ClientGoneError):
            client.receive(0.01)


def test_nobody_there_is_a_sentence(folder: Path) -> None:
    with pytest.raises(ClientError, match=r"no control process is at .*inversion-table serve"):
        Client(folder / "none.sock", "x")
    path = folder / "left.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left:
        left.bind(str(path))
    with pytest.raises(ClientError, match="is not there any more"):
        Client(path, "x")
    (folder / "file").write_text("")
    with pytest.raises(ClientError, match="inversion-table serve"):
        Client(folder / "file", "x")
    with pytest.raises(ClientError, match="cannot be reached"):
        Client(folder / ("x" * 200), "x")


def test_a_control_process_that_hangs_is_told(served: Served) -> None:
    with pytest.raises(ClientError, match=r"does not answer within 0\.01 s"):
        Client(served.path, "x", 0.01)
    with client_of(served, 0.01) as client, pytest.raises(ClientError, match="does not answer"):
        client.configuration()


@pytest.mark.parametrize("word", [b"hm", b"[]", b'{"it":"answer"}', b"\xff"])
def test_a_process_of_another_make_is_told(folder: Path, word: bytes) -> None:
    path = folder / "other.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(str(path))
        door.listen()
        with contextlib.ExitStack() as lines:

            def ask() -> None:
                with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)):
                    Client(path, "x")

            failed: list[ClientError] = []

            def run() -> None:
                try:
                    ask()
                except ClientError as error:
                    failed.append(error)

            asking = threading.Thread(target=run)
            asking.start()
            line, _ = door.accept()
            lines.enter_context(line)
            line.recv(1000)
            line.send(word)
            asking.join()
    assert "cannot be understood" in str(failed[0])


def test_a_plan_too_long_for_a_packet_is_told_before_it_is_sent(served: Served) -> None:
    from controller import permits
    from tests.service.rig import LIMITS, SHORT, WALL_S

    permit = permits.simulated(SHORT, LIMITS.screening_version, WALL_S)
    with client_of(served) as client, pytest.raises(ClientError, match="too long"):
        client.offer({"name": "x" * 20_000}, permit)


# The page


def test_the_pages_client_works(served: Served, tmp_path: Path) -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    (tmp_path / "example.py").write_text(page.split("```python\n")[1].split("```")[0], encoding="utf-8")
    command = [sys.executable, "-I", "-S", str(tmp_path / "example.py"), str(served.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            while not served.server._watching:
                assert process.poll() is None
                served.pump()
            served.rig.service.watcher.add(0, "late", "A tick was late.")
            said = said_until(process, served, b"A tick was late.")
            served.server.close()
            rest, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    lines = (said + rest).decode().splitlines()
    assert lines[0] == "A table guard: host build"
    assert any(re.fullmatch(r"idle -?0\.[0-4] deg", line) for line in lines), lines
    assert "late A tick was late." in lines
    assert errors.decode() == "the control process is gone: look at the table\n"


def said_until(process: "subprocess.Popen[bytes]", served: Served, words: bytes) -> bytes:
    """What a program says up to some words, while the service goes on."""
    assert process.stdout is not None
    said = b""
    while words not in said:
        served.pump()
        assert process.poll() is None, said
        if select.select([process.stdout], [], [], 0)[0]:
            said += os.read(process.stdout.fileno(), 10_000)
    return said


def test_the_schema_is_current_and_the_page_names_every_message() -> None:
    check = subprocess.run(
        [sys.executable, "scripts/api_schema.py", "--check"], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert check.returncode == 0, check.stderr
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "docs/api-schema.json").read_text(encoding="utf-8"))
    for ref in schema["to_control"] + schema["from_control"]:
        kind = schema["$defs"][ref["$ref"].rsplit("/", 1)[1]]
        (tag,) = [field["enum"][0] for name, field in kind["properties"].items() if name in ("do", "it")]
        assert f"`{tag}`" in page or f'"{tag}"' in page, tag
        for name in kind["properties"]:
            if "do" in kind["properties"] and name not in ("do", "id", "version", "name"):
                assert f"`{name}`" in page, f"{tag}: {name}"
