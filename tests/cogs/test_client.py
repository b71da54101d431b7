"""The client: which commands it offers, what it may hear, and when it tells Discord."""

import discord
import pytest
from studio import Studio

from bot.client import EXTENSIONS, tree_digest

# The public contract: names and options, required ones first.
SURFACE = {
    "setup": (),
    "series create": ("name", "style?", "reading_direction?", "color_mode?"),
    "series settings": (
        "moderator_role?", "panel_channel?", "review_channel?", "alternates?", "quota?",
        "missing_shot?", "false_flags?", "audit?", "chapter?", "page_size?", "language?",
        "sentinel?",
    ),
    "character register": (
        "name", "image", "image2?", "image3?", "image4?", "image5?", "appearance?", "shot_type?",
        "notes?",
    ),
    "character add-reference": (
        "character", "image", "image2?", "image3?", "image4?", "image5?", "appearance?",
        "shot_type?",
    ),
    "character register-form": ("name", "appearance?"),
    "character quests": ("character?",),
    "character owners": ("character", "add?", "remove?"),
    "character transfer": ("character", "member"),
    "character access": ("character", "request?", "edit?", "train?", "role?"),
    "character sheet": ("character", "appearance?", "paper?"),
    "character coverage": ("character",),
    "character edit": (
        "character", "appearance?", "components?", "suggestions?", "valid?", "version?",
        "colorway?", "notes?", "name?", "kind?", "height?", "credits?", "license?", "reference?",
        "shot_type?", "angle?", "expression?",
    ),
    "character export": ("character",),
    "character import": ("file", "name?"),
    "appearance add": (
        "character", "name", "like?", "components?", "valid?", "colorway?", "notes?",
    ),
    "appearance split": ("character", "appearance", "name", "references?", "confirm?"),
    "appearance merge": ("character", "source", "target", "confirm?"),
    "appearance history": ("character", "undo?"),
    "appearance wardrobe": ("chapter?", "page?"),
    "appearance mark": ("character", "name", "reference?", "region?", "side?"),
    "character list": (),
    "character delete": ("character",),
    "panel request": (
        "characters", "prompt", "appearance?", "shot_type?", "alternates?", "sketch?", "page?",
        "dialogue?", "style_freedom?", "chapter?", "reference?",
    ),
    "panel identify": ("image",),
    "panel check": ("image", "character", "appearance?", "box?"),
    "panel submit": ("image", "characters", "page?", "dialogue?", "chapter?"),
    "panel status": ("panel",),
    "panel cancel": ("panel",),
    "panel reroll": (
        "panel", "prompt?", "seed?", "shot_type?", "alternates?", "reference?", "hold?",
        "style_freedom?",
    ),
    "panel recipe": ("panel",),
    "panel use": ("panel", "page"),
    "panel allowance": (),
    "panel gallery": (
        "character?", "words?", "image?", "page?", "chapter?", "since?", "until?", "member?",
    ),
    "series voting": ("hours?", "quorum?", "role?", "everyone?", "member_days?", "tie?"),
    "series quota": ("role?", "gpu_seconds?", "panels?", "cooldown?"),
    "series channel": ("channel?", "generator?", "style?", "size?", "alternates?", "clear?"),
    "queue show": (),
    "queue move": ("panel", "where?"),
    "queue cancel": ("panel",),
    "queue pause": ("reason?",),
    "queue resume": (),
    "series taste": ("switch?",),
    "review list": (),
    "review next": (),
    "review second": (),
    "review stats": (),
    "review log": ("before?",),
    "safety settings": ("flag_from?", "restricted_channels?"),
    "safety words add": ("words",),
    "safety words remove": ("word",),
    "safety words list": (),
    "privacy export": (),
    "privacy delete": (),
    "privacy consent": ("character?", "person?", "scope?", "days?"),
    "drift report": ("character?", "last?"),
    "page compose": ("page", "layout?"),
    "page edit": ("page", "change", "panel", "with?"),
    "page letter": (
        "page", "panel?", "line?", "text?", "kind?", "place?", "nudge?", "language?",
    ),
    "page export": ("format", "page?", "language?"),
    "page submit": ("file", "page?"),
    "script import": ("file?",),
    "script export": ("script", "form?"),
    "animatic make": ("first", "last?", "form?", "shape?", "language?"),
}  # fmt: skip
AUTOCOMPLETED = {
    "character", "characters", "appearance", "like", "source", "target", "layout", "script",
    "word", "components", "expression", "reference", "page", "first",
}  # fmt: skip

