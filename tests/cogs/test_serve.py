"""``onmodel run`` as a real process: how it ends, and what it says then."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from little_discord import LAUNCH, LittleDiscord

TOKEN = "little-token"
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def discord_here() -> AsyncIterator[LittleDiscord]:
    async with LittleDiscord(TOKEN).open() as little:
        yield little


@asynccontextmanager
async def run(folder: Path, address: str, **variables: str):
    """The program in a process group of its own, of which nothing is left afterwards."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ONMODEL_", "DISCORD_"))}
    environment = {
        **kept, "PYTHONPATH": f"{ROOT}:{kept.get('PYTHONPATH', '')}",
        "ONMODEL_DATA_DIR": str(folder / "data"), **variables,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LAUNCH, address,
        cwd=folder, env=environment, start_new_session=True,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def ended(process, seconds: float = 40) -> tuple[int, str]:
    output, _ = await asyncio.wait_for(process.communicate(), seconds)
    return process.returncode, output.decode()


@pytest.mark.parametrize("token", [None, "", "   "])
async def test_no_token_is_a_bad_setting(tmp_path: Path, token):
    variables = {} if token is None else {"DISCORD_TOKEN": token}
    async with run(tmp_path, "http://127.0.0.1:9", **variables) as process:
        status, output = await ended(process)
    assert status == 78
    assert "DISCORD_TOKEN" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONMODEL_EXECUTOR", "cloud"),
        ("ONMODEL_GUILD_ID", "mine"),
        ("ONMODEL_ENCODERS", "magic"),
        ("ONMODEL_SHARD_IDS", "0-3"),
        ("ONMODEL_SHARD_IDS", "first"),
    ],
)
async def test_a_bad_setting_is_named(tmp_path: Path, name, value):
    variables = {"DISCORD_TOKEN": TOKEN, name: value}
    async with run(tmp_path, "http://127.0.0.1:9", **variables) as process:
        status, output = await ended(process)
    assert status == 78
    assert name in output or value in output
    assert "Traceback" not in output


async def test_a_refused_token_is_one_readable_line(tmp_path: Path, discord_here: LittleDiscord):
    async with run(tmp_path, discord_here.address, DISCORD_TOKEN="wrong-token") as process:
        status, output = await ended(process)
    assert status == 77
    said = [line for line in output.splitlines() if line.startswith("onmodel:")]
    assert len(said) == 1
    assert "refused the token" in said[0]
    assert "Traceback" not in output
    assert "wrong-token" not in output


async def test_discord_out_of_reach_is_told(tmp_path: Path):
    async with run(tmp_path, "http://127.0.0.1:9", DISCORD_TOKEN=TOKEN) as process:
        status, output = await ended(process)
    assert status == 69
    assert "cannot be reached" in output
    assert "Traceback" not in output


async def test_a_host_sees_health_and_figures_on_a_port_of_theirs(
    tmp_path: Path, discord_here: LittleDiscord
):
    port = free_port()
    async with (
        run(tmp_path, discord_here.address, DISCORD_TOKEN=TOKEN, ONMODEL_METRICS_PORT=str(port)),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as host,
    ):
        await asyncio.wait_for(discord_here.identified.wait(), 60)
        health = await until_healthy(host)
        assert health["status"] == "ok"
        assert (health["gateway"], health["queue"], health["database"]) == (True, True, True)
        before = await figures_with(host, "onmodel_answer_seconds_count 0.0")
        assert "/queue show" not in before
        await discord_here.command("queue", "show")
        text = await figures_with(host, "onmodel_answer_seconds_count 1.0")
    assert 'onmodel_interactions_total{what="/queue show"} 1.0' in text
    assert 'onmodel_jobs{status="queued"} 0.0' in text
    assert "onmodel_owed_posts 0.0" in text
    assert 'onmodel_gateway_latency_seconds{shard="0"}' in text


async def figures_with(host: aiohttp.ClientSession, line: str) -> str:
    """The figures as soon as ``line`` is among them."""
    async with asyncio.timeout(20):
        while True:
            async with host.get("/metrics") as answer:
                assert answer.status == 200
                if line in (text := await answer.text()):
                    return text
            await asyncio.sleep(0.1)


async def until_healthy(host: aiohttp.ClientSession) -> dict:
    """A health check that is first refused (503) and then good (200), as the parts come up."""
    async with asyncio.timeout(60):
        while True:
            async with host.get("/healthz") as answer:
                said = await answer.json()
                assert answer.status == (200 if said["status"] == "ok" else 503)
                if answer.status == 200:
                    return said
            await asyncio.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_port_that_is_taken_is_a_bad_setting(tmp_path: Path, discord_here: LittleDiscord):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        variables = {"DISCORD_TOKEN": TOKEN, "ONMODEL_METRICS_PORT": port}
        async with run(tmp_path, discord_here.address, **variables) as process:
            status, output = await ended(process)
    assert status == 78
    assert "ONMODEL_METRICS_PORT" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_ends_everything_within_ten_seconds(
    tmp_path: Path, discord_here: LittleDiscord, number
):
    async with run(tmp_path, discord_here.address, DISCORD_TOKEN=TOKEN) as process:
        await asyncio.wait_for(discord_here.identified.wait(), 60)
        await asyncio.sleep(1)  # the worker is being spawned meanwhile: a stop must end it too
        os.kill(process.pid, number)
        status, output = await ended(process, 10)
        assert status == 0, output
        assert "Traceback" not in output
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)  # no child is left behind
