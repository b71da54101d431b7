"""torchvision can be imported beside any torch."""

import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="the heavy libraries are not installed")


def test_torchvision_imports_after_the_mend_and_a_second_mend_does_nothing():
    code = (
        "from pipeline.torch_mends import mend_torchvision as mend\n"
        "mend()\n"
        "import torchvision\n"
        "assert mend() is False\n"
        "from torchvision.transforms import v2\n"
        "print(tuple(v2.CenterCrop(2).size))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(2, 2)"


def test_a_light_core_has_nothing_to_mend(monkeypatch):
    from pipeline import torch_mends

    monkeypatch.setattr(torch_mends, "find_spec", lambda _name: None)
    assert torch_mends.mend_torchvision() is False
