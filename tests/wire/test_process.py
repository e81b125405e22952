"""`inversion-table sim` and `session --table wire` as processes, in real time; no duration is ever asserted."""

import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from firmware_bridge.clock import MonotonicClock
from firmware_bridge.errors import LinkLostError
from firmware_bridge.hands import HandsClient
from firmware_bridge.ports import SerialPort, connect
from firmware_bridge.serial_bridge import SerialBridge
from safety.signals import GuardState, Host
from sim.wire_process import WireProcess
from tests.controller.running import COMMAND
from tests.wire.rig import CONSTANTS

pytestmark = [pytest.mark.needs("cc"), pytest.mark.timeout(180)]

PATIENCE_S = 60


class Sim:
    """A table in a process of its own."""

    def __init__(self, state: Path, *options: str) -> None:
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(state)}
        self.process = subprocess.Popen(
            [COMMAND, "sim", "--state", str(state), "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], PATIENCE_S)[0], "the table said nothing"
        self.told: dict[str, Any] = json.loads(self.process.stdout.readline())

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Sim]:
    sim = Sim(tmp_path)
    yield sim
    if sim.process.poll() is None:
        sim.end(signal.SIGKILL)
    for pipe in (sim.process.stdin, sim.process.stdout, sim.process.stderr):
        if pipe is not None:
            pipe.close()


def shaken(sim: Sim) -> SerialBridge:
    """A bridge that has shaken hands with the table."""
    return SerialBridge.open(sim.told["path"], CONSTANTS, MonotonicClock())


def test_it_says_where_it_is_and_answers_there(sim: Sim) -> None:
    assert sim.told["pid"] == sim.process.pid
    assert (sim.told["table"], sim.told["guard"]) == ("wire", "host build")
    bridge = shaken(sim)
    clock = MonotonicClock()
    readings = [bridge.read(clock.now_ms() + 1000, Host()) for _ in range(20)]
    assert bridge.firmware == "0.0.0"
    assert len({row.sequence for row in readings}) == 20
    assert readings[-1].guard is not None
    assert readings[-1].guard.state is GuardState.IDLE
    bridge.close()


def test_its_hands_work_its_switches(sim: Sim) -> None:
    hands = HandsClient(sim.told["hands"])
    hands.press("PRESENCE")
    assert hands.look().held == ("PRESENCE",)
    hands.inject("drive-dead")
    assert hands.look().injected == "drive-dead"
    hands.close()
    again = HandsClient(sim.told["hands"])
    while again.look().held:
        pass
    again.close()


def read_to_the_end(port: SerialPort) -> None:
    while True:
        port.wait(1000 * PATIENCE_S)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_good_order(sim: Sim, number: int) -> None:
    port = connect(sim.told["path"])
    assert sim.end(number) == 0
    assert not Path(sim.told["hands"]).exists()
    with pytest.raises(LinkLostError, match="is gone"):
        read_to_the_end(port)
    port.close()


def test_a_second_table_of_the_same_name_gets_a_name_of_its_own(sim: Sim, tmp_path: Path) -> None:
    other = Sim(tmp_path)
    assert (other.told["table"], other.told["hands"]) == ("wire-2", str(tmp_path / "wire-2.hands.sock"))
    assert other.told["path"] != sim.told["path"]
    assert other.end() == 0


def test_what_a_killed_table_left_behind_is_in_nobodys_way(sim: Sim, tmp_path: Path) -> None:
    assert sim.end(signal.SIGKILL) == -signal.SIGKILL
    assert Path(sim.told["hands"]).exists()
    again = Sim(tmp_path)
    assert again.told["table"] == "wire"
    hands = HandsClient(again.told["hands"])
    assert hands.look().held == ()
    hands.close()
    assert again.end() == 0


def test_it_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    child = Sim(tmp_path, "--attached")
    child.process.communicate(timeout=PATIENCE_S)
    assert child.process.returncode == 0


def test_garbage_and_clients_that_never_read_or_go_in_the_middle_harm_nothing(sim: Sim) -> None:
    with serial.Serial(sim.told["path"], 115_200, timeout=0, write_timeout=0) as rude:
        sent = 0
        while sent < 20_000:
            select.select([], [rude], [], PATIENCE_S)
            sent += os.write(rude.fileno(), bytes((sent + place * 31) & 0xFF for place in range(200)))
    with socket.socket(socket.AF_UNIX) as half:
        half.connect(sim.told["hands"])
        half.sendall(b'{"do":"press","button":"TILT"}\n{"do":"pre')
    bridge = shaken(sim)
    clock = MonotonicClock()
    assert bridge.read(clock.now_ms() + 1000, Host()).guard is not None
    bridge.close()
    assert sim.process.poll() is None


def test_what_is_typed_wrongly_is_told_in_a_sentence(tmp_path: Path) -> None:
    for options, what in ((["--table", "gpio"], "simulated table"), (["--at-deg", "up"], "no angle"), (["x"], "x")):
        ran = subprocess.run(
            [COMMAND, "sim", *options], capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        assert ran.returncode == 2
        assert what in ran.stderr
        assert "Traceback" not in ran.stderr


def test_a_table_that_cannot_start_says_why() -> None:
    from config.errors import DeviceMissingError

    with pytest.raises(DeviceMissingError, match="did not start: no profile is called"):
        WireProcess(["--profile=nobody"])


@pytest.fixture
def session(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A session on a table behind a wire that it started itself, its table switched on."""
    environment = {**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)}
    command = [COMMAND, "session", "--table", "wire", "--plan", "short", "--state", str(tmp_path), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        while "idle" not in process.stderr.readline():
            assert process.poll() is None
        yield process
        process.kill()


def test_a_session_whose_table_dies_says_so_and_ends(session: "subprocess.Popen[str]", tmp_path: Path) -> None:
    table = int((tmp_path / "wire.hands.lock").read_text())
    os.kill(table, signal.SIGKILL)
    out, err = session.communicate(timeout=PATIENCE_S)
    assert f"the simulated table's process {table} was ended by SIGKILL" in err
    assert (session.returncode, json.loads(out)["result"]) == (4, "refused")
    assert "Traceback" not in err


def test_a_session_that_is_killed_takes_its_table_with_it(session: "subprocess.Popen[str]", tmp_path: Path) -> None:
    hands = HandsClient(str(tmp_path / "wire.hands.sock"))
    session.kill()
    while not hands.trouble:
        hands.renew()
    assert "is gone" in hands.trouble
    hands.close()


def test_ctrl_c_ends_a_session_with_the_patient_at_level_or_above(session: "subprocess.Popen[str]") -> None:
    session.send_signal(signal.SIGINT)
    out, err = session.communicate(timeout=PATIENCE_S)
    assert session.returncode == 6
    assert json.loads(out)["result"] == "stopped"
    assert "Ctrl-C" in err


@pytest.mark.nightly
@pytest.mark.timeout(400)
def test_a_whole_session_in_real_time(tmp_path: Path) -> None:
    command = [COMMAND, "session", "--table", "wire", "--plan", "short", "--state", str(tmp_path), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=380)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["result"], told["table"], told["guard"], told["truth"]) == (
        *("completed", "wire", "host build", "plant"),
    )
    assert told["deepest_deg"] == pytest.approx(-20, abs=0.5)
