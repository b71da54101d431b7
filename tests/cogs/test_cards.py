"""Cards stay within Discord's limits whatever people type, and say what they show."""

import asyncio
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PIL import Image

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.cards import (
    DRAFT_NOTE,
    PanelFacts,
    ReviewFacts,
    alternate_alt,
    evidence_alt,
    evidence_card,
)
from cogs.ui.limits import clip, lines_within, plain
from cogs.ui.notices import (
    check_card,
    failed_card,
    problem_card,
    progress_line,
    recipe_card,
    request_card,
    reviews_card,
    status_card,
    waiting_time,
)
from cogs.ui.pictures import Picture, fitted
from cogs.ui.verdicts import BAD, GOOD, UNKNOWN, look
from cogs.ui.vote_cards import vote_card
from pipeline.domain.character import ShotType
from pipeline.domain.errors import InvalidPicture
from pipeline.domain.job import Job, JobKind, JobStatus, QueuePlace
from pipeline.domain.panel import CastRole, Panel, PanelBrief, PanelOrigin, PanelStatus
from pipeline.domain.quality import CandidateReport, CharacterCheck, Flag, Verdict
from pipeline.domain.review import Review, ReviewStatus, StoredCandidate, Tally

NOW = datetime(2026, 1, 2, tzinfo=UTC)
WORST = "*_~`|[bait](https://evil.example) @everyone <@1> " * 60


