"""Animatics: nothing is ever cut, words come in order, files are read by another library."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pipeline.comics.animatic.camera import path_over
from pipeline.comics.animatic.encode import FilmFormat, captions, encode_film
from pipeline.comics.animatic.film import (
    FilmPage,
    FilmSpec,
    film_spec,
    frames_of,
    kept_whole,
    shots_of,
)
from pipeline.comics.animatic.timing import READING_RATE
from pipeline.comics.export.budget import TooLarge
from pipeline.comics.page import compose_page
from pipeline.domain.errors import Cancelled
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import PageSpec, PanelArt
from pipeline.domain.panel import DialogueLine, PlacedFigure

SMALL = FilmSpec(Size(320, 180), 4)


def art(number: int, colour: str, *words: str) -> PanelArt:
    image = Image.new("RGB", (640, 480), colour)
    ImageDraw.Draw(image).ellipse((260, 200, 380, 320), fill="peachpuff", outline="black")
    out = io.BytesIO()
    image.save(out, "PNG")
    figure = PlacedFigure("ch_a", Box(240, 200, 400, 480), Box(260, 200, 380, 320))
    lines = tuple(DialogueLine(text, "ch_a") for text in words)
    return PanelArt(number, out.getvalue(), Size(640, 480), (figure,), lines)


@pytest.fixture(scope="module")
def filmed() -> list[FilmPage]:
    arts = [
        art(1, "lightblue", "It is late.", "Too late, if you ask me, for tea."),
        art(2, "khaki"),
        art(3, "plum", "Good night!"),
    ]
    spec = PageSpec(size=Size(620, 877), margin=31, gutter=9, safe=18)
    return [FilmPage(compose_page(arts, film_spec(spec)), arts)]


def encoded(filmed: list[FilmPage], form: FilmFormat, limit: int | None = None) -> bytes:
    seconds = sum(shot.timing.seconds for shot in shots_of(filmed, SMALL))
    return encode_film(
        form,
        lambda film: frames_of(filmed, film),
        SMALL,
        seconds,
        limit_bytes=limit,
        cancelled=lambda: False,
    )


@given(st.data())
def test_no_window_ever_cuts_what_has_to_be_seen(data: st.DataObject):
    number = st.integers(40, 900)
    frame = Box(50, 60, 50 + data.draw(number), 60 + data.draw(number))

    def inner() -> Box:
        x0 = data.draw(st.integers(frame.x0, frame.x1 - 10))
        y0 = data.draw(st.integers(frame.y0, frame.y1 - 10))
        x1, y1 = data.draw(st.integers(x0 + 5, frame.x1)), data.draw(st.integers(y0 + 5, frame.y1))
        return Box(x0, y0, x1, y1)

    keep = [inner() for _ in range(data.draw(st.integers(0, 4)))]
    aspect = data.draw(st.sampled_from([16 / 9, 1.0, 9 / 16]))
    path = path_over(frame, keep, aspect)
    for share in (0, 0.2, 0.5, 0.9, 1):
        window = path.at(share)
        assert (window.x1 - window.x0) / (window.y1 - window.y0) == pytest.approx(aspect)
        near = [Box(box.x0 + 1, box.y0 + 1, box.x1 - 1, box.y1 - 1) for box in keep]
        assert all(window.holds(box) for box in near)


def test_every_face_and_balloon_is_seen_whole_in_every_frame(filmed: list[FilmPage]):
    page = filmed[0].page
    frames = {frame.panel_id: frame for frame in page.frames}
    arts = {one.panel_id: one for one in filmed[0].arts}
    for shot in shots_of(filmed, SMALL):
        keep = kept_whole(page, frames[shot.panel_id], arts[shot.panel_id])
        assert keep
        for number in range(11):
            window = shot.path.at(number / 10)
            assert all(window.holds(box) for box in keep)


def test_words_come_in_order_and_stay_long_enough(filmed: list[FilmPage]):
    first, silent, last = shots_of(filmed, SMALL)
    assert [cue.text for cue in first.timing.cues] == [
        "It is late.",
        "Too late, if you ask me, for tea.",
    ]
    for cue in (*first.timing.cues, *last.timing.cues):
        assert (cue.end - cue.start) * READING_RATE >= len(cue.text)
    assert first.timing.cues[0].end <= first.timing.cues[1].start
    assert first.timing.shown_at(0) == 0
    assert first.timing.shown_at(first.timing.seconds) == 2
    assert silent.timing.cues == ()
    assert (silent.start, last.start) == (
        first.timing.seconds,
        first.timing.seconds + silent.timing.seconds,
    )


def test_captions_are_timed_by_the_film(filmed: list[FilmPage]):
    text = captions(shots_of(filmed, SMALL), {"ch_a": "Akira"})
    blocks = text.strip().split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["1", "2", "3"]
    assert blocks[0].splitlines()[1:] == ["00:00:00,500 --> 00:00:01,600", "Akira: It is late."]


def test_the_mp4_is_what_was_filmed(filmed: list[FilmPage]):
    av = pytest.importorskip("av")
    data = encoded(filmed, FilmFormat.MP4)
    seconds = sum(shot.timing.seconds for shot in shots_of(filmed, SMALL))
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (320, 180)
        pictures = [frame.to_image() for frame in container.decode(video=0)]
    assert len(pictures) == pytest.approx(seconds * SMALL.fps, abs=2)
    middle = [picture.getpixel((160, 30)) for picture in pictures]
    assert middle[0] != middle[-1], "it goes on to other panels"


@pytest.mark.parametrize("form", [FilmFormat.GIF, FilmFormat.WEBP])
def test_animated_pictures_play(filmed: list[FilmPage], form: FilmFormat):
    image = Image.open(io.BytesIO(encoded(filmed, form)))
    assert image.format == form.value.upper()
    assert getattr(image, "n_frames", 1) > 20  # equal pictures are joined
    assert image.size == (160, 90)


def test_a_film_keeps_to_the_upload_limit(filmed: list[FilmPage]):
    pytest.importorskip("av")
    whole = encoded(filmed, FilmFormat.MP4)
    small = encoded(filmed, FilmFormat.WEBP)
    less = encoded(filmed, FilmFormat.WEBP, limit=len(small) - 1)
    assert len(less) < len(small)
    assert len(encoded(filmed, FilmFormat.MP4, limit=len(whole))) <= len(whole)
    with pytest.raises(TooLarge, match="fewer pages"):
        encoded(filmed, FilmFormat.GIF, limit=1000)


def test_a_film_can_be_stopped_and_has_an_end(filmed: list[FilmPage]):
    with pytest.raises(Cancelled):
        encode_film(
            FilmFormat.WEBP,
            lambda film: frames_of(filmed, film),
            SMALL,
            10,
            limit_bytes=None,
            cancelled=lambda: True,
        )
    with pytest.raises(TooLarge, match="301 seconds"):
        encode_film(
            FilmFormat.WEBP,
            lambda film: iter(()),
            SMALL,
            301,
            limit_bytes=None,
            cancelled=lambda: False,
        )
