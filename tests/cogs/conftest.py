"""The studio of the stories: real client, services and SQLite on an offline Discord."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "contract")]
pytest.register_assert_rewrite("studio", "discord_contract")

from discord_contract import OPENAPI, openapi_judge  # noqa: E402 - the path comes first
from studio import Studio, StudioOptions, shared_door  # noqa: E402

from pipeline.imaging.decode import PictureDoor  # noqa: E402


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was judged, or what was skipped."""
    judge = openapi_judge()
    if judge is None:
        words = f"{OPENAPI} is not at hand: requests were judged by the documented rules only"
    else:
        total, kinds = sum(judge.judged.values()), len(judge.judged)
        words = f"{total} Discord requests of {kinds} operations judged by Discord's OpenAPI"
    terminalreporter.write_line(words)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "studio(**options): how a story wants its studio")


@pytest.fixture(scope="session")
def door() -> Iterator[PictureDoor]:
    """One decoding process for all stories."""
    with PictureDoor() as door:
        yield door


@pytest.fixture
async def studio(
    tmp_path: Path,
    door: PictureDoor,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
):
    """A studio with a series; every request that it makes is judged at the end."""
    marker = request.node.get_closest_marker("studio")
    options = StudioOptions(**(marker.kwargs if marker else {}))
    monkeypatch.setattr("bot.app.PictureDoor", lambda: shared_door(door))
    studio = Studio(tmp_path, options, monkeypatch)
    async with studio.open():
        yield studio
    studio.judge()