def panel(status=PanelStatus.VOTING, prompt="They run.", origin=PanelOrigin.GENERATED, **changed):
    brief = PanelBrief(prompt, (CastRole("ch_a", "a_1"), CastRole("ch_b", "b_1")), ShotType.HALF)
    fields = {
        "id": 12, "guild_id": 1, "series_id": 1, "requester_id": 7, "origin": origin,
        "status": status, "brief": brief, "channel_id": 3, "chosen_candidate": None,
        "voting_closes_at": NOW, "failure": None, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return Panel(**{**fields, **changed})


def candidate(row, label, verdict=Verdict.ON_MODEL, reason="close to the references", **report):
    check = CharacterCheck("ch_a", "a_1", verdict, reason, 0.83, 0.71)
    full = CandidateReport(verdict, (check,), margin=0.12, **report)
    return StoredCandidate(row, 1, 12, 1, label, "0" * 64, 640, 480, full, "[]", 1.0)


def facts(names=None, votes=None, **changed):
    candidates = tuple(candidate(30 + i, label) for i, label in enumerate("ABCD"))
    tally = Tally(12, votes or {}, None, sum((votes or {}).values()))
    return PanelFacts(
        panel(**changed), names or {"ch_a": "Akira", "ch_b": "Bo"}, candidates, tally, True, 55
    )


def review(status=ReviewStatus.OPEN, reason="Hair is another colour.", **changed):
    fields = {
        "id": 5, "guild_id": 1, "panel_id": 12, "candidate_id": 30, "flag": Flag.OFF_MODEL,
        "reason": reason, "status": status, "evidence_sha256": "0" * 64,
        "origin": PanelOrigin.GENERATED, "requester_id": 7, "labels": (), "decided_by": None,
        "decided_at": None, "note": "", "thread_id": None, "created_at": NOW,
    }  # fmt: skip
    return Review(**{**fields, **changed})


def job(status, progress=0.0, note=""):
    return Job(
        1, 1, 7, JobKind.GENERATE, 12, status, 0, 1, 0, False, 0, progress, note, None, None,
        NOW, None, None,
    )  # fmt: skip


def pictures(shown):
    return [Picture(f"{c.id}.png", alternate_alt(shown, c), b"png") for c in shown.candidates]


def texts(card):
    payload = card.view().to_components()
    return "\n".join(c["content"] for c in flat(payload) if c["type"] == 10)


def flat(components):
    for component in components:
        yield component
        yield from flat(component.get("components") or ())


def buttons(card):
    return {c["label"]: c for c in flat(card.view().to_components()) if c["type"] == 2}


def within_limits(card):
    view = card.view()
    parts = list(flat(view.to_components()))
    assert view.content_length() <= 4000
    assert len(parts) <= 40
    assert all(len(c.get("custom_id", "")) <= 100 for c in parts)
    assert all(len(c.get("label", "")) <= 80 for c in parts)
    for gallery in (c for c in parts if c["type"] == 12):
        assert 1 <= len(gallery["items"]) <= 10
        assert all(len(item["description"]) <= 256 for item in gallery["items"])


# --- words --------------------------------------------------------------------------------------


def test_long_words_are_cut_with_an_ellipsis():
    assert clip("a" * 10, 10) == "a" * 10
    assert clip("a" * 11, 10) == "a" * 9 + "…"
    assert clip("a\n b\tc", 10) == "a b c"


def test_formatting_and_links_of_people_are_shown_literally():
    assert plain("**b** [bait](x) <@1>") == r"\*\*b\*\* \[bait\](x) \<@1\>"
    assert plain("# title") == r"\# title"
    assert plain("half-open #2") == "half-open #2"


def test_whole_lines_are_kept_and_the_rest_is_counted():
    text = lines_within([f"line {n}" for n in range(100)], 100)
    assert len(text) <= 100
    assert text.endswith("more")
    assert lines_within(["a", "b"], 100) == "a\nb"


# --- the card -----------------------------------------------------------------------------------


def test_a_card_cannot_hold_more_text_than_discord_takes():
    card = Card().heading("x" * 3000).text("y" * 3000).text("z")
    assert card.view().content_length() == 4000
    assert texts(card).endswith("…")


def test_a_card_refuses_the_41st_component():
    card = Card()
    for _ in range(39):
        card.rule()
    with pytest.raises(ValueError, match="40 components"):
        card.rule()


def test_a_gallery_holds_ten_pictures():
    many = [Picture(f"{n}.png", "alt", b"x") for n in range(14)]
    card = Card().gallery(*many)
    assert len(card.files()) == 10
    within_limits(card)


def test_files_are_fresh_at_each_call():
    card = Card().gallery(Picture("a.png", "alt", b"bytes"))
    assert card.files()[0].fp.read() == card.files()[0].fp.read() == b"bytes"


async def test_a_view_is_not_kept_waiting_in_memory():
    assert Card().row(button("Vote A", ids.vote(1, 2))).view().is_finished()


def test_a_custom_id_over_100_characters_is_a_programming_error():
    with pytest.raises(ValueError, match="custom id"):
        button("x", "y" * 101)


# --- vote cards ---------------------------------------------------------------------------------


def test_a_vote_card_has_a_button_per_alternate_and_the_others():
    shown = facts(votes={31: 2})
    card = vote_card(shown, pictures(shown))
    within_limits(card)
    assert list(buttons(card)) == [
        "Vote A", "Vote B", "Vote C", "Vote D", "Reroll", "Remix", "Recipe", "Finish vote",
    ]  # fmt: skip
    assert buttons(card)["Vote B"]["custom_id"] == "om:vote:12:31"
    assert "2 votes" in texts(card)
    assert "on-model" in texts(card)
    assert DRAFT_NOTE in texts(card)


def test_alternates_have_words_for_people_who_do_not_see_them():
    alt = alternate_alt(facts(), facts().candidates[1])
    assert "Alternate B" in alt
    assert "Akira" in alt
    assert "half" in alt


def test_an_accepted_panel_has_no_vote_buttons_and_names_the_winner():
    shown = facts(status=PanelStatus.ACCEPTED, chosen_candidate=31)
    card = vote_card(shown, pictures(shown))
    assert list(buttons(card)) == ["Reroll", "Remix", "Recipe", "Use on page…"]
    can_vary = replace(shown, varies=True)
    assert "Vary this" in buttons(vote_card(can_vary, pictures(shown)))
    assert "chosen" in texts(card)
    assert card.colour == GOOD


def test_a_persons_drawing_is_not_called_a_draft_and_cannot_be_rerolled():
    shown = facts(origin=PanelOrigin.SUBMITTED, status=PanelStatus.ACCEPTED)
    card = vote_card(shown, pictures(shown))
    assert DRAFT_NOTE not in texts(card)
    assert list(buttons(card)) == ["Recipe", "Use on page…"]


def test_the_longest_names_and_prompts_fit():
    shown = facts(names={"ch_a": WORST, "ch_b": WORST}, prompt=WORST)
    card = vote_card(shown, pictures(shown))
    within_limits(card)
    assert "[bait]" not in texts(card)


# --- evidence cards -----------------------------------------------------------------------------


def evidence(**changed):
    shown = ReviewFacts(
        review(**changed),
        candidate(30, None, Verdict.OFF_MODEL, changed.get("reason", "Hair differs.")),
        {"ch_a": "Akira"},
        {"hair_color": "Hair colour"},
    )
    return evidence_card(shown, Picture("review-5-evidence.png", evidence_alt(shown), b"x"))


def test_an_open_evidence_card_shows_what_was_measured_and_the_four_buttons():
    card = evidence()
    within_limits(card)
    names = [label.split()[0] for label in buttons(card)]
    assert names == ["Approve", "Reject", "Label", "Retry", "Next", "Claim"]
    words = texts(card)
    assert "0.83" in words
    for told in ("off-model", "Hair is another colour", "0.71"):
        assert told not in words, "a moderator decides before the check says what it thinks"


def test_a_passed_panel_that_is_audited_has_the_card_of_a_flagged_one():
    flagged, audited = evidence(), evidence(flag=Flag.AUDIT, reason="Is this on-model?")
    assert texts(flagged) == texts(audited)
    assert flagged.colour == audited.colour
    assert list(buttons(flagged)) == list(buttons(audited))
    decided = evidence(flag=Flag.AUDIT, status=ReviewStatus.APPROVED, decided_by=9)
    assert "shown to moderators blindly" in texts(decided)


def test_a_decided_evidence_card_shows_verdict_reason_and_figures():
    card = evidence(status=ReviewStatus.REJECTED, decided_by=9)
    words = texts(card)
    for told in ("off-model", "Hair is another colour", "0.83", "0.71"):
        assert told in words
    assert card.colour == BAD


def test_what_nobody_could_judge_says_so_while_it_is_open():
    card = evidence(flag=Flag.CANNOT_JUDGE)
    assert "cannot judge" in texts(card)
    assert "Hair is another colour" in texts(card)


def test_a_decided_review_says_who_and_switches_its_decisions_off():
    card = evidence(status=ReviewStatus.APPROVED, decided_by=9, decided_at=NOW, note="Fine.",
                    labels=("hair_color",))  # fmt: skip
    off = {label.split()[0]: b["disabled"] for label, b in buttons(card).items()}
    assert off == {
        "Approve": True, "Reject": True, "Label": False, "Retry": True, "Next": False, "Say": False,
    }  # fmt: skip
    assert "<@9>" in texts(card)
    assert "Hair colour" in texts(card)
    assert card.colour == GOOD


def test_a_reason_names_people_and_is_said_once():
    rejected = ReviewStatus.REJECTED
    card = evidence(reason="ch_a: Hair differs.", status=rejected)
    assert "Akira: Hair differs." in texts(card)
    assert "ch_a" not in texts(card).replace(r"ch\_a", "ch_a")
    shown = ReviewFacts(
        review(reason="ch_a: Hair differs.", status=rejected),
        candidate(30, None, Verdict.OFF_MODEL, "Hair differs."),
        {"ch_a": "Akira"},
    )
    assert texts(evidence_card(shown, None)).count("Hair differs.") == 1


def test_the_worst_reason_fits():
    within_limits(evidence(reason=WORST, note=WORST))


def test_a_submission_cannot_be_retried():
    assert buttons(evidence(origin=PanelOrigin.SUBMITTED))["Retry"]["disabled"]


def test_each_verdict_has_its_own_symbol_word_and_colour():
    looks = [look(verdict) for verdict in Verdict]
    assert len({x.symbol for x in looks}) == len({x.word for x in looks}) == 3
    assert {x.colour for x in looks} == {GOOD, BAD, UNKNOWN}


# --- notices ------------------------------------------------------------------------------------


def test_a_receipt_tells_the_place_and_where_the_result_will_come():
    words = texts(request_card(panel(PanelStatus.QUEUED), QueuePlace(1, 3, 2, 240.0), {}, ["Hm."]))
    assert "number 12" in words
    assert "place 3, about 4 minutes" in words
    assert "Hm." in words
    assert "new message" in words


def test_progress_is_told_in_a_bar_and_a_number():
    line = progress_line(panel(PanelStatus.RUNNING), job(JobStatus.RUNNING, 0.42, "drawing"), None)
    assert "42 %" in line
    assert line.count("█") == 4
    assert "drawing" in line
    assert progress_line(panel(), job(JobStatus.DONE), None) == ""


def test_a_status_names_the_review_and_its_thread():
    copied = review(thread_id=99, flag=Flag.DUPLICATE)
    card = status_card(panel(PanelStatus.REVIEW), {}, None, None, copied)
    assert "<#99>" in texts(card)
    assert "Hair is another colour" in texts(card)
    blind = status_card(panel(PanelStatus.REVIEW), {}, None, None, review(thread_id=99))
    assert "Hair is another colour" not in texts(blind)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "time not known yet"), (5, "less than a minute"), (60, "about 1 minute"),
     (600, "about 10 minutes"), (7200, "about 2 hours")],
)  # fmt: skip
def test_waiting_times_in_words(seconds, words):
    assert waiting_time(seconds) == words


