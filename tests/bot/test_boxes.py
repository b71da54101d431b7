"""Boxes as people type them."""

import pytest

from bot.services.boxes import read_box
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size

SIZE = Size(1000, 500)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("10,20,300,400", Box(10, 20, 300, 400)),
        (" 10 , 20 ,300, 400 ", Box(10, 20, 300, 400)),
        ("10%,20%,60%,100%", Box(100, 100, 600, 500)),
        ("12.5%, 0%, 50 %, 50%", Box(125, 0, 500, 250)),
        ("900,400,5000,5000", Box(900, 400, 1000, 500)),
    ],
)
def test_pixels_and_percent(text: str, box: Box) -> None:
    assert read_box(text, SIZE) == box


@pytest.mark.parametrize(
    "text",
    ["", "left", "1,2,3", "1,2,3,4,5", "10%,20,30,40", "-5,0,10,10", "300,20,100,400",
     "2000,10,2100,90", "0,0,3,3", "1e3,0,9,9", "nan,0,1,1"],
)  # fmt: skip
def test_what_is_no_box_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match="10%,5%,60%,95%"):
        read_box(text, SIZE)
