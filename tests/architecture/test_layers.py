"""The floors of the house: imports point down only."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_import_contracts_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_tests_hold_no_packages():
    # an __init__.py under tests/pipeline would shadow the real package
    assert not list((ROOT / "tests").rglob("__init__.py"))
