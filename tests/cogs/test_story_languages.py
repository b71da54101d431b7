"""Stories of people who speak different languages in one server, and of servers that do."""

import pytest
from simcord import MemberActor
from studio import Studio, answer, labels_of, picture, text_of

from cogs.ui.words import LANGUAGES


@pytest.mark.studio(locale="fr")
async def test_all_see_one_card_in_the_servers_language_and_each_is_answered_in_their_own(
    studio: Studio,
):
    studio.speaks(studio.ann, "de")
    studio.speaks(studio.bob, "ja")
    assert "Akira gehört zur Besetzung" in answer(await studio.register())
    receipt = await studio.request()
    assert "Dein Panel hat die Nummer 1" in answer(receipt)
    assert "`/panel stand panel:1`" in answer(receipt), "commands as a German client shows them"
    await studio.quiet()
    card = studio.card()
    assert "Case 1\xa0: vote pour une" in text_of(card)
    assert labels_of(card)[:2] == ["Voter A", "Voter B"]
    assert "fidèle au modèle" in text_of(card)

    told = await studio.bob.click(card, label="Voter B")
    assert "コマ1のあなたの票: B" in answer(told)
    told = await studio.ann.click(studio.card(), label="Voter A")
    assert "Deine Stimme bei Panel 1: A" in answer(told)
    assert "2 votes jusqu'ici" in text_of(studio.card()), "what all see stays in French"

    await studio.restart()
    told = await studio.bob.click(studio.card(), label="Voter A")
    assert "コマ1のあなたの票: A" in answer(told)
    assert "Case 1\xa0: vote pour une" in text_of(studio.card())


async def test_the_comics_settings_choose_the_language_of_posts(studio: Studio):
    await studio.register()
    shown = await studio.boss.slash(studio.channel, "series settings", language="ja")
    assert "Posts are in: 日本語" in answer(shown), "the manager is answered in English"
    card = await studio.posted()
    assert "コマ1: 1つに投票してください" in text_of(card)
    await studio.boss.slash(studio.channel, "series settings", language="server")
    assert "Panel 2: vote for one" in text_of(await studio.posted(prompt="They sit."))


@pytest.mark.studio(locale="de")
async def test_moderators_read_evidence_in_the_servers_language_and_errors_in_their_own(
    studio: Studio,
):
    await studio.register()
    thread, card = await studio.flagged()
    assert "Vergleiche es mit dem Modellblatt" in text_of(card)
    assert labels_of(card)[:2] == ["Freigeben", "Ablehnen"]
    studio.speaks(studio.ann, "es-419")
    refused = await studio.ann.click(card, label="Freigeben")
    assert "Eso solo lo puede la moderación" in answer(refused)
    assert "decidir sobre viñetas marcadas" in answer(refused)
    studio.speaks(studio.mod, "ja")
    decided = await studio.mod.click(card, label="Ablehnen")
    assert "レビュー1を却下しました" in answer(decided)
    await studio.quiet()
    assert "**Abgelehnt** von" in text_of(thread.history()[-1])


async def test_errors_speak_the_members_language_and_name_the_commands_that_it_shows(
    studio: Studio,
):
    await studio.register()
    for locale, words, command in (
        ("de", "Ein Panel 99 gibt es hier nicht.", "/panel stand"),
        ("ja", "コマ99はありません。", "/コマ 状況"),
        ("es-ES", "Aquí no hay viñeta 99.", "/viñeta estado"),
        ("fr", "Il n'y a pas de case 99 ici.", "/case état"),
        ("pt-BR", "There is no panel 99 here.", "/panel status"),
    ):
        studio.speaks(studio.bob, locale)
        said = answer(await studio.bob.slash(studio.channel, "panel status", panel=99))
        assert words in said, locale
        assert command in said, locale


@pytest.mark.studio(locale="ja", errors_expected=True)
async def test_an_unexpected_error_is_an_apology_in_the_members_language(
    studio: Studio, monkeypatch
):
    async def fails(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr(studio.app.cast, "entries", fails)
    studio.speaks(studio.ann, "de")
    said = answer(await studio.ann.slash(studio.channel, "character list"))
    assert "Das ist leider bei uns schiefgegangen" in said
    assert "Kennung `" in said


async def test_windows_open_in_the_members_language(studio: Studio):
    studio.speaks(studio.ann, "ja")
    opened = await studio.ann.slash(studio.channel, "script import")
    assert opened.modal is not None
    assert opened.modal["title"] == "短い脚本"
    studio.speaks(studio.ann, "en-US")
    opened = await studio.ann.slash(studio.channel, "script import")
    assert opened.modal is not None
    assert opened.modal["title"] == "A short script"


async def test_two_servers_are_spoken_to_each_in_their_language(studio: Studio):
    await studio.register()
    other = studio.env.create_guild("ライバル", preferred_locale="ja")
    room = other.create_text_channel("room")
    chief = MemberActor(studio.env, other, other.owner)
    studio.speaks(chief, "ja")
    await chief.slash(room, "series create", name="夜勤")
    made = await chief.slash(
        room, "character register", name="アキラ", image=("a.png", picture("darkred"))
    )
    assert "アキラを登場キャラに加えました" in answer(made)
    await chief.slash(room, "panel request", characters="アキラ", prompt="走る。", alternates=2)
    await studio.request()
    await studio.quiet()
    assert "1つに投票してください" in text_of(studio.card(room))
    assert "vote for one" in text_of(studio.card())


async def test_discord_gets_the_commands_in_all_languages(studio: Studio):
    """The whole list is judged by Discord's description at the end, as all requests are."""
    (sent,) = studio.log.of("PUT", r"/applications/\d+/commands")
    character = next(c for c in sent.json if c["name"] == "character")
    served = {"de", "es-ES", "es-419", "fr", "ja"}
    assert set(character["name_localizations"]) == served
    assert set(character["description_localizations"]) == served
    register = next(o for o in character["options"] if o["name"] == "register")
    assert register["name_localizations"]["de"] == "registrieren"
    image = next(o for o in register["options"] if o["name"] == "image")
    assert image["name_localizations"]["ja"] == "画像"
    shot = next(o for o in register["options"] if o["name"] == "shot_type")
    full = next(c for c in shot["choices"] if c["value"] == "full")
    assert full["name_localizations"]["fr"] == "en pied"
    assert set(LANGUAGES) == {"en", "de", "es", "fr", "ja"}
