"""What `make bench` says of codec and link: its own work is right, and a peer that is not to be had stops nothing."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.test_architecture import ROOT
from tests.test_project import bare, explained


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    for name in ("bench_link", "bench_stop"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    link = importlib.import_module("bench_link")
    monkeypatch.setattr(link, "FRAMES", 50)
    return link


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_every_frame_that_is_measured_is_taken(bench: ModuleType, pieces: int) -> None:
    assert bench.our_codec(pieces)() > 0
    assert bench.least_codec()() > 0


def test_what_is_waste_does_the_same_work(bench: ModuleType) -> None:
    assert bench.crc_by_table(bench.crc_table(), b"123456789") == 0xCBF43926


def test_a_peer_that_cannot_be_installed_is_told_and_left_out(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench, "ENVIRONMENT", tmp_path / "peers")
    monkeypatch.setattr(bench, "PEERS", (("./no-such-package",),))
    peers = bench.Peers()
    peers.close()
    assert peers.here == {}
    assert "./no-such-package could not be installed" in peers.missing[0]
    # Nothing says that the environment is as it should be: the next run tries again.
    assert not (tmp_path / "peers" / ".ready").exists()
    assert any("moteus did not start" in told for told in peers.missing)


def test_no_environment_for_peers_is_told_too(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setattr(bench, "ENVIRONMENT", tmp_path / "a file" / "peers")
    peers = bench.Peers()
    peers.close()
    assert (peers.here, len(peers.missing)) == ({}, 1)
    assert "could not be made" in peers.missing[0]


def test_every_peer_is_explained_and_nothing_else(bench: ModuleType) -> None:
    named = {bare(packages[-1]) for packages in bench.PEERS}
    # What moteus uses comes with it.
    assert explained("Measured by make bench only") == sorted(named - {"pyelftools"})
