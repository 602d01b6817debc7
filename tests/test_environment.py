"""The three places that describe the environment agree: pyproject.toml, requirements.lock, environment.yml."""

import json
import re
import sysconfig
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
WANTED = [Requirement(text) for text in PROJECT["dependencies"] + [each for group in EXTRAS.values() for each in group]]
LINES = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and not line.startswith("#")]
PINS = {canonicalize_name(name): pin for name, _, pin in (line.partition("==") for line in LINES)}
PLACES = [sysconfig.get_path(kind) for kind in ("purelib", "platlib")]  # not what setuptools carries inside itself
INSTALLED = {canonicalize_name(found.metadata["Name"]): found for found in distributions(path=PLACES)}

CUDA = ("nvidia", "triton", "cuda")  # what torch brings along on Linux where it is not a CPU build
NOT_EVERYWHERE = {"overrides", "pexpect", "ptyprocess"}  # pinned; Python 3.12 and later, or Windows, do without
AIOHTTP = {"aiohttp", "aiohappyeyeballs", "aiosignal", "frozenlist", "multidict", "propcache", "yarl"}
ELSEWHERE = {"appnope", "colorama", "pywin32", "pywinpty"} | AIOHTTP  # macOS, Windows; papermill on Python 3.12 alone


def test_lock_has_one_plain_version_a_line():
    assert len(PINS) == len(LINES)
    for line in LINES:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line), line
        assert not line.lower().startswith(CUDA)


@pytest.mark.parametrize("wanted", WANTED, ids=lambda wanted: wanted.name)
def test_every_range_holds_its_pin(wanted):
    assert wanted.specifier.contains(PINS[canonicalize_name(wanted.name)])


def test_the_pins_are_what_is_installed():
    installed = {name: found.version.partition("+")[0] for name, found in INSTALLED.items() if name in PINS}
    assert installed == {name: pin for name, pin in PINS.items() if name in installed}
    assert PINS.keys() - installed.keys() <= NOT_EVERYWHERE


def test_no_pin_asks_for_a_newer_python_than_the_project():
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    asked = {name: INSTALLED[name].metadata.get("Requires-Python", "") for name in PINS.keys() & INSTALLED.keys()}
    assert not {name: text for name, text in asked.items() if not SpecifierSet(text).contains(oldest)}


def test_every_installed_package_is_pinned():
    unpinned = {name for name in INSTALLED.keys() - PINS.keys() if not name.startswith(CUDA)}
    assert unpinned <= {"kdsharp", "pip"} | ELSEWHERE


def test_environment_yml_takes_the_lock_and_has_no_versions_of_its_own():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert pip == {"pip": ["-c requirements.lock", f"-e .[{','.join(EXTRAS)}]"]}


def test_a_container_for_development_is_made_as_every_environment_is():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert container["image"].startswith("python:" + PROJECT["requires-python"].removeprefix(">="))
    _, target = container["postCreateCommand"].rsplit(" ", 1)
    assert target == ".venv/.stamp"  # the Makefile's own, with lock and extras


def test_makefile_installs_with_the_lock_and_all_extras():
    installs = [line for line in (ROOT / "Makefile").read_text().splitlines() if "pip install" in line]
    assert all("-c requirements.lock" in line for line in installs if "lock/bin" not in line)
    assert any(f'-e ".[{",".join(EXTRAS)}]"' in line for line in installs)
