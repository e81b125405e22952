"""`inversion-table doctor`: what it finds on computers of every kind, and what it says to do next."""

import importlib.util
import json
import os
import resource
import shutil
import socket
from pathlib import Path

import pytest

from config.loading import load_profile
from config.profile import Profile
from controller import doctor
from controller.app import main
from controller.doctor import Computer, Finding, Grade, examine, next_step
from controller.locks import Lock


def computer(folder: Path, name: str = "wire", profile: Profile | None = None) -> Computer:
    (folder / "dev").mkdir(exist_ok=True)
    return Computer(profile or load_profile(name), folder / "state", folder / "state", folder)


def findings(computer: Computer) -> dict[str, Finding]:
    return {one.name: one for one in examine(computer)}


def test_a_computer_for_the_simulated_table_is_well(tmp_path: Path) -> None:
    found = findings(computer(tmp_path))
    wrong = {name: one for name, one in found.items() if one.grade is Grade.WRONG}
    assert wrong == {}
    assert set(found) >= {"python", "libraries", "cobs", "profile", "guard", "disk", "journal", "clock", "sockets"}


def test_what_is_wrong_says_what_mends_it(tmp_path: Path) -> None:
    found = list(examine(computer(tmp_path, "mega-serial")))
    by_name = {one.name: one for one in found}
    assert by_name["port"].grade is Grade.WRONG
    assert by_name["commissioning"].grade is Grade.WARNING
    assert all(one.mend for one in found if one.grade is not Grade.OK)
    assert next_step(found, "mega-serial").startswith("port: plug the microcontroller in")


def test_a_port_that_holds_bytes_back_is_told(tmp_path: Path) -> None:
    looked = computer(tmp_path, "mega-serial")
    (tmp_path / "dev/ttyUSB0").write_text("")
    timer = tmp_path / "sys/class/tty/ttyUSB0/device/latency_timer"
    timer.parent.mkdir(parents=True)
    timer.write_text("16\n")
    found = findings(looked)
    assert found["port"].grade is Grade.OK
    assert found["latency timer"].words.startswith("16 ms")
    assert f"echo 1 | sudo tee {timer}" in found["latency timer"].mend
    timer.write_text("1\n")
    assert "latency timer" not in findings(looked)


def test_a_port_that_may_not_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = computer(tmp_path, "mega-serial")
    (tmp_path / "dev/ttyACM0").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "dev/ttyACM0")
    assert "dialout" in findings(looked)["port"].mend


def test_pins_are_looked_for_and_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = computer(tmp_path, "pi-gpio")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = findings(looked)
    assert {found[name].grade for name in ("pins", "spi", "gpiozero")} == {Grade.WRONG}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    # Whoever opened these would wait for ever.
    os.mkfifo(tmp_path / "dev/gpiochip0")
    os.mkfifo(tmp_path / "dev/spidev0.0")
    found = findings(looked)
    assert {found[name].grade for name in ("pins", "spi")} == {Grade.OK}
    assert "gpiozero" not in found


def test_a_disk_that_is_nearly_full_and_a_library_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 1 << 62)
    monkeypatch.setattr(doctor, "LIBRARIES", ("msgspec", "no-such-library"))
    found = findings(computer(tmp_path))
    assert found["disk"].grade is Grade.WARNING
    assert found["libraries"].grade is Grade.WRONG
    assert "no-such-library not installed" in found["libraries"].words


def test_a_date_before_the_newest_record(tmp_path: Path) -> None:
    looked = computer(tmp_path)
    record = looked.state / "journal" / "wire.sqlite3"
    record.parent.mkdir(parents=True)
    record.write_bytes(b"")
    os.utime(record, (4e9, 4e9))
    assert "H28" in findings(looked)["clock"].words


def test_a_journal_that_cannot_be_read(tmp_path: Path) -> None:
    looked = computer(tmp_path)
    (looked.state / "journal").mkdir(parents=True)
    (looked.state / "journal" / "wire.sqlite3").write_bytes(b"no database " * 1000)
    assert findings(looked)["journal"].grade is Grade.WARNING


def test_who_has_the_table_is_told(tmp_path: Path) -> None:
    looked = computer(tmp_path)
    looked.state.mkdir()
    assert "none runs" in findings(looked)["control process"].words
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.bind(str(looked.sockets / "wire.sock"))
        assert "was killed" in findings(looked)["control process"].words
        line.listen()
        found = list(examine(looked))
        assert "one runs" in {one.name: one for one in found}["control process"].words
    assert (
        next_step([one for one in found if one.grade is Grade.OK], "wire") == "look at the table: inversion-table panel"
    )


def test_the_process_that_has_the_table_is_named(tmp_path: Path) -> None:
    looked = computer(tmp_path)
    with Lock(looked.sockets, "wire", "the table wire"):
        assert findings(looked)["lock"].words == f"process {os.getpid()} has the table"
    assert "lock" not in findings(looked)


def test_a_folder_whose_sockets_names_are_too_long(tmp_path: Path) -> None:
    long = Computer(load_profile("wire"), tmp_path, tmp_path / ("x" * 100))
    assert findings(long)["sockets"].grade is Grade.WRONG


def test_being_on_time_is_not_permitted_to_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (0, 0))
    found = findings(computer(tmp_path))["real time"]
    assert "LimitRTPRIO=50 and LimitMEMLOCK=infinity" in found.mend
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, 0))
    monkeypatch.setattr(doctor, "PRIORITY", -1)
    assert findings(computer(tmp_path))["real time"].grade is Grade.OK


def test_one_thing_that_cannot_be_looked_at_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> None:
        raise OSError("the disk does not answer")

    monkeypatch.setattr(shutil, "disk_usage", broken)
    found = findings(computer(tmp_path))
    assert found["disk"].words == "cannot be looked at: the disk does not answer"
    assert "sockets" in found


def test_each_line_that_is_not_well_is_followed_by_what_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ill = [Finding("port", Grade.WRONG, "no port is there", "plug it in"), Finding("disk", Grade.OK, "80 GB free")]
    monkeypatch.setattr(doctor, "examine", lambda _: iter(ill))
    assert main(["doctor", "--state", str(tmp_path)]) == 5
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line.split("  ")[-1].strip() for line in lines[:3]] == ["no port is there", "plug it in", "80 GB free"]


def test_the_command_ends_with_the_one_thing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Next: ")
    code = main(["doctor", "--profile", "mega-serial", "--state", str(tmp_path), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "inversion-table.doctor/1"
    assert (code == 5) == any(one["grade"] == "wrong" for one in told["findings"])
    assert main(["doctor", "--profile", "no-such"]) == 2


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    main(["doctor", "--state", str(tmp_path / "not-there")])
    assert list(tmp_path.iterdir()) == []
