"""The frames of an animatic, one after the other, without a file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from pipeline.comics.animatic.camera import CameraPath, Window, path_over
from pipeline.comics.animatic.timing import Timing, timing_of
from pipeline.comics.framing import heads_of
from pipeline.comics.inking import draw_balloons
from pipeline.comics.rendering import draw_panels
from pipeline.domain.character import ColorMode
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import LetteredPage, PageSpec, PanelArt, PanelFrame

FULL_SIZE = Size(1280, 720)
_DISSOLVE = 0.25
_FINER = 2
_DIM = 0.42


@dataclass(frozen=True, slots=True)
class FilmSpec:
    """What a film is like: its size in pixels (both sides even) and its frames a second."""

    size: Size = FULL_SIZE
    fps: int = 15

    @property
    def aspect(self) -> float:
        """Width by height."""
        return self.size.width / self.size.height


@dataclass(frozen=True, slots=True)
class Shot:
    """One panel of the film: from ``start`` (seconds of the film), with its camera."""

    panel_id: int
    page: int
    start: float
    timing: Timing
    path: CameraPath


@dataclass(frozen=True, slots=True)
class FilmPage:
    """A page that was lettered for filming (see :func:`film_spec`), with the art of its panels."""

    page: LetteredPage
    arts: Sequence[PanelArt]


def film_spec(spec: PageSpec) -> PageSpec:
    """The same page, twice as fine, so that the camera can come near."""
    return replace(
        spec,
        size=Size(spec.size.width * _FINER, spec.size.height * _FINER),
        margin=spec.margin * _FINER,
        gutter=spec.gutter * _FINER,
        safe=spec.safe * _FINER,
    )


def shots_of(pages: Iterable[FilmPage], film: FilmSpec) -> list[Shot]:
    """Every panel in reading order with its time and its camera."""
    shots: list[Shot] = []
    start = 0.0
    for filmed in pages:
        arts = {art.panel_id: art for art in filmed.arts}
        for frame in filmed.page.frames:
            art = arts[frame.panel_id]
            timing = timing_of(filmed.page.balloons_of(frame.panel_id), art.weight)
            path = path_over(frame.box, kept_whole(filmed.page, frame, art), film.aspect)
            shots.append(Shot(frame.panel_id, filmed.page.number, start, timing, path))
            start += timing.seconds
    return shots


def kept_whole(page: LetteredPage, frame: PanelFrame, art: PanelArt) -> list[Box]:
    """Faces and balloons of a panel, page pixels: what no window may cut."""
    heads = [frame.to_page(head).intersection(frame.box) for head in heads_of(art)]
    return [*(h for h in heads if h.area), *(b.box for b in page.balloons_of(frame.panel_id))]


def frames_of(pages: Iterable[FilmPage], film: FilmSpec) -> Iterator[Image.Image]:
    """The pictures of the film (RGB, ``film.size``), drawn one at a time."""
    last: Image.Image | None = None
    for filmed in pages:
        shots = {shot.panel_id: shot for shot in shots_of([filmed], film)}
        sheet = draw_panels(filmed.page, {art.panel_id: art for art in filmed.arts})
        for frame in filmed.page.frames:
            for image in _filmed(filmed.page, frame, sheet, shots[frame.panel_id], film, last):
                last = image
                yield image


def _filmed(
    page: LetteredPage,
    frame: PanelFrame,
    sheet: Image.Image,
    shot: Shot,
    film: FilmSpec,
    before: Image.Image | None,
) -> Iterator[Image.Image]:
    """One panel; the last picture of the shot before it fades away at its beginning."""
    count = max(1, round(shot.timing.seconds * film.fps))
    reach = _reach(frame.box, shot.path)
    drawn: Mapping[int, Image.Image] = {}
    for number in range(count):
        time = number / film.fps
        shown = shot.timing.shown_at(time)
        if shown not in drawn:
            drawn = {shown: _panel(page, frame, sheet, shown, reach)}
        window = shot.path.at(number / max(1, count - 1))
        image = drawn[shown].resize(
            film.size, Image.Resampling.LANCZOS, box=_inside(window, reach, drawn[shown].size)
        )
        if before is not None and time < _DISSOLVE:
            image = Image.blend(before, image, (number + 1) / (_DISSOLVE * film.fps + 1))
        yield image


def _reach(box: Box, path: CameraPath) -> Box:
    """Everything that the camera sees: the panel and the ground around it."""
    sides = (*path.start, *path.end)
    return Box(
        int(min(box.x0, *sides[0::4])) - 1,
        int(min(box.y0, *sides[1::4])) - 1,
        int(max(box.x1, *sides[2::4])) + 2,
        int(max(box.y1, *sides[3::4])) + 2,
    )


def _panel(
    page: LetteredPage, frame: PanelFrame, sheet: Image.Image, shown: int, reach: Box
) -> Image.Image:
    """The panel with its first balloons, and what lies around it."""
    lettered = sheet
    balloons = page.balloons_of(frame.panel_id)[:shown]
    if balloons:
        lettered = sheet.copy()
        draw_balloons(lettered, balloons, page)
    part = lettered.crop(frame.box)
    if page.color_mode is ColorMode.GRAYSCALE:
        part = part.convert("L").convert("RGB")
    ground = _ground(part, Size(reach.width, reach.height))
    ground.paste(part, (frame.box.x0 - reach.x0, frame.box.y0 - reach.y0))
    return ground


def _ground(part: Image.Image, size: Size) -> Image.Image:
    """The panel again, far out of focus and dark: what a film shows beside a narrow panel."""
    small = ImageOps.fit(part, (64, max(1, round(64 * size.height / size.width))))
    soft = ImageEnhance.Brightness(small.filter(ImageFilter.GaussianBlur(3))).enhance(_DIM)
    return soft.resize(size, Image.Resampling.BICUBIC)


def _inside(window: Window, reach: Box, size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top = window.x0 - reach.x0, window.y0 - reach.y0
    right, low = window.x1 - reach.x0, window.y1 - reach.y0
    return (max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), low))
