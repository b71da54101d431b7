"""Films as files: MP4 (H.264), animated WebP or GIF within a size, and their captions."""

import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from fractions import Fraction
from io import BytesIO
from pathlib import Path

from PIL import Image

from pipeline.comics.animatic.film import FilmSpec, Shot
from pipeline.comics.export.budget import TooLarge
from pipeline.domain.errors import Cancelled, GenerationFailed
from pipeline.domain.geometry import Size

Frames = Callable[[FilmSpec], Iterator[Image.Image]]
"""Draws the whole film anew, for a second pass in another size."""

IsCancelled = Callable[[], bool]


class FilmFormat(StrEnum):
    """The forms of a film."""

    MP4 = "mp4"
    WEBP = "webp"
    GIF = "gif"


MOST_SECONDS = 300.0
_CRF = 23
_PRESET = "veryfast"
_HEADROOM = 0.94
_SMALLER = (1.0, 0.66, 0.5, 0.33)
_LEAST_BITS = 60_000
# Pictures a second of the forms that hold each as a picture of its own.
_LOOSE_FPS = 8


def encode_film(
    form: FilmFormat,
    frames: Frames,
    film: FilmSpec,
    seconds: float,
    *,
    limit_bytes: int | None,
    cancelled: IsCancelled,
) -> bytes:
    """The film as a file of at most ``limit_bytes``; size gives way before sharpness does.

    Raises:
        TooLarge: it is longer than five minutes, or fits at no size.
        GenerationFailed: the library that encodes MP4 is not installed.
        Cancelled: ``cancelled()`` became true.
    """
    if seconds > MOST_SECONDS:
        raise TooLarge(
            f"The animatic would take {seconds:.0f} seconds and {MOST_SECONDS:.0f} are allowed. "
            "Make it of fewer pages."
        )
    for share in _SMALLER:
        spec = FilmSpec(_even(film.size, share), film.fps)
        data = _encode(form, frames, spec, seconds, limit_bytes, cancelled)
        if limit_bytes is None or len(data) <= limit_bytes:
            return data
    raise TooLarge("The animatic does not fit into this server's upload limit. Take fewer pages.")


def captions(shots: Iterable[Shot], names: Mapping[str, str]) -> str:
    """The words as a SubRip file; ``names`` maps a character id to the name that is shown."""
    blocks = []
    for shot in shots:
        for cue in shot.timing.cues:
            who = f"{names.get(cue.speaker, cue.speaker)}: " if cue.speaker else ""
            span = f"{_clock(shot.start + cue.start)} --> {_clock(shot.start + cue.end)}"
            blocks.append(f"{len(blocks) + 1}\n{span}\n{who}{cue.text}\n")
    return "\n".join(blocks)


def _encode(
    form: FilmFormat,
    frames: Frames,
    film: FilmSpec,
    seconds: float,
    limit: int | None,
    cancelled: IsCancelled,
) -> bytes:
    if form is not FilmFormat.MP4:
        return _loose(form, frames, film, cancelled)
    data = _mp4(frames(film), film, {"crf": str(_CRF), "preset": _PRESET}, None, cancelled)
    if limit is None or len(data) <= limit:
        return data
    bits = int(limit * 8 * _HEADROOM / seconds)
    return (
        _mp4(frames(film), film, {"preset": _PRESET}, bits, cancelled)
        if bits >= _LEAST_BITS
        else data
    )


def _mp4(
    frames: Iterator[Image.Image],
    film: FilmSpec,
    options: dict[str, str],
    bits: int | None,
    cancelled: IsCancelled,
) -> bytes:
    try:
        import av
    except ImportError as error:
        raise GenerationFailed(
            "MP4 needs the package “av”. Install the extra: pip install 'onmodel[video]', or "
            "choose webp or gif."
        ) from error
    # a file, because the index is moved to the front when all is written
    with tempfile.TemporaryDirectory(prefix="onmodel-film-") as folder:
        path = Path(folder) / "film.mp4"
        with av.open(path, "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=film.fps, options=options)
            stream.width, stream.height = film.size
            stream.pix_fmt = "yuv420p"
            stream.time_base = Fraction(1, film.fps)
            if bits is not None:
                stream.bit_rate = bits
            for image in frames:
                _stop_if(cancelled)
                container.mux(stream.encode(av.VideoFrame.from_image(image)))
            container.mux(stream.encode())
        return path.read_bytes()


def _loose(form: FilmFormat, frames: Frames, film: FilmSpec, cancelled: IsCancelled) -> bytes:
    """Animated pictures: few a second, no larger than half the film."""
    spec = FilmSpec(_even(film.size, 0.5), _LOOSE_FPS)
    images = []
    for image in frames(spec):
        _stop_if(cancelled)
        images.append(image.quantize(128) if form is FilmFormat.GIF else image)
    out = BytesIO()
    options = {"quality": 70, "method": 2} if form is FilmFormat.WEBP else {"optimize": False}
    first, *rest = images
    first.save(
        out,
        form.value.upper(),
        save_all=True,
        append_images=rest,
        duration=round(1000 / _LOOSE_FPS),
        loop=0,
        **options,
    )
    return out.getvalue()


def _stop_if(cancelled: IsCancelled) -> None:
    if cancelled():
        raise Cancelled("The animatic was cancelled; start it again when you like.")


def _even(size: Size, share: float) -> Size:
    """H.264 wants even sides."""
    return Size(*(max(2, math.floor(side * share / 2) * 2) for side in size))


def _clock(seconds: float) -> str:
    whole = round(1000 * seconds)
    return (
        f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d}"
        f",{whole % 1000:03d}"
    )