def test_lists_that_are_too_long_say_how_many_are_missing():
    card = reviews_card([review(reason=WORST, thread_id=5) for _ in range(300)])
    within_limits(card)
    assert "300 waiting" in texts(card)
    assert "more" in texts(card)


def test_a_recipe_is_words_and_a_file_that_reproduces_the_panel():
    card = recipe_card(12, 'Panel 12 · seed 5\nPrompt: run\n{"seed": 5}')
    assert card.files()[0].filename == "panel-12-plan.json"
    assert "seed 5" in texts(card)
    assert recipe_card(12, "A person drew it.").files() == []


def test_a_failure_offers_another_try_and_carries_its_outbox_row():
    card = failed_card(panel(PanelStatus.FAILED), {}, WORST, post=8)
    within_limits(card)
    assert ids.carries_post(card.view().to_components(), 8)
    assert not ids.carries_post(card.view().to_components(), 9)


def test_a_check_says_verdict_and_reason():
    report = candidate(1, None, Verdict.CANNOT_JUDGE, "Too few references.").report
    card = check_card(report, {"ch_a": "Akira"}, Picture("e.png", "alt", b"x"))
    assert "cannot judge" in texts(card)
    assert "Too few references" in texts(card)
    within_limits(card)


def test_a_problem_with_a_reference_shows_it():
    assert "`abcd`" in texts(problem_card("Sorry.", "abcd"))


