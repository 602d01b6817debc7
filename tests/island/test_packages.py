"""What pages take from npm: pinned by checksum, without an address, and fetched once into the environment."""

import base64
import hashlib
import json
import subprocess

import pytest

from kdsharp.checks import UsageError
from kdsharp.island import packages


def test_the_lock_pins_every_package_and_names_no_address():
    text = packages.LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    found = json.loads(text)["packages"]
    assert found[""]["dependencies"] == packages.VERSIONS
    assert all(each["integrity"].startswith("sha512-") for name, each in found.items() if name)
    for name, version in packages.VERSIONS.items():
        assert found[f"node_modules/{name}"]["version"] == version


def test_what_a_page_takes_from_the_cdn_has_the_checksum_of_what_npm_gave():
    if not packages.are_here():
        pytest.skip("npm's packages are not here; fetch them: kdsharp book --fetch")
    for file, integrity in packages.INTEGRITY.items():
        package, _, rest = file.partition("/")
        assert rest in packages.WANTED[package]
        found = hashlib.sha384((packages.folder() / file).read_bytes()).digest()
        assert integrity == f"sha384-{base64.b64encode(found).decode()}", file


def test_the_cdn_serves_a_file_by_package_and_version():
    address = packages.on_cdn(packages.WASM)
    assert address.endswith(
        f"/npm/onnxruntime-web@{packages.VERSIONS['onnxruntime-web']}/dist/ort-wasm-simd-threaded.wasm"
    )


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """An environment that has nothing yet, and an npm that makes what the lock asks for."""
    monkeypatch.setattr(packages, "folder", lambda: tmp_path / "share" / "pages")
    calls = []

    def npm(command, cwd, **options):
        calls.append(command)
        for package, files in packages.WANTED.items():
            for each in files:
                made = cwd / "node_modules" / package / each
                made.parent.mkdir(parents=True, exist_ok=True)
                made.write_text(each)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", npm)
    return calls


def test_they_are_fetched_once_and_npm_runs_nothing_of_theirs(empty):
    assert not packages.are_here()
    where = packages.fetch()
    assert (where / packages.WASM).read_text() == "dist/ort-wasm-simd-threaded.wasm"
    packages.fetch()
    assert len(empty) == 1
    assert "--ignore-scripts" in empty[0]
    assert [path.name for path in where.parent.iterdir()] == ["pages"]


def test_without_an_answer_nothing_stays_and_the_reason_is_said(empty, monkeypatch):
    silent = subprocess.CompletedProcess([], 1, "", "npm error network")
    monkeypatch.setattr(subprocess, "run", lambda *given, **options: silent)
    with pytest.raises(UsageError, match="npm could not fetch mathjax and onnxruntime-web: npm error network"):
        packages.fetch()
    assert not packages.are_here()
    assert list(packages.folder().parent.iterdir()) == []


def test_without_npm_the_one_of_the_environment_is_taken(monkeypatch):
    monkeypatch.setattr(packages.shutil, "which", lambda name: None)
    command, environment = packages._npm()
    done = subprocess.run([*command, "--version"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().split(".")[0].isdigit()
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="install Node.js"):
        packages._npm()
