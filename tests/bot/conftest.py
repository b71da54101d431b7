"""A studio without a front end, on real SQLite, with the demo's cast at hand."""

import pytest

from bot.app import open_app
from bot.demo.material import load_material
from bot.services.actor import Actor
from bot.settings import Settings


@pytest.fixture(scope="session")
def material():
    return load_material()


@pytest.fixture
async def app(tmp_path):
    async with open_app(Settings(data_dir=tmp_path / "data", _env_file=None)) as app:
        yield app


@pytest.fixture
def manager():
    return Actor(10, 1, is_moderator=True, can_manage=True)


@pytest.fixture
def member():
    return Actor(10, 2)
