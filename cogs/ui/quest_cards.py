"""Cards of reference quests: one quest, and the board of all."""

from collections.abc import Sequence

from discord import ButtonStyle, SelectOption, ui

from bot.services.access import NOBODY
from bot.services.quest_ideas import Heat
from bot.services.quests import Board
from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.limits import clip, lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import GOOD, NEUTRAL, QUIET, WAITING
from cogs.ui.words import mark, say, say_n
from pipeline.domain.character import ShotType
from pipeline.domain.quest import Quest, QuestIdea, QuestStatus, View
from pipeline.domain.vocabulary import Expression

_SHOTS = {
    ShotType.HEADSHOT: mark("head"),
    ShotType.HALF: mark("picture from the waist up"),
    ShotType.FULL: mark("full figure"),
    ShotType.DYNAMIC: mark("picture in action"),
}
_ANGLES = {
    "front": mark("from the front"),
    "three_quarter": mark("in three-quarter view"),
    "side": mark("from the side"),
    "back": mark("from behind"),
}
_EXPRESSIONS = {
    Expression.NEUTRAL: mark("calm"),
    Expression.JOY: mark("happy"),
    Expression.SADNESS: mark("sad"),
    Expression.ANGER: mark("angry"),
    Expression.SURPRISE: mark("surprised"),
}
_STATES = {
    QuestStatus.OPEN: ("🎯", mark("Quest {n} waits for an artist."), NEUTRAL),
    QuestStatus.TAKEN: ("✏️", mark("Quest {n} is being drawn."), WAITING),
    QuestStatus.DELIVERED: ("📬", mark("Quest {n}: a picture waits for the owner."), WAITING),
    QuestStatus.ACCEPTED: ("🏅", mark("Quest {n} is done."), GOOD),
    QuestStatus.CLOSED: ("▫️", mark("Quest {n} was closed."), QUIET),
}
_MOST_IDEAS = 8
_MOST_OPTIONS = 25


def view_words(view: View) -> str:
    """What a picture should show, for people: ``full figure, from behind``."""
    parts = [say(_SHOTS[view.shot_type])]
    if view.angle in _ANGLES:
        parts.append(say(_ANGLES[view.angle]))
    if view.expression is not None:
        parts.append(say(_EXPRESSIONS[view.expression]))
    return ", ".join(parts)


def quest_card(quest: Quest, post: int = 0, picture: Picture | None = None) -> Card:
    """A quest as it stands, with the buttons that lead on."""
    symbol, state, colour = _STATES[quest.status]
    name = plain(quest.character_name, 60)
    card = Card(colour).heading(say("{symbol} Wanted: {name}", symbol=symbol, name=name))
    if picture is not None:
        card.gallery(picture)
    card.text(f"**{view_words(quest.view)}** · `{quest.appearance_id}`\n" + say(state, n=quest.id))
    card.text(_saving(quest.saving, quest.basis))
    card.text(_standing(quest))
    return card.row(*_buttons(quest, post))


def heat_words(name: str, heat: Heat) -> str:
    """What the heat map shows, for people who do not see it."""
    told = say_n(
        "Heat map of {n} reference of {name} by shot, angle, expression and outfit.",
        "Heat map of {n} references of {name} by shot, angle, expression and outfit.",
        heat.references,
        name=name,
    )
    if heat.most_wanted is None:
        return told
    view, panels = heat.most_wanted
    lacking = say_n(
        "Lacking most: {view}, wanted by {n} panel.",
        "Lacking most: {view}, wanted by {n} panels.",
        panels,
        view=view_words(view),
    )
    return f"{told} {lacking}"


def board_card(board: Board, editable: bool) -> Card:
    """What is asked for, what could be, and whom the pictures so far are owed to.

    ``editable`` says that the person who looks may post quests of the character.
    """
    who = board.character
    title = (
        say("🎯 Quests") if who is None else say("🎯 Quests of {name}", name=plain(who.name, 60))
    )
    card = Card(NEUTRAL).heading(title)
    if board.quests:
        card.text(lines_within(map(_line, board.quests), 1800))
        card.row(_quests_menu(board.quests))
    else:
        card.text(say("Nothing is asked for at the moment."))
    if board.credits:
        card.text(
            say("🏅 Credited:")
            + " "
            + ", ".join(f"<@{member}> ({n})" for member, n in list(board.credits.items())[:12])
        )
    if who is None:
        return card.small(
            say("{command} also shows what would help most.", command="/character quests character")
        )
    ideas = board.ideas[:_MOST_IDEAS]
    if not ideas:
        return card.small(say("Nothing is lacking that panels have asked for."))
    card.rule().text(say("**What would help most**"))
    card.text(lines_within(map(_idea_line, ideas), 1500))
    if editable:
        card.row(_ideas_menu(who.id, ideas))
    return card.small(
        say(
            "Told from the panels of the last 30 days: how often they wanted it, and how many "
            "more of their tries failed than where a reference shows what is wanted. An "
            "estimate, no promise."
        )
    )


