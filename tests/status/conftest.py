"""A served table, and no socket folder of the tester's own."""

import pytest

from tests.api.conftest import folder, served

__all__ = ["folder", "served"]


@pytest.fixture(autouse=True)
def _own_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
