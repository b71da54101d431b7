"""The door for pictures, with hand-made traps."""

import io
import os
import signal
import struct
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.domain.errors import InvalidPicture
from pipeline.domain.geometry import Size
from pipeline.imaging.decode import (
    MAX_BYTES,
    MAX_PIXELS,
    PictureDoor,
    load_canonical,
    to_png,
)

posix = pytest.mark.skipif(os.name != "posix", reason="signals and resource limits are POSIX")


@pytest.fixture(scope="module")
def door() -> Iterator[PictureDoor]:
    with PictureDoor(time_limit=60.0) as opened:
        yield opened


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]  # options differ by format
    return buffer.getvalue()


def scene(width: int = 60, height: int = 40) -> Image.Image:
    """A red top half, a blue lower half, a green left column: tells which way is up."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.paste((30, 30, 200), (0, height // 2, width, height))
    image.paste((30, 160, 30), (0, 0, width // 4, height))
    return image


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        body += struct.pack(">I", len(data)) + kind + data
        body += struct.pack(">I", zlib.crc32(kind + data))
    return body


def near(pixel: tuple[int, ...], wanted: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))


def refusal(door: PictureDoor, data: bytes) -> str:
    with pytest.raises(InvalidPicture) as caught:
        door.open(data)
    return str(caught.value)


def answer(door: PictureDoor, data: bytes) -> str:
    """What came back: the PNG as latin-1 text, or the refusal's sentence."""
    try:
        return door.open(data).png.decode("latin-1")
    except InvalidPicture as error:
        return str(error)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"])
def test_every_taken_format_comes_back_as_the_same_picture(door: PictureDoor, kind: str) -> None:
    taken = door.open(encode(scene(), kind))
    image = load_canonical(taken.png)
    assert taken.png.startswith(b"\x89PNG")
    assert (taken.size, taken.has_alpha, image.mode) == (Size(60, 40), False, "RGB")
    assert near(image.getpixel((40, 8)), (200, 30, 30), 20)
    assert near(image.getpixel((40, 32)), (30, 30, 200), 20)
    assert near(image.getpixel((4, 20)), (30, 160, 30), 20)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, I am a picture",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>',
        b"%PDF-1.7\n",
        b"P6 1 1 255 abc",
    ],
    ids=["empty", "text", "svg", "pdf", "ppm"],
)
def test_other_files_are_refused_with_what_is_taken(door: PictureDoor, data: bytes) -> None:
    assert "PNG, JPEG, WebP, GIF, AVIF, BMP or TIFF" in refusal(door, data)


