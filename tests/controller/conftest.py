"""The fixture with which tests run the command in this process."""

from pathlib import Path

import pytest

from controller.app import main
from tests.controller.running import Command, Ran


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command in this process, its state in a folder of its own and the working directory empty."""
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    monkeypatch.chdir(cwd)
    monkeypatch.setenv("INVERSION_TABLE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)

    def run_it(*words: str) -> Ran:
        code = main(list(words))
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert list(cwd.iterdir()) == []
        return Ran(code, said.out, said.err, tmp_path / "state")

    return run_it
