"""Stories of members: asking for panels, voting, handing in, looking up."""

from itertools import pairwise

import pytest
from discord_contract import walk
from studio import Studio, answer, enabled, labels_of, picture, raw, text_of

from pipeline.domain.review import PostKind
from storage import outbox


async def test_a_panel_goes_from_request_to_an_accepted_vote(studio: Studio):
    registered = await studio.register()
    assert registered.ephemeral
    assert "Akira" in answer(registered)

    asked = await studio.request(prompt="They run home.")
    assert asked.ephemeral
    assert "number 1" in answer(asked)
    await studio.quiet()

    card = studio.card()
    assert labels_of(card) == [
        "Vote A", "Vote B", "Reroll", "Remix", "Vary this", "Recipe", "Finish vote",
    ]  # fmt: skip
    assert "They run home." in text_of(card)
    assert len(card.attachments) == 2
    assert all("Alternate" in (a.description or "") for a in card.attachments)

    voted = await studio.bob.click(card, label="Vote B")
    assert voted.followups[0].ephemeral
    assert "is B" in answer(voted)
    assert "1 vote so far" in text_of(studio.card())

    finished = await studio.ann.click(studio.card(), label="Finish vote")
    assert "B wins" in answer(finished)
    await studio.quiet()
    assert "accepted" in text_of(studio.card())
    assert "**chosen**" in text_of(studio.card())
    assert enabled(studio.card()) == [
        "Reroll", "Remix", "Vary this", "Upscale", "Recipe", "Use on page…",
    ]  # fmt: skip
    assert len(studio.card().attachments) == 2, "an edit keeps the pictures"


async def test_one_alternate_is_accepted_at_once_and_shown_without_a_vote(studio: Studio):
    await studio.register()
    card = await studio.posted(alternates=1)
    assert enabled(card) == [
        "Reroll", "Remix", "Vary this", "Upscale", "Recipe", "Use on page…",
    ]  # fmt: skip
    assert "accepted" in text_of(card)


async def test_one_vote_per_person_changeable_while_it_is_open(studio: Studio):
    await studio.register()
    card = await studio.posted()
    await studio.bob.click(card, label="Vote A")
    told = await studio.ann.click(studio.card(), label="Vote A")
    assert "**A** 2 votes · **B** 0 votes" in answer(told)
    changed = await studio.bob.click(studio.card(), label="Vote B")
    assert "is B" in answer(changed)
    again = await studio.bob.click(studio.card(), label="Vote B")
    assert "**A** 1 vote · **B** 1 vote" in answer(again)
    assert "2 votes so far" in text_of(studio.card())


async def test_a_vote_after_the_close_is_refused_in_private(studio: Studio):
    await studio.register()
    card = await studio.posted()
    await studio.bob.click(card, label="Vote A")
    await studio.ann.click(card, label="Finish vote")
    late = await studio.bob.click(card, custom_id=_vote_id(card, "Vote B"))
    assert late.followups[0].ephemeral
    assert "vote" in answer(late).lower()
    await studio.quiet()
    assert "2 votes" not in text_of(studio.card())
    assert "margin +0.10) · 1 vote · **chosen**" in text_of(studio.card())


async def test_only_the_requester_or_a_moderator_finishes_a_vote(studio: Studio):
    await studio.register()
    card = await studio.posted()
    await studio.bob.click(card, label="Vote A")
    refused = await studio.bob.click(studio.card(), label="Finish vote")
    assert "moderator" in answer(refused)
    assert "Finish vote" in enabled(studio.card())
    await studio.mod.click(studio.card(), label="Finish vote")
    await studio.quiet()
    assert "accepted" in text_of(studio.card())


async def test_a_vote_without_voters_cannot_be_finished(studio: Studio):
    await studio.register()
    refused = await studio.ann.click(await studio.posted(), label="Finish vote")
    assert "Nobody has voted" in answer(refused)


async def test_a_double_click_on_reroll_makes_one_panel(studio: Studio):
    await studio.register()
    card = await studio.posted()
    first = await studio.bob.click(card, label="Reroll")
    assert "number 2" in answer(first)
    second = await studio.bob.click(card, label="Reroll")
    assert second.acknowledged
    await studio.quiet()
    assert len(studio.public()) == 2


