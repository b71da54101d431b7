"""Render the demo cast from the vector art of the npm package ``comicgen`` 1.9.9.

``examples/cast.toml`` is the only list of pictures: every entry names its file and, in ``art``,
the parts that it is made of. This script draws those files and nothing else::

    npm pack comicgen@1.9.9 && tar xzf comicgen-1.9.9.tgz
    pip install Pillow resvg_py
    python examples/art/build_cast.py package

How a picture comes about:

1. A figure is two SVG templates, an emotion (the head) and a pose (the body). Each part is fitted
   into one canvas of 500 × 600 units. Its ids get a prefix of their own: two parts often use the
   same id for a mask, and the second would hide the hair of the first.
2. The parts lose their own viewport, which would cut off raised arms at the canvas's edge.
3. The crop follows the shot type: the whole figure, down to the waist, or head and shoulders.
   It is rasterised at its final size, so that a head is as sharp as a figure.
4. Loose specks of ink beside the figure go. Where a head of curls has holes through which the
   page shines, white is laid beneath: the hair must not take the colour of a panel's sky.
"""

import argparse
import io
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resvg_py
from PIL import Image, ImageChops, ImageDraw, ImageFilter

EXAMPLES = Path(__file__).resolve().parent.parent

Box = tuple[float, float, float, float]
"""``(x0, y0, x1, y1)`` in canvas units, half-open."""

CANVAS = (500.0, 600.0)
REACH = 100.0
"""How far around the canvas to look for hands, umbrellas and feet."""
MARGIN = 6.0
"""Air around a figure, in canvas units. A cut edge (waist, shoulders) gets none."""
SIZE_PX = {"full": 1024, "dynamic": 1024, "half": 960, "headshot": 800}
"""The height of a figure; of a half figure and a headshot the longer side."""
MASK_ZOOM = 2.0
"""Pixels per canvas unit of the masks that find specks and holes."""
CURLS = ("deenuova/",)
"""Art whose hair is drawn with holes."""


@dataclass(frozen=True)
class Frame:
    """Where to cut the figures of one view, in canvas units: waist and head box."""

    waist: float
    head: Box


FRAMES = {
    "deenuova/straight": Frame(398, (160, 86, 345, 282)),
    "deenuova/side": Frame(384, (145, 62, 345, 262)),
    "deenuova/sitting": Frame(384, (126, 62, 328, 262)),
    "deynuovo/straight": Frame(376, (162, 52, 350, 256)),
    "deynuovo/side": Frame(362, (148, 30, 345, 236)),
    "deynuovo/sitting": Frame(376, (168, 90, 370, 294)),
    "ringonuovo/straight": Frame(386, (176, 104, 340, 256)),
    "ringonuovo/sitting": Frame(386, (103, 102, 267, 256)),
    "priyanuova/straight": Frame(398, (170, 116, 365, 300)),
    "sophie": Frame(338, (158, 57, 352, 238)),
    "bean/straight": Frame(401, (140, 140, 360, 376)),
    "bean/side": Frame(393, (160, 150, 336, 340)),
}


def read_part(svg: Path, prefix: str, recolour: Mapping[str, str]) -> str:
    """Return one template as a group in canvas units, with ids of its own."""
    text = re.sub(r"<\?xml.*?\?>|<!--.*?-->", "", svg.read_text("utf-8"), flags=re.DOTALL)
    for name in set(re.findall(r'\bid="([^"]+)"', text)):
        text = text.replace(f'id="{name}"', f'id="{prefix}{name}"')
        text = text.replace(f"url(#{name})", f"url(#{prefix}{name})")
        text = text.replace(f'href="#{name}"', f'href="#{prefix}{name}"')
    for old, new in recolour.items():
        text = re.sub(f'"{re.escape(old)}"', f'"{new}"', text, flags=re.IGNORECASE)
    root = re.search(r"<svg\b[^>]*>", text)
    view_box = re.search(r'viewBox="([^"]+)"', root[0]) if root else None
    if root is None or view_box is None:
        raise ValueError(f"{svg} is no SVG with a viewBox")
    body = text[root.end() : text.rindex("</svg>")]
    _, _, width, height = map(float, view_box[1].split())
    scale = min(CANVAS[0] / width, CANVAS[1] / height)
    x, y = (CANVAS[0] - width * scale) / 2, (CANVAS[1] - height * scale) / 2
    return f'<g transform="translate({x:.3f} {y:.3f}) scale({scale:.6f})">{body}</g>'


def compose(art: Path, recipe: str, recolour: Mapping[str, str]) -> str:
    """Return the layers of a recipe like ``deenuova/side/shrug+smile`` (view/pose+emotion)."""
    view, _, parts = recipe.rpartition("/")
    pose, emotion = parts.split("+")
    layers = [art / view / "emotion" / f"{emotion}.svg", art / view / "pose" / f"{pose}.svg"]
    if pose_lies_below(art / view.split("/")[0] / "index.svg"):
        layers.reverse()
    return "".join(read_part(svg, f"part{n}-", recolour) for n, svg in enumerate(layers))


def pose_lies_below(index: Path) -> bool:
    """Say whether a character's own template draws the body before the head."""
    text = index.read_text("utf-8")
    return "{{#pose}}" in text and text.index("{{#pose}}") < text.index("{{#emotion}}")


def rasterise(layers: str, box: Box, zoom: float) -> Image.Image:
    """Draw what lies inside ``box``; returns RGBA with a transparent ground."""
    x0, y0, x1, y1 = box
    width, height = round((x1 - x0) * zoom), round((y1 - y0) * zoom)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}" height="{height}" '
        f'viewBox="{x0:.3f} {y0:.3f} {x1 - x0:.3f} {y1 - y0:.3f}">{layers}</svg>'
    )
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg))
    return Image.open(io.BytesIO(png)).convert("RGBA")


