"""A character to try things out with, from the art that comes with the project."""

import asyncio

from bot.demo.material import load_material
from bot.services.actor import Actor
from bot.services.cast import CastService
from bot.services.registration import NewCharacter, Registration


async def register_sample(cast: CastService, actor: Actor) -> Registration:
    """Register the first character of the demo's cast; her art is CC0.

    Raises:
        NotAllowed: the actor may not manage the guild.
        NotFound: the guild has no series, or the examples are not installed.
        AlreadyExists: she is registered.
    """
    actor.require_manager("add the sample character")
    material = await asyncio.to_thread(load_material)
    sample = material.characters[0]
    look = sample.appearances[0]
    new = NewCharacter(
        name=sample.name,
        character_id=sample.character_id,
        appearance=look.appearance_id,
        label=look.label,
        notes=sample.notes,
        height_ratio=sample.height_ratio,
        components=look.components,
    )
    return await cast.register(actor, new, look.references)
