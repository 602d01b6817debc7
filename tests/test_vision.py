"""torchvision through ``kdsharp.vision``: it loads beside any build of torch, in a fresh process, and computes."""

import importlib
import subprocess
import sys

import pytest
import torch

from kdsharp import vision
from kdsharp.filters.spatial import blur

SCRIPT = """
from kdsharp.vision import torchvision
import torch
from torchvision.models import squeezenet1_1
with torch.inference_mode():
    print(tuple(squeezenet1_1(weights=None).eval()(torch.zeros(1, 3, 64, 64)).shape))
"""


def test_a_fresh_process_builds_a_network_without_a_warning():
    done = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "(1, 1000)", "")


def test_its_blur_is_ours():
    image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    theirs = vision.torchvision.transforms.functional.gaussian_blur(image, [17, 17], [2.0, 2.0])
    torch.testing.assert_close(theirs, blur(image, 2.0), rtol=0, atol=1e-5)


def test_the_import_is_the_real_module():
    assert vision.torchvision is sys.modules["torchvision"]
    assert vision.torchvision.__version__


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), ImportError("No module named 'torchvision'")])
def test_another_failure_is_not_hidden(monkeypatch, error):
    def fail(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(type(error), match=str(error)):
        vision._load()
