"""The log of decisions: whoever decides, by command, by button or by the clock, stands in it."""

from discord_contract import walk
from studio import Studio, answer, raw


def button_id(message, word: str) -> str:
    buttons = (c for c in walk(raw(message)) if c["type"] == 2)
    return next(b["custom_id"] for b in buttons if b["label"].startswith(word))


async def press(who, message, word: str):
    return await who.click(message, custom_id=button_id(message, word))


async def logged(studio: Studio) -> list[tuple[str, int | None]]:
    rows = await studio.app.db.fetch_all("SELECT action, member_id FROM audit_event ORDER BY id")
    return [(row["action"], row["member_id"]) for row in rows]


async def test_every_decision_is_in_the_log_with_whoever_made_it(studio: Studio):
    mod, ann, boss, bob = studio.mod, studio.ann, studio.boss, studio.bob
    await studio.register()
    _, card = await studio.flagged()
    await press(mod, card, "Retry")
    await studio.quiet()
    await press(mod, studio.reviews.threads[-1].last_message, "Reject")
    await studio.quiet()
    await press(ann, studio.reviews.threads[-1].last_message, "Appeal")
    await studio.quiet()
    appeal = studio.reviews.threads[-1].last_message
    other = studio.guild.add_member(studio.env.create_user("second"), roles=[studio.mods])
    claimed = await press(mod, appeal, "Claim")
    assert claimed.acknowledged
    taken = await studio.app.reviews.claims.take(actor(studio, other), 3, over=True)
    assert taken.claimed_by == other.id
    await studio.app.reviews.approve(actor(studio, other), 3)
    await studio.quiet()
    card = await studio.posted()
    await bob.click(card, label="Vote A")
    await press(ann, card, "Finish vote")
    await bob.click(await studio.posted(prompt="By the clock."), label="Vote B")
    await studio.app.db.write(
        lambda tx: tx.execute("UPDATE panel SET voting_closes_at = '2001-01-01T00:00:00+00:00'")
    )
    await studio.env.advance_time(60)

    async def closed() -> bool:
        return ("vote.closed", None) in await logged(studio)

    await studio.until(closed)
    await studio.quiet()
    studio.executor.gate.clear()
    await studio.request(prompt="Never mind.")
    await mod.slash(studio.channel, "panel cancel", panel=4)
    studio.executor.gate.set()
    await studio.quiet()
    await mod.slash(studio.channel, "safety words add", words="badword")
    await mod.slash(studio.channel, "safety words remove", word="badword")
    await boss.slash(studio.channel, "safety settings", flag_from=70)
    await ann.slash(studio.channel, "character delete", character="ch_akira")
    log = await logged(studio)
    for expected in (
        ("series.settings", boss.id), ("review.retried", mod.id), ("review.rejected", mod.id),
        ("review.appealed", ann.id), ("review.taken_over", other.id),
        ("review.approved", other.id), ("vote.closed", ann.id), ("vote.closed", None),
        ("panel.cancelled", mod.id), ("safety.words", mod.id), ("safety.settings", boss.id),
        ("character.deleted", ann.id),
    ):  # fmt: skip
        assert expected in log, expected
    shown = answer(await mod.slash(studio.channel, "review log"))
    assert "the studio" in shown, "what the clock decided was nobody's"


def actor(studio: Studio, member):
    from bot.services.actor import Actor

    return Actor(studio.guild.id, member.id, is_moderator=True)