# --- custom ids ---------------------------------------------------------------------------------


def test_ids_are_found_however_deep_they_lie():
    shown = facts()
    payload = vote_card(shown, pictures(shown)).view().to_components()
    assert ids.post_of(payload) == 55
    assert ids.carries_review(evidence().view().to_components(), 5)
    assert not ids.carries_review(evidence().view().to_components(), 6)


# --- pictures -----------------------------------------------------------------------------------


def noise(width, height):
    image = Image.effect_noise((width, height), 120).convert("RGB")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


async def test_a_picture_that_fits_stays_as_it_is():
    png = noise(40, 40)
    assert await fitted("p", "alt", png, 10**6) == Picture("p.png", "alt", png)


@pytest.mark.parametrize("limit", [120_000, 30_000])
async def test_a_picture_that_is_too_large_is_squeezed_until_it_fits(limit):
    picture = await fitted("p", "alt", noise(400, 400), limit)
    assert picture.data is not None
    assert len(picture.data) <= limit
    assert picture.name in {"p.webp", "p.jpg"}
    assert Image.open(io.BytesIO(picture.data)).size[0] >= 64


async def test_a_limit_that_nothing_fits_is_told():
    with pytest.raises(InvalidPicture, match="too large"):
        await fitted("p", "alt", noise(100, 100), 4100)


async def test_squeezing_does_not_block_the_loop():
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticker = asyncio.create_task(tick())
    await fitted("p", "alt", noise(600, 600), 40_000)
    ticker.cancel()
    assert ticks > 3
