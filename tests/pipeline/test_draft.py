"""The draft engine: same plan, same bytes; figures where it says; faces and balloon room free."""

import hashlib
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import CastConditioning, ConditioningPlan, ReferenceUse, Variation
from pipeline.domain.errors import Cancelled, GenerationFailed, MissingReference
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import Candidate
from pipeline.generation.draft.staging import headroom
from pipeline.generation.generators.draft import NOTE, DraftGenerator
from pipeline.imaging.decode import load_canonical, to_png

SHIRTS = ((200, 40, 40), (40, 150, 60), (50, 70, 210), (190, 120, 20))
SKIN = (240, 200, 170)
POSES = ("standing", "bust", "head", "pointing", "mascot")


def figure(pose: str, shirt: tuple[int, int, int], nose: int = 0) -> bytes:
    """A plain person of flat colours on transparent ground; ``nose`` tells variants apart."""
    image = Image.new("RGBA", (360, 760), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    if pose == "mascot":
        draw.rounded_rectangle((60, 120, 300, 420), 90, fill=shirt)
        draw.rectangle((120, 400, 140, 520), fill=(30, 30, 30))
        draw.rectangle((220, 400, 240, 520), fill=(30, 30, 30))
        draw.ellipse((150 + nose, 220, 210 + nose, 260), fill=SKIN)
        return to_png(image)
    draw.ellipse((120, 20, 240, 150), fill=SKIN)
    draw.ellipse((170 + nose, 80, 190 + nose, 100), fill=(120, 40, 30))
    draw.rectangle((160, 140, 200, 180), fill=SKIN)
    draw.rounded_rectangle((100, 170, 260, 420), 40, fill=shirt)
    if pose == "pointing":
        draw.rectangle((240, 190, 350, 215), fill=shirt)
    draw.rectangle((120, 400, 165, 740), fill=(50, 50, 70))
    draw.rectangle((195, 400, 240, 740), fill=(50, 50, 70))
    draw.ellipse((100, 725, 168, 758), fill=(30, 20, 20))
    draw.ellipse((192, 725, 260, 758), fill=(30, 20, 20))
    below = {"bust": 330, "head": 215}.get(pose, 760)
    return to_png(image.crop((0, 0, 360, below)))


class Book:
    """Pictures by their hash, and the plan that names them."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}

    def use(self, png: bytes, scale: float = 0.6, why: str = "") -> ReferenceUse:
        sha = hashlib.sha256(png).hexdigest()
        self.pictures[sha] = png
        return ReferenceUse(sha, len(self.pictures), scale, why)

    def member(self, number: int, *poses: str, height: float = 1.0) -> CastConditioning:
        uses = tuple(
            self.use(figure(pose, SHIRTS[number], nose=6 * k), 0.6 * 0.9**k)
            for k, pose in enumerate(poses)
        )
        name = f"Person {number}"
        return CastConditioning(f"ch_{number}", f"look_{number}", name, uses, height)


def plan_of(*cast: CastConditioning, prompt: str = "in the street") -> ConditioningPlan:
    return ConditioningPlan(
        generator="draft",
        generator_version=DraftGenerator.version,
        prompt=prompt,
        negative="",
        cast=cast,
        shot_type=ShotType.HALF,
        color_mode=ColorMode.COLOR,
        size=Size(480, 360),
        seed=7,
        alternates=1,
    )


def draw(plan: ConditioningPlan, book: Book) -> list[Candidate]:
    return DraftGenerator().generate(
        plan, book.pictures, progress=lambda share, note: None, cancelled=lambda: False
    )


def pixels(candidate: Candidate) -> np.ndarray:
    return np.asarray(load_canonical(candidate.image))


def seen(candidate: Candidate, number: int) -> np.ndarray:
    png = candidate.figures[number].mask
    assert png is not None
    with Image.open(io.BytesIO(png)) as mask:
        assert mask.mode == "L"
        assert mask.size == candidate.size
        return np.asarray(mask)


def test_same_plan_gives_the_same_bytes_in_any_engine() -> None:
    book = Book()
    plan = replace(
        plan_of(book.member(0, "standing"), book.member(1, "bust"), prompt="forest at night, rain"),
        alternates=2,
    )
    first, again = draw(plan, book), draw(plan, book)
    assert [c.image for c in first] == [c.image for c in again]
    assert [c.figures for c in first] == [c.figures for c in again]


def test_alternates_take_other_references_and_other_seeds() -> None:
    book = Book()
    member = book.member(0, "standing", "pointing", "standing")
    plan = replace(plan_of(member), alternates=4, shot_type=ShotType.FULL)
    drawn = draw(plan, book)
    assert len({c.image for c in drawn}) == 4
    # Alternate i of a plan is alternate 0 of the plan whose seed and references start at i.
    widths = {c.figures[0].box.width for c in drawn[:2]}
    assert len(widths) == 2


def test_a_variation_keeps_the_scene_and_shows_the_cast_in_other_pictures() -> None:
    book = Book()
    member = book.member(0, "standing", "pointing", "bust", "standing")
    plan = plan_of(member, prompt="forest at night, rain")
    (base,) = draw(plan, book)
    varied = draw(replace(plan, alternates=3, variations=(Variation(5, 0.25),)), book)
    assert len({base.image, *(c.image for c in varied)}) == 4
    (other,) = draw(replace(plan, seed=99), book)
    for candidate in varied:
        apart = (seen(base, 0) == 0) & (seen(candidate, 0) == 0)
        # light and shadows follow the figures; far from them all stands where it stood
        far = apart & (np.abs(np.arange(480) - 240) > 180)
        moved = np.abs(pixels(base).astype(int) - pixels(candidate))[far].mean()
        another = np.abs(pixels(base).astype(int) - pixels(other))[far].mean()
        assert moved < another / 3


def test_another_seed_gives_another_picture() -> None:
    book = Book()
    plan = plan_of(book.member(0, "standing"))
    assert draw(plan, book)[0].image != draw(replace(plan, seed=8), book)[0].image


@pytest.mark.parametrize("shot", ShotType)
@pytest.mark.parametrize("mode", ColorMode)
def test_picture_is_opaque_and_of_the_asked_size(shot: ShotType, mode: ColorMode) -> None:
    book = Book()
    plan = replace(plan_of(book.member(0, "standing", "bust")), shot_type=shot, color_mode=mode)
    (candidate,) = draw(plan, book)
    image = load_canonical(candidate.image)
    assert (image.mode, image.size) == ("RGB", (480, 360))
    assert candidate.size == plan.size


@pytest.mark.parametrize("size", [(256, 256), (300, 900), (1200, 280), (2048, 256)])
def test_unusual_sizes(size: tuple[int, int]) -> None:
    book = Book()
    cast = (book.member(0, "standing"), book.member(1, "bust"))
    plan = replace(plan_of(*cast), size=Size(*size), shot_type=ShotType.FULL)
    (candidate,) = draw(plan, book)
    assert load_canonical(candidate.image).size == size
    assert all(f.box.area > 0 for f in candidate.figures)


@pytest.mark.parametrize("size", [(255, 400), (400, 2049)])
def test_sizes_out_of_range_are_refused_with_the_range(size: tuple[int, int]) -> None:
    book = Book()
    plan = replace(plan_of(book.member(0, "standing")), size=Size(*size))
    with pytest.raises(GenerationFailed, match="256 to 2048"):
        draw(plan, book)


@pytest.mark.parametrize("shot", ShotType)
def test_masks_are_exact(shot: ShotType) -> None:
    """Under a mask lie the colours of that figure's art, and its box is drawn tight around it."""
    book = Book()
    cast = (book.member(0, "standing", "bust"), book.member(2, "standing", "bust"))
    plan = replace(plan_of(*cast, prompt="kitchen"), shot_type=shot, size=Size(800, 600))
    (candidate,) = draw(plan, book)
    image = pixels(candidate).astype(int)
    frame = Box(0, 0, 800, 600)
    for number, shirt in ((0, SHIRTS[0]), (1, SHIRTS[2])):
        mask = seen(candidate, number)
        assert set(np.unique(mask)) == {0, 255}
        ys, xs = np.nonzero(mask)
        placed = candidate.figures[number]
        assert placed.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        assert placed.box.intersection(frame) == placed.box
        colors = np.array([shirt, SKIN, (120, 40, 30), (50, 50, 70), (30, 20, 20)])
        away = np.abs(image[ys, xs][:, None] - colors[None]).max(axis=2).min(axis=1)
        # Only where two colours meet, or at the outline, are there others.
        assert (away <= 12).mean() > 0.93
        own = np.abs(image - np.array(shirt)).max(axis=2) <= 12
        assert (own & (mask > 0)).sum() > 0.98 * own.sum()
    assert not (seen(candidate, 0).astype(bool) & seen(candidate, 1).astype(bool)).any()


def test_grayscale_has_no_chroma_and_prints_dots() -> None:
    book = Book()
    plan = replace(
        plan_of(book.member(0, "standing"), prompt="street"),
        color_mode=ColorMode.GRAYSCALE, size=Size(800, 600),
    )  # fmt: skip
    (candidate,) = draw(plan, book)
    image = pixels(candidate)
    assert (image.max(axis=2) == image.min(axis=2)).all()
    # A screen has a period: its spectrum has a sharp peak away from the origin.
    wall = image[:200, :200, 0].astype(float)
    power = np.abs(np.fft.rfft2(wall - wall.mean())) ** 2
    power[:8, :8] = power[-8:, :8] = 0
    assert power.max() > 200 * np.median(power)


members = st.lists(st.tuples(st.sampled_from(POSES), st.floats(0.5, 1.4)), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    people=members,
    shot=st.sampled_from(ShotType),
    size=st.sampled_from([(480, 360), (640, 320), (320, 480), (400, 400)]),
    lines=st.integers(0, 4),
    seed=st.integers(0, 10_000),
)
def test_faces_are_free_and_in_speaking_order(
    people: list[tuple[str, float]],
    shot: ShotType,
    size: tuple[int, int],
    lines: int,
    seed: int,
) -> None:
    book = Book()
    cast = [book.member(k, pose, height=h) for k, (pose, h) in enumerate(people)]
    plan = replace(plan_of(*cast), shot_type=shot, size=Size(*size), balloon_lines=lines, seed=seed)
    (candidate,) = draw(plan, book)
    frame = Box(0, 0, *size)
    heads = [f.head for f in candidate.figures]
    assert [f.character_id for f in candidate.figures] == [m.character_id for m in cast]
    middles = []
    for k, head in enumerate(heads):
        assert head is not None
        assert head.area > 0
        assert head.intersection(frame) == head
        assert head.y0 >= headroom(size[1], lines)
        middles.append(head.center[0])
        for other in range(len(cast)):
            if other != k:
                other_head = heads[other]
                assert other_head is not None
                assert not head.overlaps(other_head)
                assert not seen(candidate, other)[head.y0 : head.y1, head.x0 : head.x1].any()
    assert middles == sorted(middles)


@pytest.mark.parametrize("shot", ShotType)
@pytest.mark.parametrize("size", [(480, 360), (320, 640), (900, 300)])
def test_busts_never_float(shot: ShotType, size: tuple[int, int]) -> None:
    book = Book()
    cast = (book.member(0, "bust", height=0.6), book.member(1, "head"), book.member(2, "standing"))
    plan = replace(plan_of(*cast), shot_type=shot, size=Size(*size))
    (candidate,) = draw(plan, book)
    for number in (0, 1):
        mask = seen(candidate, number)
        last = np.flatnonzero(mask[-1])
        assert len(last), "the cut is above the lower edge"
        # Nothing of the cut is seen: directly above the edge the figure is as broad as in its body.
        if shot is not ShotType.DYNAMIC:
            assert len(last) >= 0.6 * (mask > 0).sum(axis=1).max()


def test_whole_figures_stand_on_one_ground_in_their_heights() -> None:
    book = Book()
    cast = (book.member(0, "standing", height=1.0), book.member(1, "standing", height=0.6))
    plan = replace(plan_of(*cast), shot_type=ShotType.FULL, size=Size(800, 600))
    (candidate,) = draw(plan, book)
    tall, small = (f.box for f in candidate.figures)
    assert small.height / tall.height == pytest.approx(0.6, abs=0.02)
    assert abs(tall.y1 - small.y1) <= 3
    assert tall.y1 < 600


def test_figures_look_at_each_other_unless_their_marks_have_a_side() -> None:
    book = Book()
    plan = replace(
        plan_of(book.member(0, "standing"), book.member(1, "pointing")), shot_type=ShotType.FULL,
        size=Size(800, 600),
    )  # fmt: skip
    (turned,) = draw(plan, book)
    sided = replace(plan.cast[1], identity="Person 1 (scar: asymmetric, left cheek)")
    (kept,) = draw(replace(plan, cast=(plan.cast[0], sided)), book)

    def arm_side(candidate: Candidate) -> float:
        box, head = candidate.figures[1].box, candidate.figures[1].head
        assert head is not None
        return (box.x1 - head.center[0]) - (head.center[0] - box.x0)

    assert arm_side(turned) < 0 < arm_side(kept)


def test_balloon_room_grows_with_the_lines() -> None:
    rooms = [headroom(768, lines) for lines in range(8)]
    assert rooms == sorted(rooms)
    assert rooms[0] < rooms[2] < 0.4 * 768
    assert rooms[-1] < 0.4 * 768


def test_a_picture_without_figure_is_pasted_whole_and_reaches_the_edge() -> None:
    book = Book()
    noise = np.random.default_rng(3).integers(0, 255, (200, 160, 3), dtype=np.uint8)
    use = book.use(to_png(Image.fromarray(noise)))
    (candidate,) = draw(plan_of(CastConditioning("ch_x", "x", "X", (use,))), book)
    assert seen(candidate, 0)[-1].any()


def test_flat_ground_is_cut_away() -> None:
    book = Book()
    cut = load_canonical(figure("standing", SHIRTS[1]))
    ground = Image.new("RGB", (cut.width + 80, cut.height + 80), (250, 240, 90))
    ground.paste(cut, (40, 40), cut)
    use = book.use(to_png(ground))
    plan = plan_of(CastConditioning("ch_x", "x", "X", (use,)), prompt="sea")
    (candidate,) = draw(replace(plan, shot_type=ShotType.FULL, size=Size(800, 600)), book)
    yellow = np.abs(pixels(candidate).astype(int) - (250, 240, 90)).max(axis=2) < 40
    assert (yellow & (seen(candidate, 0) > 0)).mean() < 1e-4


def test_progress_rises_and_cancelling_stops_between_steps() -> None:
    book = Book()
    plan = replace(plan_of(book.member(0, "standing")), alternates=3)
    shares: list[float] = []
    DraftGenerator().generate(
        plan, book.pictures, progress=lambda s, _: shares.append(s), cancelled=lambda: False
    )
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    for patience in range(4):
        asked = 0

        def impatient(limit: int = patience) -> bool:
            nonlocal asked
            asked += 1
            return asked > limit

        with pytest.raises(Cancelled):
            DraftGenerator().generate(
                plan, book.pictures, progress=lambda s, _: None, cancelled=impatient
            )
        assert asked == patience + 1


def test_missing_and_damaged_pictures_say_what_to_do() -> None:
    book = Book()
    plan = plan_of(book.member(0, "standing"))
    with pytest.raises(MissingReference, match="Add it again"):
        draw(plan, Book())
    bare = replace(plan.cast[0], references=())
    with pytest.raises(MissingReference, match="Person 0 has no reference"):
        draw(replace(plan, cast=(bare,)), book)
    broken = Book()
    broken.pictures = dict.fromkeys(book.pictures, b"not a picture")
    with pytest.raises(GenerationFailed, match="Register it again"):
        draw(plan, broken)


def test_the_note_is_honest() -> None:
    assert "pastes" in NOTE
    assert "no new poses" in NOTE