def _quests_menu(quests: Sequence[Quest]) -> ui.Select:
    options = [
        SelectOption(
            label=clip(f"{quest.id} · {quest.character_name}: {view_words(quest.view)}", 100),
            value=str(quest.id),
            description=clip(say(_STATES[quest.status][1], n=quest.id), 100),
            emoji=_STATES[quest.status][0],
        )
        for quest in quests[:_MOST_OPTIONS]
    ]
    return ui.Select(
        custom_id=ids.quest_list(), placeholder=say("Look at one, take it"), options=options
    )


def _ideas_menu(character_row: int, ideas: tuple[QuestIdea, ...]) -> ui.Select:
    options = [
        SelectOption(
            label=clip(view_words(idea.view), 100),
            value=f"{idea.view.key}@{idea.appearance_id}",
            description=idea.appearance_id[:100],
        )
        for idea in ideas
    ]
    return ui.Select(
        custom_id=ids.quest_ideas(character_row),
        placeholder=say("Ask artists for one of them, here"),
        options=options,
    )


def _line(quest: Quest) -> str:
    symbol, _, _ = _STATES[quest.status]
    artist = f" · <@{quest.artist_id}>" if quest.artist_id else ""
    return f"{symbol} **{quest.id}** `{quest.appearance_id}`: {view_words(quest.view)}{artist}"


def _idea_line(idea: QuestIdea) -> str:
    what = f"`{idea.appearance_id}`: {view_words(idea.view)}"
    if idea.saving is None:
        return say("{what} · the model sheet lacks it; no panel wanted it yet", what=what)
    tries = max(1, round(idea.saving.tries))
    saved = say_n("would save about {n} try", "would save about {n} tries", tries)
    return f"{what} · {saved}"


def _saving(tries: float, basis: object) -> str:
    known = basis if isinstance(basis, dict) else {}
    if not known:
        return say("The model sheet lacks it; no panel has wanted it yet.")
    saved = say_n(
        "It would save about {n} try, if as many panels are asked for as in the last 30 days.",
        "It would save about {n} tries, if as many panels are asked for as in the last 30 days.",
        max(1, round(tries)),
    )
    why = say(
        "{asked} of {panels} panels wanted it and found none: they failed {without} times each, "
        "panels with a fitting reference {shown} times.",
        asked=round(known.get("asked", 0)),
        panels=round(known.get("panels", 0)),
        without=f"{known.get('failed_without', 0):.1f}",
        shown=f"{known.get('failed_with', 0):.1f}",
    )
    return f"{saved}\n-# {why}"


def _standing(quest: Quest) -> str:
    artist = say("somebody who left") if quest.artist_id == NOBODY else f"<@{quest.artist_id}>"
    match quest.status:
        case QuestStatus.OPEN:
            return say("Any member may take it. An accepted picture carries its artist's name.")
        case QuestStatus.TAKEN:
            until = f"<t:{int(quest.due_at.timestamp())}:R>" if quest.due_at else ""
            words = say("Drawn by {artist}; it goes back {until}.", artist=artist, until=until)
            if quest.note:
                asked = say("Sent back: {reason}", reason=plain(quest.note, 300))
                words = f"{words}\n↩️ {asked}"
            return words
        case QuestStatus.DELIVERED:
            return say(
                "Drawn by {artist}. Owner or moderators: accept it or send it back.", artist=artist
            )
        case QuestStatus.ACCEPTED:
            words = say("Drawn by {artist}, and part of the model sheet now.", artist=artist)
            return words + (f" `#{quest.reference_id}`" if quest.reference_id else "")
        case QuestStatus.CLOSED:
            return ""


def _buttons(quest: Quest, post: int) -> list[ui.Button]:
    def one(label: str, verb: str, emoji: str, style: ButtonStyle = ButtonStyle.secondary):
        return button(label, ids.quest(verb, quest.id, post), style=style, emoji=emoji)

    match quest.status:
        case QuestStatus.OPEN:
            return [
                one(say("I'll draw it"), "take", "✏️", ButtonStyle.primary),
                one(say("Close"), "close", "✖️"),
            ]
        case QuestStatus.TAKEN:
            return [
                one(say("Deliver"), "deliver", "📬", ButtonStyle.primary),
                one(say("Give it back"), "return", "↩️"),
                one(say("Close"), "close", "✖️"),
            ]
        case QuestStatus.DELIVERED:
            return [
                one(say("Accept"), "accept", "✅", ButtonStyle.success),
                one(say("Send back"), "back", "↩️"),
            ]
        case _:
            return []