async def test_reroll_and_recipe_as_commands(studio: Studio):
    await studio.register()
    await studio.posted(prompt="At the harbour.")
    rerolled = await studio.bob.slash(studio.channel, "panel reroll", panel=1)
    assert "number 2" in answer(rerolled)
    await studio.quiet()
    assert "At the harbour." in text_of(studio.card())
    recipe = await studio.bob.slash(studio.channel, "panel recipe", panel=2)
    assert "seed" in answer(recipe)
    assert recipe.response is not None
    assert recipe.response.attachments[0].filename == "panel-2-plan.json"


async def test_the_recipe_button_answers_in_private(studio: Studio):
    await studio.register()
    shown = await studio.bob.click(await studio.posted(), label="Recipe")
    assert shown.ephemeral
    assert "Recipe of panel 1" in answer(shown)


async def test_a_submission_gets_the_same_review_and_can_be_approved(studio: Studio):
    await studio.register()
    handed_in = await studio.bob.slash(
        studio.channel, "panel submit", image=("mine.png", picture("darkred")), characters="Akira"
    )
    assert "submission is number 1" in answer(handed_in)
    await studio.quiet()
    thread = studio.reviews.threads[0]
    card = thread.last_message
    assert "Retry" not in enabled(card)
    await studio.mod.click(card, label="Approve")
    await studio.quiet()
    result = studio.card()
    assert "accepted" in text_of(result)
    assert "drawn by" in text_of(result)
    assert len(result.attachments) == 1


async def test_a_failed_panel_is_told_in_the_channel_with_another_try(studio: Studio):
    await studio.register()
    card = await studio.posted(prompt="broken")
    assert "could not be made" in text_of(card)
    assert "ran out of ink" in text_of(card)
    again = await studio.ann.click(card, label="Reroll")
    assert "number 2" in answer(again)
    await studio.quiet()


async def test_a_crashing_worker_ends_in_a_readable_failure(studio: Studio):
    await studio.register()
    card = await studio.posted(prompt="crash")
    assert "could not be made" in text_of(card)
    assert studio.executor.runs == 3
    assert len(studio.public()) == 1


async def test_status_follows_a_panel_and_cancel_stops_it(studio: Studio):
    await studio.register()
    studio.executor.gate.clear()
    await studio.request()
    await studio.until(lambda: studio.executor.runs == 1)
    await studio.request(prompt="Another.")
    running = await studio.bob.slash(studio.channel, "panel status", panel=1)
    assert "being drawn" in answer(running)
    waiting = await studio.bob.slash(studio.channel, "panel status", panel=2)
    assert "Waiting in the queue" in answer(waiting)
    queue = await studio.bob.slash(studio.channel, "queue show")
    assert "panel 2 · Akira" in answer(queue)

    refused = await studio.bob.slash(studio.channel, "panel cancel", panel=2)
    assert "moderator" in answer(refused)
    stopped = await studio.ann.slash(studio.channel, "panel cancel", panel=2)
    assert "is cancelled" in answer(stopped)
    ending = await studio.mod.slash(studio.channel, "panel cancel", panel=1)
    assert "will stop" in answer(ending)
    await studio.quiet()
    assert studio.public() == []
    over = await studio.ann.slash(studio.channel, "panel cancel", panel=1)
    assert "nothing is left to stop" in answer(over)
    empty = await studio.bob.slash(studio.channel, "queue show")
    assert "empty" in answer(empty)


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("panel request", {"characters": "Nobody", "prompt": "x"}, "Nobody"),
        ("panel request", {"characters": ",", "prompt": "x"}, "1 to"),
        ("panel status", {"panel": 99}, "99"),
        ("panel cancel", {"panel": 99}, "99"),
        ("panel recipe", {"panel": 99}, "99"),
        ("panel reroll", {"panel": 99}, "99"),
        ("page compose", {"page": 7}, "7"),
        ("page export", {"format": "pdf"}, "page"),
    ],
)
async def test_what_does_not_exist_is_told_in_private(studio: Studio, command, options, words):
    await studio.register()
    refused = await studio.bob.slash(studio.channel, command, **options)
    assert refused.acknowledged
    assert words in answer(refused)
    assert studio.public() == []


async def test_a_text_file_named_png_is_refused(studio: Studio):
    await studio.register()
    for command, options in (
        ("panel submit", {"characters": "Akira"}),
        ("panel check", {"character": "ch_akira"}),
    ):
        refused = await studio.bob.slash(
            studio.channel, command, image=("art.png", b"not a picture"), **options
        )
        assert "picture" in answer(refused)
    assert "empty" in answer(await studio.bob.slash(studio.channel, "queue show"))


