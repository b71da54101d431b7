"""The studio of the stories: real client, services and SQLite on an offline Discord."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "contract")]
pytest.register_assert_rewrite("studio", "discord_contract")

from studio import Studio, StudioOptions, shared_door  # noqa: E402 - the path comes first

from pipeline.imaging.decode import PictureDoor  # noqa: E402


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
