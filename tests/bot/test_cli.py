"""The command line as a person at a shell meets it: real processes, exit codes, readable lines."""

import json
import os
import subprocess
import sys

import pytest

from bot.demo.material import EXAMPLES

MIRA = EXAMPLES / "cast" / "mira" / "everyday"
UNSEEN = EXAMPLES / "held_out" / "mira" / "everyday"
STRANGER = EXAMPLES / "off_model" / "mira-by-a-guest-artist.webp"


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Runs ``onmodel`` on a data folder of its own, with nothing else configured."""
    folder = tmp_path_factory.mktemp("shell")
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith("ONMODEL_") and k != "DISCORD_TOKEN"
    }

    def run(*arguments, **extra):
        return subprocess.run(
            [sys.executable, "-m", "bot", *map(str, arguments)],
            cwd=folder,
            env={
                **environment,
                "ONMODEL_DATA_DIR": str(folder / "data"),
                "PYTHONPATH": str(EXAMPLES.parent),
                **extra,
            },
            capture_output=True,
            text=True,
            timeout=100,
        )

    return run


@pytest.fixture(scope="module")
def registered(shell):
    done = shell(
        "cast", "register", "Mira", *sorted(MIRA.glob("*.webp")), "--appearance", "everyday"
    )
    assert done.returncode == 0, done.stderr
    assert "mira_everyday" in done.stdout
    return shell


def test_a_picture_of_her_is_on_model(registered):
    result = registered("check", next(UNSEEN.glob("*.webp")), "--character", "ch_mira", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    data = json.loads(result.stdout)
    assert data["verdict"] == "on_model"
    assert data["similarity"] >= data["threshold"]


def test_somebody_else_is_off_model(registered):
    result = registered("check", STRANGER, "--character", "Mira")
    assert result.returncode == 3
    assert result.stdout.startswith("off_model:")


def test_with_too_few_references_nobody_can_judge(registered):
    assert registered("cast", "register", "Shy", STRANGER).returncode == 0
    assert registered("check", STRANGER, "--character", "Shy").returncode == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "absent.png", "--character", "Mira"),
        ("check", EXAMPLES / "cast.toml", "--character", "Mira"),
        ("check", STRANGER, "--character", "Nobody"),
        ("check", STRANGER, "--character", "Mira", "--appearance", "winter"),
        ("check", STRANGER),
        ("cast", "sheet", "Nobody", "--out", "x.png"),
        ("cast", "register", "", STRANGER),
        ("nonsense",),
    ],
)
def test_bad_input_is_two_and_one_readable_line(registered, arguments):
    result = registered(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.strip()


def test_the_cast_is_listed_and_drawn(registered, tmp_path):
    cast = json.loads(registered("cast", "list", "--json").stdout)
    assert cast[0]["character_id"] == "ch_mira"
    assert cast[0]["references"] == len(list(MIRA.glob("*.webp")))
    sheet = tmp_path / "sheet.png"
    assert registered("cast", "sheet", "ch_mira", "--out", sheet).returncode == 0
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_registering_a_known_name_adds_references(registered):
    again = registered("cast", "register", "Mira", next(UNSEEN.glob("*.webp")))
    assert again.returncode == 0
    assert "1 references added" in again.stdout


def test_doctor_speaks_json_and_finds_this_machine_usable(shell):
    result = shell("doctor", "--json", ONMODEL_GENERATR="draft")
    assert result.returncode == 0, result.stdout
    checks = {c["name"]: c for c in json.loads(result.stdout)["checks"]}
    assert {
        "python",
        "sqlite",
        "vector index",
        "encoders",
        "generator",
        "fonts",
        "data folder",
    } <= set(checks)
    assert "ONMODEL_GENERATOR" in checks["settings"]["mend"]


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("ONMODEL_GENERATOR", "oil-paint", "generator"),
        ("ONMODEL_ENCODERS", "palette,nose", "encoders"),
        ("ONMODEL_GUILD_ID", "here", "settings"),
    ],
)
def test_doctor_is_unhappy_with_bad_settings(shell, variable, value, line):
    result = shell("doctor", "--json", **{variable: value})
    assert result.returncode == 1
    bad = [c for c in json.loads(result.stdout)["checks"] if c["health"] == "bad"]
    assert [c["name"] for c in bad] == [line]
    assert bad[0]["mend"]


def test_the_host_lets_nothing_begin_and_lets_it_begin_again(shell):
    assert "Nothing was paused" in shell("queue", "resume").stdout
    assert "No panel begins" in shell("queue", "pause", "--reason", "a new card").stdout
    assert "Panels begin again" in shell("queue", "resume").stdout
    refused = shell("queue", "pause", "--reason", "x" * 201)
    assert (refused.returncode, "at most 200" in refused.stderr) == (2, True)


def test_run_without_a_token_is_78_and_says_where_it_goes(shell):
    result = shell("run")
    assert result.returncode == 78
    assert "DISCORD_TOKEN" in result.stderr
    assert "Traceback" not in result.stderr