async def test_a_file_that_is_too_large_is_refused_before_it_is_downloaded(
    studio: Studio, monkeypatch
):
    await studio.register()
    downloads = []
    monkeypatch.setattr("discord.Attachment.read", lambda self: downloads.append(self))
    refused = await studio.bob.slash(
        studio.channel, "panel check", image=("big.png", b"x" * (10 * 2**20 + 1)), character="x"
    )
    assert "10 MiB are allowed" in answer(refused)
    assert downloads == []


async def test_a_check_shows_verdict_and_evidence_and_keeps_nothing(studio: Studio):
    await studio.register()
    checked = await studio.bob.slash(
        studio.channel, "panel check", image=("x.png", picture("darkred")), character="ch_akira"
    )
    assert checked.ephemeral
    assert any(word in answer(checked) for word in ("on-model", "off-model", "cannot judge"))
    assert checked.response is not None
    assert checked.response.attachments[0].filename == "check-evidence.png"


async def test_autocomplete_offers_the_cast_and_completes_a_list(studio: Studio):
    await studio.register(name="Akira")
    await studio.register(name="Bo", colour="darkgreen")
    one = await studio.bob.autocomplete(studio.channel, "panel check", "character", "aki")
    assert [c["value"] for c in one] == ["ch_akira"]
    several = await studio.bob.autocomplete(
        studio.channel, "panel request", "characters", "ch_akira, b"
    )
    assert [c["value"] for c in several] == ["ch_akira, ch_bo"]
    looks = await studio.bob.autocomplete(studio.channel, "panel request", "appearance", "")
    assert len(looks) == 2
    nothing = await studio.bob.autocomplete(studio.channel, "panel check", "character", "zzz")
    assert nothing == []


async def test_a_receipt_shows_the_preview_of_an_engine_that_has_one_until_it_is_drawn(
    studio: Studio,
):
    await studio.register()
    studio.executor.gate.clear()
    studio.executor.preview = picture("navy", (32, 24))
    receipt = await studio.request()
    await studio.until(lambda: studio.executor.runs == 1)
    await studio.env.advance_time(10)
    (shown,) = receipt.response.attachments
    assert shown.filename == "preview.png"
    assert "half drawn" in str(raw(receipt.response))
    studio.executor.gate.set()
    await studio.quiet()
    await studio.env.advance_time(10)
    assert receipt.response.attachments == []


async def test_a_receipt_is_edited_at_most_every_two_seconds_and_only_with_news(studio: Studio):
    await studio.register()
    studio.executor.gate.clear()
    asked = await studio.request()
    await studio.until(lambda: studio.executor.runs == 1)
    edits = r"/webhooks/.*/messages/@original"
    before = len(studio.log.of("PATCH", edits))
    await studio.env.advance_time(10)
    shown = studio.log.of("PATCH", edits)[before:]
    assert 1 <= len(shown) <= 2
    assert "%" in answer(asked)
    await studio.env.advance_time(60)
    assert len(studio.log.of("PATCH", edits)) <= before + 3
    studio.executor.gate.set()
    await studio.quiet()
    await studio.env.advance_time(4)
    assert "open for votes" in answer(asked)
    times = [r.at for r in studio.log.of("PATCH", edits)[before:]]
    assert all(b - a >= 2 for a, b in pairwise(times))


async def test_the_post_is_on_record_and_made_once(studio: Studio):
    await studio.register()
    card = await studio.posted()
    (posted,) = await outbox.posts_of(studio.app.db, studio.guild.id, PostKind.VOTE_CARD, 1)
    assert (posted.channel_id, posted.message_id) == (studio.channel.id, card.id)
    (sent,) = studio.log.of("POST", r"/channels/.*/messages")
    assert sent.json["enforce_nonce"] is True
    assert len(sent.json["nonce"]) <= 25


async def test_voters_at_the_same_time_are_all_counted(studio: Studio):
    await studio.register()
    card = await studio.posted()
    fans = [studio.guild.add_member(studio.env.create_user(f"fan{n}")) for n in range(4)]
    for fan in fans:
        await fan.click(card, label="Vote A")
    assert "4 votes" in text_of(studio.card())


def _vote_id(card, label):
    buttons = (c for c in walk(raw(card)) if c["type"] == 2)
    return next(b["custom_id"] for b in buttons if b["label"] == label)