def find_ink(layers: str, box: Box) -> Image.Image:
    """Return the mask of what is inked inside ``box``; specks and hairlines do not count."""
    alpha = rasterise(layers, box, MASK_ZOOM).getchannel("A").point(lambda a: 255 * (a > 64))
    return alpha.filter(ImageFilter.MinFilter(5)).filter(ImageFilter.MaxFilter(5))


def bound_ink(ink: Image.Image, box: Box) -> Box:
    """Return the bounds of a mask made by ``find_ink``, in canvas units."""
    bounds = ink.getbbox()
    if bounds is None:
        raise ValueError("the recipe draws nothing")
    x0, y0, x1, y1 = (value / MASK_ZOOM for value in bounds)
    return box[0] + x0, box[1] + y0, box[0] + x1, box[1] + y1


def remove_specks(image: Image.Image, layers: str, crop: Box) -> Image.Image:
    """Keep the ink that belongs to the figure or lies within three units of it."""
    near = find_ink(layers, crop).filter(ImageFilter.BoxBlur(3 * MASK_ZOOM))
    near = near.point(lambda a: 255 * (a > 0)).resize(image.size)
    image.putalpha(ImageChops.multiply(image.getchannel("A"), near))
    return image


def find_holes(layers: str, box: Box) -> Image.Image:
    """Return the mask of the small enclosed holes inside ``box``; gaps beside a neck stay open."""
    alpha = rasterise(layers, box, MASK_ZOOM).getchannel("A").point(lambda a: 255 * (a > 128))
    padded = Image.new("L", (alpha.width + 2, alpha.height + 2))
    padded.paste(alpha, (1, 1))
    ImageDraw.floodfill(padded, (0, 0), 128)
    holes = padded.point(lambda a: 255 * (a == 0)).crop((1, 1, alpha.width + 1, alpha.height + 1))
    large = holes.filter(ImageFilter.MinFilter(7)).filter(ImageFilter.MaxFilter(17))
    return ImageChops.subtract(holes, large).filter(ImageFilter.MaxFilter(3))


def back_curls(image: Image.Image, layers: str, head: Box, crop: Box) -> Image.Image:
    """Lay white beneath the holes of a head of curls."""
    box = intersect(head, crop)
    zoom = image.width / (crop[2] - crop[0])
    holes = find_holes(layers, box)
    holes = holes.resize((round((box[2] - box[0]) * zoom), round((box[3] - box[1]) * zoom)))
    ground = Image.new("RGBA", image.size)
    corner = round((box[0] - crop[0]) * zoom), round((box[1] - crop[1]) * zoom)
    ground.paste((255, 255, 255, 255), corner, holes)
    ground.alpha_composite(image)
    return ground


def intersect(a: Box, b: Box) -> Box:
    """Return the common part of two boxes."""
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def choose_crop(figure: Box, frame: Frame, shot_type: str) -> Box:
    """Return the crop of a figure for a shot type."""
    x0, y0, x1, y1 = figure
    crop = (x0 - MARGIN, y0 - MARGIN, x1 + MARGIN, y1 + MARGIN)
    if shot_type == "half":
        return intersect(crop, (crop[0], crop[1], crop[2], frame.waist))
    if shot_type == "headshot":
        return intersect(crop, frame.head)
    return crop


def find_crop(layers: str, view: str, shot_type: str) -> Box:
    """Return the crop of a composed figure for a shot type."""
    area = (-REACH, -REACH, CANVAS[0] + REACH, CANVAS[1] + REACH)
    return choose_crop(bound_ink(find_ink(layers, area), area), FRAMES[view], shot_type)


def draw(art: Path, recipe: str, shot_type: str, recolour: Mapping[str, str]) -> Image.Image:
    """Draw one picture at its final size."""
    layers = compose(art, recipe, recolour)
    view = recipe.rpartition("/")[0]
    crop = find_crop(layers, view, shot_type)
    width, height = crop[2] - crop[0], crop[3] - crop[1]
    longest = height if shot_type in {"full", "dynamic"} else max(width, height)
    image = rasterise(layers, crop, SIZE_PX[shot_type] / longest)
    image = remove_specks(image, layers, crop)
    if view.startswith(CURLS):
        image = back_curls(image, layers, FRAMES[view].head, crop)
    return image


def list_pictures(cast: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Yield every picture of the cast list with the colours to replace in it."""
    for character in cast["character"]:
        for appearance in character["appearance"]:
            recolour = appearance.get("recolour", {})
            for picture in (*appearance["references"], *appearance["held_out"]):
                yield picture, recolour
    for picture in cast["off_model"]:
        yield picture, picture.get("recolour", {})


def main() -> int:
    """Render every picture of the cast list."""
    parser = argparse.ArgumentParser(description="Render the demo cast from comicgen's vector art.")
    parser.add_argument("comicgen", type=Path, help="the unpacked npm package (it holds svg/)")
    parser.add_argument("--out", type=Path, default=EXAMPLES, help="folder that gets the files")
    args = parser.parse_args()
    art = args.comicgen / "svg"
    if not art.is_dir():
        print(f"{art} is missing: unpack comicgen-1.9.9.tgz and name its folder", file=sys.stderr)
        return 2
    cast = tomllib.loads((EXAMPLES / "cast.toml").read_text("utf-8"))
    count = 0
    for picture, recolour in list_pictures(cast):
        target = args.out / picture["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        image = draw(art, picture["art"], picture["shot_type"], recolour)
        image.save(target, "WEBP", lossless=True, quality=100, method=4)
        count += 1
    print(f"{count} pictures under {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
