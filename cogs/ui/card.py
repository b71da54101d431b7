"""A card: one Components V2 container that cannot grow past Discord's limits."""

import io
from typing import Any, Self

import discord
from discord import ui

from cogs.ui.limits import (
    ALT_TEXT,
    BUTTON_LABEL,
    COMPONENTS_PER_MESSAGE,
    CUSTOM_ID,
    ELLIPSIS,
    GALLERY_ITEMS,
    TEXT_PER_MESSAGE,
    clip,
)
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import NEUTRAL


class Card:
    """Built from top to bottom; text that would not fit is cut with an ellipsis.

    A card is data: :meth:`view` and :meth:`files` make fresh objects at each call, as a
    ``discord.File`` is spent by one request and a retry needs another.
    """

    def __init__(self, colour: int = NEUTRAL) -> None:
        self.colour = colour
        self.pictures: list[Picture] = []
        self._parts: list[ui.Item[Any]] = []
        self._text_left = TEXT_PER_MESSAGE
        self._components_left = COMPONENTS_PER_MESSAGE - 1  # the container is one

    def text(self, words: str) -> Self:
        """Add a paragraph of Markdown; empty words add nothing."""
        if not words or self._text_left <= 1:
            return self
        if len(words) > self._text_left:
            words = words[: self._text_left - 1].rstrip() + ELLIPSIS
        self._text_left -= len(words)
        return self._add(ui.TextDisplay(words), 1)

    def heading(self, words: str) -> Self:
        """Add a heading of one line."""
        return self.text(f"## {words}")

    def small(self, words: str) -> Self:
        """Add a remark in small print; empty words add nothing."""
        return self.text(f"-# {words}") if words else self

    def rule(self) -> Self:
        """Add a dividing line."""
        return self._add(ui.Separator(), 1)

    def gallery(self, *pictures: Picture) -> Self:
        """Add pictures side by side, at most ten in one card."""
        shown = pictures[: GALLERY_ITEMS - len(self.pictures)]
        if not shown:
            return self
        self.pictures.extend(shown)
        items = [
            discord.MediaGalleryItem(
                f"attachment://{picture.filename}",
                description=clip(picture.alt, ALT_TEXT),
                spoiler=picture.spoiler,
            )
            for picture in shown
        ]
        return self._add(ui.MediaGallery(*items), 1)

    def file(self, picture: Picture) -> Self:
        """Add a file that is downloaded rather than looked at."""
        self.pictures.append(picture)
        return self._add(ui.File(f"attachment://{picture.name}"), 1)

    def row(self, *items: ui.Item[Any]) -> Self:
        """Add up to five buttons, or one menu."""
        return self._add(ui.ActionRow(*items), 1 + len(items)) if items else self

    def view(self) -> ui.LayoutView:
        """The card as discord.py sends it.

        The view is stopped before it goes out: nothing waits for it in memory, as its buttons
        are answered by their custom ids alone (see :mod:`cogs.ui.buttons`).
        """
        view = ui.LayoutView(timeout=None)
        view.add_item(ui.Container(*self._parts, accent_colour=self.colour))
        view.stop()
        return view

    def files(self) -> list[discord.File]:
        """The attachments that have bytes, in the order of the card."""
        return [
            discord.File(
                io.BytesIO(picture.data), picture.filename, description=picture.alt[:ALT_TEXT]
            )
            for picture in self.pictures
            if picture.data is not None
        ]

    def _add(self, part: ui.Item[Any], components: int) -> Self:
        if components > self._components_left:
            raise ValueError("a card holds at most 40 components; join lines into one paragraph")
        self._components_left -= components
        self._parts.append(part)
        return self


def button(
    label: str,
    custom_id: str,
    *,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    emoji: str | None = None,
    disabled: bool = False,
) -> ui.Button[Any]:
    """A button that is answered by its custom id."""
    if len(custom_id) > CUSTOM_ID:
        raise ValueError(f"custom id longer than {CUSTOM_ID} characters: {custom_id[:40]}…")
    return ui.Button(
        label=clip(label, BUTTON_LABEL),
        custom_id=custom_id,
        style=style,
        emoji=emoji,
        disabled=disabled,
    )
