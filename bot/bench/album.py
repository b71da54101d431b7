"""Drawings as the check sees them: every crop that they show, by every encoder."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.bench.exam import chosen_drawings
from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import Fingerprint
from pipeline.fingerprints.composite import fingerprint_crops
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.crops import crops_of, find_figure, shot_of
from pipeline.training.catalog import Drawing, open_drawing


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A drawing and the fingerprints of its figure."""

    drawing: Drawing
    prints: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """One source's drawings in a stable order, each identity's references first."""

    source: str
    pages: tuple[Page, ...]

    @property
    def identities(self) -> list[str]:
        """The identities, sorted."""
        return sorted({page.drawing.identity for page in self.pages})

    def of(self, identity: str) -> list[Page]:
        """One identity's pages, references first."""
        return [page for page in self.pages if page.drawing.identity == identity]


def make_albums(
    drawings: Sequence[Drawing], encoders: Sequence[Encoder], per_identity: int
) -> list[Album]:
    """Fingerprint all drawings of all sources with two identities or more.

    The crops are those that a check would cut: the shot is told by the silhouette, and a drawing
    in which no figure is found is left out.

    Args:
        drawings: of any number of sources.
        encoders: who looks, in both colour modes.
        per_identity: at most so many drawings of each, the references first; 0 for all.
    """
    albums = []
    for source in sorted({one.source for one in drawings}):
        chosen = chosen_drawings([one for one in drawings if one.source == source], per_identity)
        pages = [page for one in chosen if (page := _page(one, encoders)) is not None]
        album = Album(source, tuple(pages))
        if len(album.identities) > 1:
            albums.append(album)
    return albums


def _page(drawing: Drawing, encoders: Sequence[Encoder]) -> Page | None:
    image = open_drawing(drawing)
    figure = find_figure(image)
    if figure is None:
        return None
    crops = crops_of(image, figure, shot_of(figure))
    return Page(drawing, fingerprint_crops(crops, encoders, tuple(ColorMode)))