def test_a_claimed_giant_is_refused_by_its_header(door: PictureDoor) -> None:
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = png_with((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    assert "50000 × 50000" in refusal(door, bomb)


def test_pixels_over_the_cap_are_refused_and_up_to_it_taken(door: PictureDoor) -> None:
    assert "24 are taken" in refusal(door, encode(Image.new("1", (6001, 4000)), "PNG"))
    taken = door.open(encode(Image.new("1", (6000, 4000)), "PNG"))
    assert taken.size.width * taken.size.height == MAX_PIXELS


def test_a_side_over_the_cap_is_refused(door: PictureDoor) -> None:
    assert "longest side" in refusal(door, encode(Image.new("1", (16_385, 2)), "PNG"))


def test_more_bytes_than_the_cap_never_reach_the_decoder() -> None:
    with PictureDoor() as unused:
        assert "10 MiB" in refusal(unused, bytes(MAX_BYTES + 1))
        assert unused.child_pid is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"])
def test_a_picture_cut_off_anywhere_is_refused_or_whole(door: PictureDoor, kind: str) -> None:
    rng = np.random.default_rng(4)
    whole = encode(Image.fromarray(rng.integers(0, 255, (48, 64, 3), np.uint8)), kind)
    for share in (0.02, 0.3, 0.6, 0.9):
        assert "Please" in refusal(door, whole[: int(len(whole) * share)])


def test_random_damage_gives_a_picture_or_a_refusal(door: PictureDoor) -> None:
    rng = np.random.default_rng(11)
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"):
        whole = bytearray(
            encode(scene(), kind, **({"exif": b"Exif\0\0II*\0"} if kind == "JPEG" else {}))
        )
        for _ in range(15):
            damaged = bytearray(whole)
            for place in rng.integers(0, len(whole), 6):
                damaged[int(place)] = int(rng.integers(0, 256))
            assert answer(door, bytes(damaged)).startswith(("\x89PNG", "That"))


def test_nothing_rides_along_behind_the_picture(door: PictureDoor) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("payload.sh", "echo surprise")
    polyglot = encode(scene(), "PNG") + archive.getvalue()
    assert zipfile.is_zipfile(io.BytesIO(polyglot))
    taken = door.open(polyglot)
    assert not zipfile.is_zipfile(io.BytesIO(taken.png))
    assert b"payload" not in taken.png


def test_metadata_is_gone(door: PictureDoor) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        taken = door.open(encode(scene(), kind, exif=exif, icc_profile=profile))
        image = Image.open(io.BytesIO(taken.png))
        image.load()
        assert dict(image.getexif()) == {}
        assert dict(image.info) == {}
        assert b"secret" not in taken.png


@pytest.mark.parametrize(
    ("orientation", "green_at", "red_at"),
    [
        (1, (2, 20), (40, 4)),
        (3, (57, 20), (20, 36)),
        (6, (20, 2), (36, 40)),
        (8, (20, 57), (4, 20)),
    ],
)
def test_orientation_is_applied(
    door: PictureDoor, orientation: int, green_at: tuple[int, int], red_at: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    taken = door.open(encode(scene(), "JPEG", exif=exif, quality=95))
    image = load_canonical(taken.png)
    assert taken.size == (Size(60, 40) if orientation in (1, 3) else Size(40, 60))
    assert near(image.getpixel(green_at), (30, 160, 30), 25)
    assert near(image.getpixel(red_at), (200, 30, 30), 25)


def test_cmyk_becomes_rgb(door: PictureDoor) -> None:
    image = load_canonical(door.open(encode(scene().convert("CMYK"), "JPEG", quality=95)).png)
    assert image.mode == "RGB"
    assert near(image.getpixel((40, 8)), (200, 30, 30), 20)


def test_sixteen_bits_are_scaled_not_clipped(door: PictureDoor) -> None:
    levels = np.tile(np.linspace(0, 65_535, 64).astype(np.uint16), (8, 1))
    expected = np.round(levels / 257)
    for kind in ("PNG", "TIFF"):
        image = load_canonical(door.open(encode(Image.fromarray(levels), kind)).png)
        assert np.abs(np.asarray(image)[..., 0] - expected).max() <= 1


def test_float_and_wide_tiffs_are_scaled(door: PictureDoor) -> None:
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (8, 1))
    for values in (ramp, (ramp * 3_000_000).astype(np.int32)):
        image = load_canonical(door.open(encode(Image.fromarray(values), "TIFF")).png)
        assert np.abs(np.asarray(image)[..., 0] - ramp * 255).max() <= 2


def test_a_transparent_level_of_sixteen_bit_grey_is_kept(door: PictureDoor) -> None:
    rows = b"".join(b"\0" + struct.pack(">HH", 1000, 60_000) for _ in range(2))
    data = png_with(
        (b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 0, 0, 0, 0)),
        (b"tRNS", struct.pack(">H", 1000)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    image = load_canonical(door.open(data).png)
    assert [image.getpixel((x, 0))[3] for x in (0, 1)] == [0, 255]


def test_palette_with_transparency_becomes_alpha(door: PictureDoor) -> None:
    image = Image.new("P", (10, 10), 0)
    image.putpalette([255, 0, 0, 0, 0, 255] + [0] * 762)
    image.paste(1, (5, 0, 10, 10))
    for kind in ("PNG", "GIF"):
        taken = door.open(encode(image, kind, transparency=0))
        out = load_canonical(taken.png)
        assert taken.has_alpha
        assert out.getpixel((1, 1))[3] == 0
        assert near(out.getpixel((8, 1)), (0, 0, 255, 255), 2)


def test_alpha_is_kept_and_an_opaque_one_dropped(door: PictureDoor) -> None:
    image = scene().convert("RGBA")
    assert not door.open(encode(image, "PNG")).has_alpha
    image.putpixel((0, 0), (1, 2, 3, 77))
    out = load_canonical(door.open(encode(image, "PNG")).png)
    assert out.mode == "RGBA"
    assert out.getpixel((0, 0)) == (1, 2, 3, 77)


def test_a_profile_is_translated_to_srgb(door: PictureDoor) -> None:
    lab = ImageCms.profileToProfile(
        scene(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    image = load_canonical(door.open(encode(lab, "TIFF")).png)
    assert near(image.getpixel((40, 8)), (200, 30, 30), 8)


def test_a_broken_profile_leaves_the_pixels(door: PictureDoor) -> None:
    image = load_canonical(door.open(encode(scene(), "PNG", icc_profile=b"not a profile")).png)
    assert near(image.getpixel((40, 8)), (200, 30, 30), 0)


def test_one_pixel(door: PictureDoor) -> None:
    assert door.open(encode(Image.new("RGB", (1, 1), "red"), "PNG")).size == Size(1, 1)


def test_only_the_first_of_three_thousand_frames_is_taken(door: PictureDoor) -> None:
    frames = [Image.new("P", (4, 4), i % 7) for i in range(3001)]
    for i, frame in enumerate(frames):
        frame.putpalette([i % 256, (7 * i) % 256, 50] * 256)
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=20)
    taken = door.open(data)
    assert near(load_canonical(taken.png).getpixel((0, 0)), (0, 0, 50), 2)


@posix
def test_a_killed_reader_is_replaced() -> None:
    with PictureDoor() as door:
        data = encode(scene(), "PNG")
        door.open(data)
        first = door.child_pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert answer(door, data)  # a refusal if it was still dying while the bytes were sent
        assert door.open(data).size == Size(60, 40)
        assert door.child_pid != first


@posix
def test_death_in_the_middle_of_a_picture_is_a_refusal_and_the_next_works() -> None:
    data = encode(scene(), "PNG")
    outcome: list[str] = []

    def ask() -> None:
        try:
            door.open(data)
        except InvalidPicture as error:
            outcome.append(str(error))

    with PictureDoor(time_limit=60.0) as door:
        for _ in range(50):  # until a death falls into the middle and not before the question
            door.open(data)
            pid = door.child_pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            asking = threading.Thread(target=ask)
            asking.start()
            asking.join(0.1)
            os.kill(pid, signal.SIGKILL)
            asking.join()
            if outcome:
                break
        assert "give up" in outcome[0]
        assert door.open(data).size == Size(60, 40)


@posix
def test_a_reader_that_hangs_runs_into_the_time_limit() -> None:
    with PictureDoor(time_limit=1.0) as door:
        data = encode(scene(), "PNG")
        door.open(data)
        pid = door.child_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        assert "too long" in refusal(door, data)
        assert not process_exists(pid)
        assert door.open(data).size == Size(60, 40)


@posix
def test_memory_is_limited() -> None:
    with PictureDoor(memory_limit=160 << 20, time_limit=60.0) as door:
        assert "memory" in refusal(door, encode(Image.new("L", (6000, 4000)), "PNG"))
        assert door.open(encode(scene(), "PNG")).size == Size(60, 40)


@posix
def test_close_leaves_no_process_and_refuses_afterwards() -> None:
    door = PictureDoor()
    door.open(encode(scene(), "PNG"))
    pid = door.child_pid
    assert pid is not None
    door.close()
    door.close()
    assert not process_exists(pid)
    assert "stopping" in refusal(door, encode(scene(), "PNG"))
    assert door.child_pid is None


@posix
def test_close_frees_a_caller_that_waits() -> None:
    door = PictureDoor(time_limit=60.0)
    data = encode(scene(), "PNG")
    door.open(data)
    pid = door.child_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    outcome: list[str] = []
    asking = threading.Thread(target=lambda: outcome.append(refusal(door, data)))
    asking.start()
    door.close()
    asking.join(30)
    assert not asking.is_alive()
    assert "lease" in outcome[0]


@posix
def test_a_forgotten_door_ends_with_the_interpreter() -> None:
    code = (
        "import io, sys\nfrom PIL import Image\nfrom pipeline.imaging.decode import PictureDoor\n"
        "b = io.BytesIO(); Image.new('RGB', (9, 9)).save(b, 'PNG')\n"
        "door = PictureDoor(); door.open(b.getvalue()); print(door.child_pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not process_exists(int(done.stdout))


def test_many_threads_share_one_door(door: PictureDoor) -> None:
    sizes: list[tuple[Size, Size]] = []

    def ask(side: int) -> None:
        for _ in range(5):
            taken = door.open(encode(Image.new("RGB", (side, 3)), "PNG"))
            sizes.append((taken.size, Size(side, 3)))

    threads = [threading.Thread(target=ask, args=(side,)) for side in range(5, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sizes) == 40
    assert all(got == wanted for got, wanted in sizes)


@posix
def test_the_reader_knows_no_secret_and_no_heavy_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    with PictureDoor() as door:
        door.open(encode(scene(), "PNG"))
        if sys.platform == "linux":
            environment = Path(f"/proc/{door.child_pid}/environ").read_bytes()
            assert b"very-secret" not in environment
    code = "import sys, pipeline.imaging.canonical; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"


def test_our_own_damaged_bytes_are_an_error_with_a_sentence() -> None:
    with pytest.raises(InvalidPicture):
        load_canonical(to_png(scene())[:60])


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
