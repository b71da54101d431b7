"""Folders of drawn characters: walked or listed, never half read."""

from pathlib import Path

import pytest
from PIL import Image

from pipeline.domain.errors import InvalidInput
from pipeline.training.catalog import of_splits, open_drawing, read_catalog


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGBA", (8, 8), (200, 30, 30, 255)).save(path)


def test_without_a_manifest_the_folders_tell_source_and_identity(tmp_path: Path) -> None:
    for name in ("ink/ada/1.png", "ink/ada/2.webp", "ink/bo/1.png", "wash/ada/1.png"):
        draw(tmp_path / name)
    (tmp_path / "ink/ada/notes.txt").write_text("no picture")
    found = read_catalog(tmp_path)
    assert [(d.source, d.identity, d.variant) for d in found] == [
        ("ink", "ink/ada", "1"),
        ("ink", "ink/ada", "2"),
        ("ink", "ink/bo", "1"),
        ("wash", "wash/ada", "1"),
    ]
    assert of_splits(found, ["test"]) == found


def test_a_manifest_says_more_and_is_obeyed(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    draw(tmp_path / "b.png")
    (tmp_path / "manifest.csv").write_text(
        "path,source,identity,variant,kind,outfit,lookalike_of,role,split,licence\n"
        'a.png,ink,ink/ada,1,"pose,outfit",coat,,ref,train,CC0\n'
        "b.png,ink,ink/adb,1,,,ink/ada,query,test,CC0\n"
    )
    ada, twin = read_catalog(tmp_path)
    assert ada.kinds == {"pose", "outfit"}
    assert (ada.outfit, ada.role, ada.licence) == ("coat", "ref", "CC0")
    assert ada.family == twin.family == "ink/ada"
    assert of_splits([ada, twin], ["test"]) == [twin]
    assert open_drawing(ada).mode == "RGBA"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no folder"):
        read_catalog(tmp_path / "gone")
    with pytest.raises(InvalidInput, match="No drawings"):
        read_catalog(tmp_path)
    (tmp_path / "ink/ada").mkdir(parents=True)
    (tmp_path / "ink/ada/1.png").write_text("not a picture")
    with pytest.raises(InvalidInput, match="cannot be read"):
        open_drawing(read_catalog(tmp_path)[0])
    (tmp_path / "manifest.csv").write_text("path,source,identity,variant\nx.png,a,a/b,1\n")
    with pytest.raises(InvalidInput, match="does not exist"):
        read_catalog(tmp_path)
    (tmp_path / "manifest.csv").write_text("path,who\nx.png,a\n")
    with pytest.raises(InvalidInput, match="columns"):
        read_catalog(tmp_path)
