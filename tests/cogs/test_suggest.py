"""Whatever has a name or a number is completed while it is typed."""

import pytest
from discord import app_commands
from studio import Studio
from test_story_registry import wardrobe

# Options by these names mean something that exists already.
NAMED = {
    "character", "characters", "appearance", "source", "target", "like", "page", "first", "script",
    "reference", "quest", "components",
}  # fmt: skip
# New things get new names; a position on a page is no panel's number.
NEW = {("character register", "appearance"), ("character register-form", "appearance")}
POSITIONS = {"page edit", "page letter"}


async def test_every_option_that_names_something_is_completed(studio: Studio):
    bare = [
        (command.qualified_name, option.name)
        for command in studio.bot.tree.walk_commands()
        if isinstance(command, app_commands.Command)
        for option in command.parameters
        if (
            option.name in NAMED
            or (option.name == "panel" and command.qualified_name not in POSITIONS)
        )
        and option.type.name in ("string", "integer")
        and not option.choices
        and not option.autocomplete
    ]
    assert sorted(set(bare) - NEW) == []


async def offered(studio: Studio, command: str, option: str, value="", **options):
    found = await studio.bob.autocomplete(studio.channel, command, option, value, **options)
    return [(choice["name"], choice["value"]) for choice in found]


@pytest.fixture
async def filled(studio: Studio):
    await wardrobe(studio)
    await studio.register(studio.bob, "Beni", "gold")
    await studio.posted("They run home.")
    await studio.ann.slash(
        studio.channel, "appearance mark", character="ch_akira", name="scar", reference=1,
        region="30%,5%,70%,30%",
    )  # fmt: skip
    return studio


async def test_looks_and_references_of_who_is_named(filled: Studio):
    every = await offered(filled, "character sheet", "appearance")
    assert {value for _, value in every} == {
        "akira_red_coat", "akira_green_coat", "beni_default",
    }  # fmt: skip
    mine = await offered(filled, "character sheet", "appearance", character="ch_beni")
    assert [value for _, value in mine] == ["beni_default"]
    pictures = await offered(filled, "character edit", "reference", character="Akira")
    assert len(pictures) == 8
    assert pictures[0][0].startswith("#8 · Akira · green coat · full")
    green = await offered(filled, "character edit", "reference", "green", character="Akira")
    assert {value for _, value in green} == {5, 6, 7, 8}
    assert await offered(filled, "character edit", "reference", "blue", character="Akira") == []


async def test_panels_marks_and_components(filled: Studio):
    ((name, value),) = await offered(filled, "panel status", "panel", "home")
    assert (name, value) == ("1 · Akira · They run home.", 1)
    assert await offered(filled, "panel status", "panel", "1") == [(name, 1)]
    assert await offered(filled, "panel status", "panel", "swim") == []
    assert await offered(filled, "appearance mark", "name", "sc", character="Akira") == [
        ("scar", "scar")
    ]
    slots = await offered(filled, "character edit", "components", "hair_color=navy, eye")
    assert ("hair_color=navy, eye_color=",) * 2 in slots
    colors = await offered(filled, "character edit", "components", "eye_color=gr")
    assert {value for _, value in colors} == {"eye_color=green", "eye_color=grey"}
    words = await offered(filled, "character edit", "expression", "smi")
    assert {value for _, value in words} == {"smile", "smiling"}


async def test_nothing_of_another_server_is_offered(filled: Studio):
    other = filled.env.create_guild("Other Club")
    there = other.create_text_channel("panels")
    eve = other.add_member(filled.env.create_user("eve"))
    for command, option in (
        ("character sheet", "character"),
        ("character sheet", "appearance"),
        ("character edit", "reference"),
        ("panel status", "panel"),
        ("page compose", "page"),
    ):
        assert await eve.autocomplete(there, command, option, "") == [], option