# What people who do not manage the server are not even offered.
MANAGING = {"series", "setup"}
MENUS = {(name, "message") for name in ("Report", "Add as reference", "Check this picture")}
COMPLETED_HERE = {
    ("page letter", "language"), ("appearance mark", "name"), ("animatic make", "last"),
    ("panel status", "panel"), ("panel cancel", "panel"), ("panel recipe", "panel"),
    ("panel reroll", "panel"), ("queue move", "panel"), ("queue cancel", "panel"),
    ("panel use", "panel"), ("series channel", "generator"),
}  # fmt: skip


def is_menu(command) -> bool:
    return isinstance(command, discord.app_commands.ContextMenu)


def commands(studio: Studio):
    payload = [c.to_dict(studio.bot.tree) for c in studio.bot.tree.get_commands()]
    typed = [c for c in payload if c["type"] == discord.AppCommandType.chat_input.value]
    return {name: leaf for command in typed for name, leaf in leaves(command)}


def leaves(command, above: str = ""):
    """Commands as they are typed, out of their groups."""
    name = f"{above} {command['name']}".strip()
    groups = [option for option in command["options"] if option["type"] in (1, 2)]
    if not groups:
        yield name, command
    for option in groups:
        yield from leaves(option, name)


async def test_the_commands_are_the_public_contract(studio: Studio):
    offered = {
        name: tuple(o["name"] + ("" if o.get("required") else "?") for o in leaf["options"])
        for name, leaf in commands(studio).items()
    }
    assert offered == SURFACE


async def test_the_menus_of_messages_and_members_are_the_public_contract(studio: Studio):
    offered = {(c.name, c.type.name) for c in studio.bot.tree.get_commands() if is_menu(c)}
    assert offered == MENUS


async def test_every_command_and_option_is_described(studio: Studio):
    for name, leaf in commands(studio).items():
        assert len(leaf["description"]) > 10, name
        assert all(len(o["description"]) > 3 for o in leaf["options"]), name


async def test_names_are_completed_while_typing(studio: Studio):
    for name, leaf in commands(studio).items():
        if name in ("character register", "character register-form"):
            continue  # new names
        for option in leaf["options"]:
            known = option["name"] in AUTOCOMPLETED or (name, option["name"]) in COMPLETED_HERE
            assert bool(option.get("autocomplete")) == known, name


async def test_commands_are_for_servers_only_and_managing_is_hidden_from_members(studio: Studio):
    for group in studio.bot.tree.get_commands():
        payload = group.to_dict(studio.bot.tree)
        assert payload["contexts"] == [0]
        assert payload["integration_types"] == [0]
        managing = payload["default_member_permissions"]
        expected = discord.Permissions(manage_guild=True).value if group.name in MANAGING else None
        assert managing == expected


async def test_it_reads_no_messages_and_pings_nobody(studio: Studio):
    assert [name for name, on in studio.bot.intents if on] == ["guilds"]
    assert studio.bot.allowed_mentions is not None
    assert studio.bot.allowed_mentions.to_dict()["parse"] == []


async def test_every_extension_is_loaded_and_every_module_of_cogs_with_a_setup_is_one(
    studio: Studio,
):
    import importlib
    import pkgutil

    import cogs

    assert set(studio.bot.extensions) == set(EXTENSIONS)
    found = {
        module.name
        for module in pkgutil.walk_packages(cogs.__path__, "cogs.")
        if hasattr(importlib.import_module(module.name), "setup")
    }
    assert found == set(EXTENSIONS)


async def test_commands_are_sent_again_only_when_they_changed(studio: Studio):
    def sent():
        return len(studio.log.of("PUT", r"/applications/\d+/commands"))

    assert sent() == 1
    assert await studio.bot.sync_commands() is False
    await studio.restart()
    assert sent() == 1
    before = await tree_digest(studio.bot.tree, None)
    studio.bot.tree.remove_command("queue")
    assert await tree_digest(studio.bot.tree, None) != before
    assert await studio.bot.sync_commands() is True
    assert sent() == 2


@pytest.mark.studio(series=False)
async def test_a_development_server_gets_its_commands_at_once(studio: Studio):
    studio.settings = studio.settings.model_copy(update={"guild_id": studio.guild.id})
    await studio.restart()
    path = rf"/applications/\d+/guilds/{studio.guild.id}/commands"
    (sent,) = studio.log.of("PUT", path)
    menus = {name for name, _ in MENUS}
    assert {c["name"] for c in sent.json} == {name.split()[0] for name in SURFACE} | menus
    await studio.restart()
    assert len(studio.log.of("PUT", path)) == 1
