"""Stories of claims, reasons and reports: who looks at what, why, and what everyone may know."""

import pytest
from discord_contract import walk
from studio import Studio, answer, enabled, labels_of, raw, text_of

from bot.services.actor import Actor
from bot.services.claims import CLAIMED_FOR
from bot.services.reports import REPORTS_A_DAY
from pipeline.domain.errors import WrongState
from storage import reviews


def button_id(message, word: str) -> str:
    buttons = (c for c in walk(raw(message)) if c["type"] == 2)
    return next(b["custom_id"] for b in buttons if b["label"].startswith(word))


async def press(who, message, word: str):
    return await who.click(message, custom_id=button_id(message, word))


async def write(who, shown, words: str):
    """Fill the one field of a dialog."""
    return await who.submit_modal(shown, {_field(shown): words})


def _field(shown) -> str:
    found = [c["custom_id"] for c in walk(shown.modal["components"]) if c["type"] == 4]
    nested = [c["component"]["custom_id"] for c in shown.modal["components"] if "component" in c]
    return (found or nested)[0]


async def events(studio: Studio) -> list[str]:
    rows = await studio.app.db.fetch_all("SELECT action FROM audit_event ORDER BY id")
    return [row["action"] for row in rows]


def second_mod(studio: Studio):
    return studio.guild.add_member(studio.env.create_user("second"), roles=[studio.mods])


async def report(studio: Studio, who, card, words: str):
    shown = await who.context_menu(studio.channel, "Report", card)
    return await write(who, shown, words)


# --- claims ---------------------------------------------------------------------------------------


async def test_a_claim_is_seen_by_all_and_only_its_holder_decides(studio: Studio):
    await studio.register()
    other = second_mod(studio)
    thread, card = await studio.flagged()
    assert "Claim" in labels_of(card)
    taken = await press(studio.mod, card, "Claim")
    assert "is yours" in answer(taken)
    card = thread.last_message
    assert f"<@{studio.mod.id}> is looking at it" in text_of(card)
    assert enabled(card)[-2:] == ["Give back", "Take over"]
    listed = await other.slash(studio.channel, "review list")
    assert f"✋ <@{studio.mod.id}>" in answer(listed)
    refused = await press(other, card, "Approve")
    assert "Another moderator is looking" in answer(refused)
    assert "Only whoever has taken" in answer(await press(other, card, "Give back"))
    await studio.restart()
    assert "Another moderator" in answer(await press(other, card, "Reject"))
    await press(studio.mod, card, "Give back")
    assert "is looking at it" not in text_of(thread.last_message)
    await press(other, thread.last_message, "Reject")
    await studio.quiet()
    assert (await reviews.get_review(studio.app.db, studio.guild.id, 1)).decided_by == other.id


async def test_a_claim_can_be_taken_over_on_purpose_and_that_is_logged(studio: Studio):
    await studio.register()
    other = second_mod(studio)
    thread, card = await studio.flagged()
    await press(studio.mod, card, "Claim")
    moderator = Actor(studio.guild.id, other.id, is_moderator=True)
    with pytest.raises(WrongState, match="You can take it over"):  # both clicked at once
        await studio.app.reviews.claims.take(moderator, 1)
    taken = await press(other, thread.last_message, "Take over")
    assert "is yours" in answer(taken)
    assert f"<@{other.id}> is looking at it" in text_of(thread.last_message)
    assert "review.taken_over" in await events(studio)
    assert "Another moderator" in answer(await press(studio.mod, card, "Approve"))


async def test_a_claim_ends_by_itself(studio: Studio):
    await studio.register()
    other = second_mod(studio)
    _, card = await studio.flagged()
    await press(studio.mod, card, "Claim")
    long_ago = f"-{CLAIMED_FOR.total_seconds() + 1} seconds"
    await studio.app.db.write(
        lambda tx: tx.execute(
            "UPDATE review SET claimed_at = strftime('%Y-%m-%dT%H:%M:%S', 'now', ?)", (long_ago,)
        )
    )
    assert "approved" in answer(await press(other, card, "Approve"))


