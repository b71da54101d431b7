"""The gallery: panels that were found again, four at a time."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import discord

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.cards import cast_names
from cogs.ui.limits import clip, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import NEUTRAL
from cogs.ui.words import say, say_n

if TYPE_CHECKING:
    from bot.services.panel_search import GalleryPage, Shown
    from pipeline.domain.searching import PanelWish

_COPY = 0.93
"""From this cosine on it is called a copy: cut, scaled and compressed ones of drafted panels had
0.95 and more, 95 % of other panels less than 0.85."""


def gallery_card(
    page: "GalleryPage", pictures: Sequence[Picture], links: Mapping[int, str]
) -> Card:
    """A page of a search: its pictures, what they are, and where they were posted."""
    found = len(page.search.hits)
    card = Card(NEUTRAL).heading(say_n("🖼️ {n} panel", "🖼️ {n} panels", found))
    card.small(_wished(page.search.wish, page.names))
    card.gallery(*pictures)
    card.text("\n".join(_line(one, page.names, links.get(one.panel.id)) for one in page.shown))
    if page.pages > 1:
        card.row(
            button(
                say("Back"),
                ids.gallery(page.search.id, max(0, page.number - 1)),
                emoji="◀️",
                disabled=page.number == 0,
            ),
            button(
                say("More"),
                ids.gallery(page.search.id, page.number + 1),
                emoji="▶️",
                disabled=page.number + 1 >= page.pages,
            ),
        )
        card.small(say("Page {page} of {pages}", page=page.number + 1, pages=page.pages))
    return card


def gallery_alt(one: "Shown", names: Mapping[str, str]) -> str:
    """The picture in words."""
    who = ", ".join(names.get(r.character_id, r.character_id) for r in one.panel.brief.cast)
    return say("Panel {panel}: {who}. {prompt}", panel=one.panel.id, who=clip(who, 80),
               prompt=clip(one.panel.brief.prompt, 120))  # fmt: skip


def _line(one: "Shown", names: Mapping[str, str], link: str | None) -> str:
    panel = one.panel
    number = f"[{panel.id}]({link})" if link else str(panel.id)
    parts = [f"**{number}** {cast_names(panel, names)}"]
    if panel.brief.page is not None:
        parts.append(say("page {page}", page=panel.brief.page))
    parts.append(discord.utils.format_dt(panel.created_at, "d"))
    if one.similarity is not None:
        close = one.similarity >= _COPY
        alike = f"{one.similarity:.2f}"
        parts.append(
            say("a copy, or nearly ({alike})", alike=alike)
            if close
            else say("similarity {alike}", alike=alike)
        )
    words = plain(panel.brief.prompt, 110)
    return " · ".join(parts) + (f"\n-# {words}" if words else "")


def _wished(wish: "PanelWish", names: Mapping[str, str]) -> str:
    told = []
    if wish.character_id:
        told.append(plain(names.get(wish.character_id, wish.character_id), 40))
    if wish.words:
        told.append(f"“{plain(wish.words, 80)}”")
    if wish.page is not None:
        told.append(say("page {page}", page=wish.page))
    if wish.chapter is not None:
        told.append(say("chapter {chapter}", chapter=wish.chapter))
    if wish.first:
        told.append(say("from {day}", day=wish.first.isoformat()))
    if wish.last:
        told.append(say("to {day}", day=wish.last.isoformat()))
    if wish.requester_id:
        told.append(say("asked for by {who}", who=f"<@{wish.requester_id}>"))
    told.append(say("the most alike first") if wish.likeness else say("the newest first"))
    return " · ".join(told)
