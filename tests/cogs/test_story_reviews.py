"""Stories of moderators: private threads, decisions, labels, and who may do what."""

import discord
import pytest
from discord_contract import walk
from studio import Studio, answer, enabled, picture, raw, text_of

from storage import reviews


def members_of(studio: Studio, thread) -> set[int]:
    return set(studio.env.backend.channels[thread.id].thread_members)


def button_id(message, word: str) -> str:
    buttons = (c for c in walk(raw(message)) if c["type"] == 2)
    return next(b["custom_id"] for b in buttons if b["label"].startswith(word))


async def press(who, message, word: str):
    return await who.click(message, custom_id=button_id(message, word))


async def test_a_flagged_panel_opens_a_private_thread_for_moderators_and_the_requester(
    studio: Studio,
):
    await studio.register()
    thread, card = await studio.flagged()
    (opened,) = studio.log.of("POST", r"/channels/\d+/threads")
    assert opened.path == f"/channels/{studio.reviews.id}/threads"
    assert opened.json["type"] == discord.ChannelType.private_thread.value
    assert opened.json["invitable"] is False
    assert thread.name is not None
    assert thread.name.startswith("review 1 · panel 1 · Akira")
    everyone = members_of(studio, thread) - {studio.bot.user.id}
    assert everyone == {studio.ann.id, studio.mod.id}
    assert [label.split()[0] for label in enabled(card)] == [
        "Approve",
        "Reject",
        "Label",
        "Retry",
        "Next",
        "Claim",
    ]
    assert "is this on-model?" in text_of(card)
    assert "another character's" not in text_of(card), "the check keeps its opinion to itself"
    assert card.attachments[0].filename == "review-1-evidence.png"
    assert studio.public() == [], "nothing of it is seen outside"
    review = await reviews.get_review(studio.app.db, studio.guild.id, 1)
    assert review.thread_id == thread.id


@pytest.mark.studio(members_intent=False)
async def test_without_the_member_list_moderators_come_in_through_the_review_list(studio: Studio):
    await studio.register()
    thread, _ = await studio.flagged()
    assert studio.mod.id not in members_of(studio, thread)
    listed = await studio.mod.slash(studio.channel, "review list")
    assert f"<#{thread.id}>" in answer(listed)
    assert studio.mod.id in members_of(studio, thread)


