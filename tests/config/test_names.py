"""Names are whole; shipped files come first, then the site's own; a path is a path."""

from pathlib import Path

import pytest

from config import names
from config.errors import ConfigurationError, UnknownNameError
from config.loading import load_plan, load_profile
from tests.config.writing import PLAN, PROFILE, changed, save


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site's own folder, empty."""
    monkeypatch.setattr(names, "SITE", tmp_path / "site")
    for kind in ("plans", "profiles"):
        (tmp_path / "site" / kind).mkdir(parents=True)
    return tmp_path / "site"


@pytest.mark.parametrize(
    "name", ["stand", "standar", "standard ", "Standard", "STANDARD", "", ".", "..", "*", "standard\0"]
)
def test_a_name_is_whole_and_never_a_prefix(name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_plan(name)
    assert "Known: first-visit, short, standard, three-sets." in str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"), [("standart", "standard"), ("first_visit", "first-visit"), ("3-sets", "three-sets")]
)
def test_an_unknown_name_leads_to_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_plan(name)
    assert caught.value.nearest == meant
    assert f"Did you mean {meant}?" in str(caught.value)


def test_a_name_like_no_other_hints_at_files() -> None:
    with pytest.raises(UnknownNameError, match="A file is named with its path or its ending"):
        load_profile("qqqqqq")


def test_the_profile_that_is_meant_without_a_name_is_the_simulated_one() -> None:
    assert load_profile().name == "simulated"
    assert load_profile().bridge == "in-process"


def test_a_sites_own_plan_is_found_by_name_after_the_shipped(site: Path) -> None:
    save(site / "plans", changed(PLAN, {"name": "evening", "hold_s": 90}), "evening.toml")
    assert load_plan("evening").hold_s == 90
    found = [(source.name, source.origin) for source in names.known("plan")]
    assert found[-1] == ("evening", "site")
    assert {origin for _, origin in found[:-1]} == {"shipped"}


def test_a_sites_own_profile_is_found_by_name(site: Path) -> None:
    save(site / "profiles", changed(PROFILE, {"name": "ours"}), "ours.toml")
    assert load_profile("ours").name == "ours"


def test_a_site_cannot_change_what_a_shipped_name_means(site: Path) -> None:
    path = save(site / "plans", changed(PLAN, {"name": "standard", "hold_s": 300}), "standard.toml")
    assert load_plan("standard").hold_s == 180
    assert names.shadowed("plan") == [str(path)]
    assert [source.name for source in names.known("plan")].count("standard") == 1
    assert load_plan(path).hold_s == 300


def test_what_has_a_slash_or_the_ending_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path, PLAN, "standard.toml")
    save(tmp_path, PLAN, "standard")
    assert load_plan("standard.toml").name == "first-visit"
    assert load_plan("./standard").name == "first-visit"
    assert load_plan(Path("standard")).name == "first-visit"
    assert load_plan("standard").name == "standard"


def test_a_missing_file_is_no_unknown_name() -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_plan("standar.toml")


def test_a_site_without_a_folder_or_with_a_closed_one_has_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "SITE", tmp_path / "none")
    assert {source.origin for source in names.known("plan")} == {"shipped"}

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert names._stems(tmp_path) == {}


def test_other_files_in_the_folder_are_left_alone(site: Path) -> None:
    (site / "plans" / "notes.txt").write_text("not ours")
    (site / "plans" / "old.toml~").write_text("not ours")
    assert {source.origin for source in names.known("plan")} == {"shipped"}
