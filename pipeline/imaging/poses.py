"""Finds the pose of a figure: seventeen joints, from a network that was trained on photographs.

MoveNet sees drawn people too, as far as they are built like people; what it is not sure of it says,
and then there is no pose. See docs/models/pose.md for where it works.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.domain.errors import SettingsError
from pipeline.domain.pose import Pose
from pipeline.imaging.masks import Figure
from pipeline.imaging.network import start_network

MODEL = Path(__file__).with_name("poses.onnx")
MODEL_SHA256 = "407e9c70330d609a6ee06c83d2f3a03058c2931217f968b50543f008c50f300a"

SEEN = 0.3
"""Confidence from which a joint counts as seen. Source: the usual limit of pose estimators."""
LEAST_SEEN = 8
"""A pose of fewer joints is none. Source: of drawn figures with so many, 88 to 100 % are plausible;
heads without a body, which have no pose, hardly ever reach it (docs/models/pose.md)."""
_SIDE = 192
_MARGIN = 0.15
"""Ground left free around the figure, as a share of its longer side: the network expects some."""
_GROUND = (128, 128, 128)


def find_pose(image: Image.Image, figure: Figure) -> Pose | None:
    """The pose of a figure in a picture.

    Args:
        image: RGB or RGBA.
        figure: where it is; only what its mask covers is looked at.

    Returns:
        Joints in pixels of the picture, with the network's confidence in each; None where it is
        sure of fewer than eight.

    Raises:
        SettingsError: the network's file is missing or damaged.
    """
    window, left, top, side = _window(image, figure)
    pixels = np.asarray(window.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC), np.int32)
    said = _network().run(None, {"input": pixels[None]})[0][0, 0]  # (17, 3): y, x, confidence
    sure = said[:, 2].clip(0, 1)
    if int((sure >= SEEN).sum()) < LEAST_SEEN:
        return None
    across, down = left + side * said[:, 1], top + side * said[:, 0]
    joints = np.stack([across, down, sure], axis=1).round(3).tolist()
    return Pose(tuple((x, y, seen) for x, y, seen in joints))


def _window(image: Image.Image, figure: Figure) -> tuple[Image.Image, int, int, int]:
    """The figure alone, in the middle of a grey square; its left, top and side in the picture."""
    box = figure.box
    longer = max(box.width, box.height)
    side = longer + 2 * round(_MARGIN * longer)
    dx, dy = (side - box.width) // 2, (side - box.height) // 2
    part = image.crop(box).convert("RGBA")
    inside = np.minimum(np.asarray(part.getchannel("A")), figure.inside)
    window = Image.new("RGB", (side, side), _GROUND)
    window.paste(part.convert("RGB"), (dx, dy), Image.fromarray(inside))
    return window, box.x0 - dx, box.y0 - dy, side


@lru_cache(maxsize=1)
def _network() -> Any:
    try:
        data = MODEL.read_bytes()
    except OSError as error:
        raise SettingsError(
            "The file of the pose network is missing. Install the program again."
        ) from error
    if hashlib.sha256(data).hexdigest() != MODEL_SHA256:
        raise SettingsError("The file of the pose network is damaged. Install the program again.")
    return start_network(data)