async def test_approve_accepts_the_panel_and_closes_the_thread(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    approved = await press(studio.mod, card, "Approve")
    assert "approved" in answer(approved)
    await studio.quiet()
    card = thread.last_message
    assert "Approved" in text_of(card)
    assert f"<@{studio.mod.id}>" in text_of(card)
    assert [label.split()[0] for label in enabled(card)] == ["Label", "Next", "Say"]
    assert len(card.attachments) == 1
    assert studio.env.backend.channels[thread.id].thread_metadata.archived
    assert "accepted" in text_of(studio.card())


async def test_reject_ends_the_panel(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    await press(studio.mod, card, "Reject")
    await studio.quiet()
    assert "Rejected" in text_of(thread.last_message)
    assert "another character's" in text_of(thread.last_message)
    status = await studio.ann.slash(studio.channel, "panel status", panel=1)
    assert "rejected" in answer(status)
    assert studio.public() == []


async def test_retry_draws_again_and_a_second_flag_opens_a_second_thread(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    await press(studio.mod, card, "Retry")
    await studio.quiet()
    assert studio.executor.runs == 2
    assert "another try" in text_of(thread.last_message).lower()
    assert len(studio.reviews.threads) == 2
    assert studio.reviews.threads[1].name.startswith("review 2")


async def test_labels_are_chosen_from_a_private_menu_and_shown_on_the_card(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    asked = await press(studio.mod, card, "Label")
    menu = asked.followups[0]
    assert menu.ephemeral
    labelled = await studio.mod.select(menu, ["hair_color", "outfit"])
    assert labelled.acknowledged
    assert "Hair colour" in text_of(thread.last_message)
    assert "Outfit" in text_of(thread.last_message)
    assert len(thread.last_message.attachments) == 1
    review = await reviews.get_review(studio.app.db, studio.guild.id, 1)
    assert set(review.labels) == {"hair_color", "outfit"}


@pytest.mark.parametrize("word", ["Approve", "Reject", "Retry", "Label"])
async def test_the_requester_sees_the_buttons_but_may_not_decide(studio: Studio, word):
    await studio.register()
    _, card = await studio.flagged()
    refused = await press(studio.ann, card, word)
    assert "Only moderators" in answer(refused)
    assert refused.followups[0].ephemeral
    await studio.quiet()
    assert (await studio.app.reviews.get(studio.guild.id, 1)).status == "open"


async def test_two_moderators_decide_once(studio: Studio, monkeypatch):
    """The second one clicks while the card still shows its buttons."""
    await studio.register()
    other = studio.guild.add_member(studio.env.create_user("second"), roles=[studio.mods])
    thread, card = await studio.flagged()

    async def away(self, item):
        raise ConnectionError("Discord is slow")

    with monkeypatch.context() as patch:
        patch.setattr(type(studio.bot.poster), "_post_decision", away)
        await press(studio.mod, card, "Approve")
        second = await press(other, card, "Reject")
    assert "approved" in answer(second)
    await studio.quiet()
    assert "Approved" in text_of(thread.last_message)
    assert (await studio.app.reviews.get(studio.guild.id, 1)).decided_by == studio.mod.id


async def test_the_review_list_is_for_moderators(studio: Studio):
    await studio.register()
    await studio.flagged()
    refused = await studio.ann.slash(studio.channel, "review list")
    assert "Only moderators" in answer(refused)
    assert "waiting for a decision" in answer(await studio.mod.slash(studio.channel, "review list"))
    await press(studio.mod, studio.reviews.threads[0].last_message, "Reject")
    assert "Nothing to review" in answer(await studio.mod.slash(studio.channel, "review list"))


async def test_a_panel_that_cannot_be_judged_is_never_a_silent_pass(studio: Studio):
    await studio.register()
    _, card = await studio.flagged(prompt="unsure")
    assert "cannot judge" in text_of(card)


async def test_no_private_thread_means_no_post_and_a_reason_in_the_log(studio: Studio):
    await studio.register()
    studio.options = type(studio.options)(errors_expected=True)
    studio.env.inject_error(
        "POST", "/channels/*/threads", status=403, code=50013, message="Missing Permissions",
        times=None,
    )  # fmt: skip
    await studio.request(prompt="off-model")

    async def given_up() -> bool:
        row = await studio.app.db.fetch_one("SELECT status, error FROM outbox")
        return row is not None and row["status"] == "dead" and "private" in row["error"]

    await studio.until(given_up)
    assert studio.public() == []


async def test_the_review_channel_is_gone_so_the_thread_opens_where_it_was_asked(studio: Studio):
    await studio.register()
    studio.env.backend.delete_channel(studio.reviews.id)
    await studio.request(prompt="off-model")
    await studio.quiet()
    assert len(studio.channel.threads) == 1


async def test_a_long_name_still_makes_a_thread_of_at_most_100_characters(studio: Studio):
    await studio.register(name="Aki " + "x" * 70)
    await studio.request(characters="Aki " + "x" * 70, prompt="off-model")
    await studio.quiet()
    (opened,) = studio.log.of("POST", r"/channels/\d+/threads")
    assert len(opened.json["name"]) <= 100


async def test_a_post_that_was_made_but_not_recorded_is_found_and_not_repeated(
    studio: Studio, monkeypatch
):
    """The process dies between Discord's answer and its own note, for every kind of post."""
    await studio.register()
    poster = type(studio.bot.poster)
    real, lost = poster.post, []

    async def post_and_lose(self, item):
        posted = await real(self, item)
        if item.tries == 0:
            lost.append(item.kind)
            raise ConnectionError("the answer was lost")
        return posted

    monkeypatch.setattr(poster, "post", post_and_lose)
    studio.options = type(studio.options)(errors_expected=True)
    await studio.request(prompt="Once.", alternates=1)
    await studio.request(prompt="broken")
    await studio.request(prompt="off-model")
    await studio.quiet()
    assert len(lost) == 3
    assert len(studio.public()) == 2
    assert len(studio.reviews.threads) == 1
    assert len(studio.reviews.threads[0].history()) == 1


async def test_the_channel_of_a_request_is_gone_so_the_spare_one_is_used(studio: Studio):
    await studio.register()
    spare = studio.guild.create_text_channel("spare")
    await studio.boss.slash(studio.channel, "series settings", panel_channel=spare)
    studio.executor.gate.clear()
    await studio.request()
    await studio.until(lambda: studio.executor.runs == 1)
    studio.env.backend.delete_channel(studio.channel.id)
    studio.executor.gate.set()
    await studio.quiet()
    assert "vote for one" in text_of(studio.card(spare))


async def test_a_submission_of_somebody_else_is_flagged_for_its_author_too(studio: Studio):
    await studio.register()
    await studio.bob.slash(
        studio.channel, "panel submit", image=("m.png", picture("darkred")), characters="ch_akira"
    )
    await studio.quiet()
    thread = studio.reviews.threads[0]
    assert studio.bob.id in members_of(studio, thread)
    assert studio.ann.id not in members_of(studio, thread)


async def test_a_label_may_follow_the_decision(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    await press(studio.mod, card, "Reject")
    await studio.quiet()
    asked = await press(studio.mod, thread.last_message, "Label")
    labelled = await studio.mod.select(asked.followups[0], ["age"])
    assert labelled.acknowledged
    assert (await reviews.get_review(studio.app.db, studio.guild.id, 1)).labels == ("age",)


async def test_a_thread_that_was_archived_meanwhile_still_shows_the_decision(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    await studio.bot.get_guild(studio.guild.id).get_thread(thread.id).edit(archived=True)
    await press(studio.mod, card, "Approve")
    await studio.quiet()
    assert "Approved" in text_of(thread.last_message)
    edits = [r.json for r in studio.log.of("PATCH", rf"/channels/{thread.id}")]
    assert [e["archived"] for e in edits] == [True, False, True]