async def test_a_claim_is_for_moderators(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    assert "Only moderators" in answer(await press(studio.ann, card, "Claim"))
    assert "is looking" not in text_of(thread.last_message)


# --- reasons --------------------------------------------------------------------------------------


async def test_a_reason_reaches_whoever_asked_for_the_panel(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    rejected = await press(studio.mod, card, "Reject")
    await studio.quiet()
    shown = await press(studio.mod, rejected.followups[0], "Say why")
    said = await write(studio.mod, shown, "The tail is *missing*.")
    assert "says why" in answer(said)
    await studio.quiet()
    assert "tail is \\*missing" in text_of(thread.last_message)
    status = await studio.ann.slash(studio.channel, "panel status", panel=1)
    assert "The moderators say: The tail" in answer(status)
    assert (await events(studio))[-1] == "review.reason"
    assert studio.env.backend.channels[thread.id].thread_metadata.archived


async def test_only_whoever_decided_says_why(studio: Studio):
    await studio.register()
    other = second_mod(studio)
    thread, card = await studio.flagged()
    await press(studio.mod, card, "Reject")
    await studio.quiet()
    card = thread.last_message
    assert "Only moderators" in answer(await press(studio.ann, card, "Say why"))
    refused = await write(other, await press(other, card, "Say why"), "I think so, too.")
    assert "Only whoever decided" in answer(refused)


# --- reports --------------------------------------------------------------------------------------


async def test_reports_open_one_private_review_and_nobody_learns_who_reported(studio: Studio):
    await studio.register()
    card = await studio.posted(alternates=1)
    assert "Thank you" in answer(await report(studio, studio.bob, card, "It is *somebody* real."))
    await studio.quiet()
    (thread,) = studio.reviews.threads
    evidence = thread.last_message
    assert "reported by members" in text_of(evidence)
    assert "1 member says" in text_of(evidence)
    eve = studio.guild.add_member(studio.env.create_user("eve"))
    await report(studio, eve, card, "I know this person.")
    await studio.quiet()
    assert len(studio.reviews.threads) == 1, "one review gathers all reports"
    words = text_of(thread.last_message)
    assert "2 members say" in words
    assert "I know this person." in words
    assert f"/{card.id})" in words, "it leads to the card"
    members = set(studio.env.backend.channels[thread.id].thread_members)
    assert studio.ann.id not in members, "the accused reads none of it"
    everything = words + str([r.json for r in studio.log.requests])
    log = answer(await studio.mod.slash(studio.channel, "review log"))
    for reporter in (studio.bob, eve):
        assert f"<@{reporter.id}>" not in everything + log
    assert "accepted" in answer(await studio.ann.slash(studio.channel, "panel status", panel=1))


async def test_a_reported_panel_is_taken_down_and_comes_back_by_appeal(studio: Studio):
    await studio.register()
    card = await studio.posted(alternates=1, prompt="Rude words.")
    await report(studio, studio.bob, card, "Rude words in it.")
    await studio.quiet()
    thread = studio.reviews.threads[0]
    rejected = await press(studio.mod, thread.last_message, "Reject")
    await studio.restart()
    shown = await press(studio.mod, rejected.followups[0], "Say why")
    await write(studio.mod, shown, "Not in this server.")
    await studio.quiet()
    card = studio.card()
    assert "taken down" in text_of(card)
    assert "Not in this server." in text_of(card)
    assert "Rude words" not in text_of(card)
    assert not card.attachments, "the picture went with it"
    assert "Only the person" in answer(await press(studio.bob, card, "Appeal"))
    other = second_mod(studio)
    await press(studio.ann, card, "Appeal")
    await studio.quiet()
    fresh = studio.reviews.threads[1].last_message
    await press(other, fresh, "Approve")
    await studio.quiet()
    assert "accepted" in text_of(studio.card())
    assert len(studio.card().attachments) == 1


async def test_a_panel_that_was_kept_stays_and_is_not_reported_again(studio: Studio):
    await studio.register()
    card = await studio.posted()
    await report(studio, studio.bob, card, "I do not like it.")
    await studio.quiet()
    evidence = studio.reviews.threads[0].last_message
    assert "Retry" not in [label.split()[0] for label in enabled(evidence)]
    await press(studio.mod, evidence, "Approve")
    await studio.quiet()
    assert "vote for one" in text_of(studio.card()), "the vote goes on"
    eve = studio.guild.add_member(studio.env.create_user("eve"))
    assert "kept it" in answer(await report(studio, eve, card, "I do not like it, too."))
    row = await studio.app.db.fetch_one("SELECT count(*) AS n FROM verdict_label")
    assert row["n"] == 0, "a report teaches the check nothing"


async def test_reports_have_limits(studio: Studio):
    await studio.register()
    card = await studio.posted(alternates=1)
    await report(studio, studio.bob, card, "It is rude.")
    assert "reported this already" in answer(await report(studio, studio.bob, card, "Very rude."))
    await studio.quiet()
    for _ in range(REPORTS_A_DAY - 1):
        other = await studio.posted(alternates=1)
        await report(studio, studio.bob, other, "It is rude.")
        await studio.quiet()
    last = await studio.posted(alternates=1)
    assert "24 hours" in answer(await report(studio, studio.bob, last, "It is rude."))
    refused = await studio.ann.context_menu(
        studio.channel, "Report", await studio.bob.send(studio.channel, "hello")
    )
    assert "Only panel cards" in answer(refused)


async def test_a_moderator_does_not_decide_about_their_own_reported_panel(studio: Studio):
    await studio.register()
    await studio.request(studio.mod, alternates=1)
    await studio.quiet()
    await report(studio, studio.bob, studio.card(), "It is rude.")
    await studio.quiet()
    evidence = studio.reviews.threads[0].last_message
    assert "your own panel" in answer(await press(studio.mod, evidence, "Approve"))


async def test_a_report_carried_to_another_server_finds_nothing(studio: Studio):
    await studio.register()
    await studio.posted(alternates=1)
    other = studio.env.create_guild("Rivals")
    room = other.create_text_channel("room")
    eve = other.add_member(studio.env.create_user("eve"))
    from cogs.ui import ids
    from cogs.ui.card import Card, button

    forged = Card().row(button("Recipe", ids.panel("recipe", 1, 0)))
    await studio.bot.get_channel(room.id).send(view=forged.view())
    shown = await eve.context_menu(room, "Report", room.last_message)
    assert "no panel 1 here" in answer(await write(eve, shown, "It is rude."))
    row = await studio.app.db.fetch_one("SELECT count(*) AS n FROM report")
    assert row["n"] == 0
