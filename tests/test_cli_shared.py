"""How the commands speak: paths whole, brackets as they are, tables that cut nothing at 80 columns."""

import io
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from rich.console import Console

from kdsharp import provenance
from kdsharp.cli import shared
from kdsharp.models.nafnet import NAFNet

ROOT = Path(__file__).parents[1]


@pytest.fixture
def narrow(monkeypatch):
    text = io.StringIO()
    monkeypatch.setattr(shared, "console", Console(file=text, width=80))
    return text


def test_a_line_keeps_its_path_and_its_brackets(narrow):
    path = "/a/long/folder/" * 12 + "photo [final] [/red].png"
    shared.say(f"{path}: done")
    assert narrow.getvalue() == f"{path}: done\n"


def test_a_table_cuts_nothing(narrow):
    table = shared.PlainTable("model", title="protocol [x]")
    for heading in ("PSNR (dB)", "SSIM", "parameters", "ms/megapixel"):
        table.add_column(heading, justify="right")
    name = "build/train/a-very-long-name-of-a-recipe-lab/checkpoint [best].safetensors"
    table.add_row(name, "30.42", "0.8769", "59,164", "123")
    shared.console.print(table)
    shown = narrow.getvalue()
    cells = "".join(line.split("│")[1].strip() for line in shown.splitlines() if line.count("│") > 4)
    assert cells.replace(" ", "") == name.replace(" ", "")
    assert "[x]" in shown
    assert "…" not in shown


def test_which_weights_of_a_strangers_file_are_used_is_said(narrow, tmp_path, monkeypatch):
    net = NAFNet(width=4, encoder=(1, 1), middle=1, decoder=(1, 1)).state_dict()
    torch.save({"params": net, "params_ema": net}, tmp_path / "net.pth")
    shared.say_weights("small", None, str(tmp_path / "net.pth"))
    assert narrow.getvalue() == f"{tmp_path / 'net.pth'}: 'params_ema' of the file\n"


def test_the_version(kdsharp):
    assert kdsharp("--version").stdout == f"kdsharp {version('kdsharp')}\n"


def test_provenance_names_this_clone_and_never_somebody_elses(tmp_path, monkeypatch):
    own = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    assert own.stdout.strip() in provenance.commit()
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    inside = tmp_path / "env" / "site-packages" / "kdsharp"
    inside.mkdir(parents=True)
    monkeypatch.setattr(provenance, "PACKAGE", inside)
    assert provenance.commit() == f"version {version('kdsharp')}"
    monkeypatch.setattr(provenance, "PACKAGE", Path(os.path.abspath("/")))
    assert provenance.commit() == f"version {version('kdsharp')}"
