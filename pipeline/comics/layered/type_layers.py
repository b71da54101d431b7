"""Live text in PSD: what Photoshop and its kin read to edit the words of a layer.

A type layer is a picture with a second description: a descriptor, and in it "engine data", a text
format of its own. Source: Adobe Photoshop File Formats Specification (2019), "Type tool object
setting"; engine data is undocumented there, its keys are those that programs write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pipeline.domain.geometry import Box

_JUSTIFIED_CENTRE, _JUSTIFIED_LEFT = 2, 0
_HORIZONTAL, _BOX_TEXT = 0, 1
_DESCRIPTOR, _TEXT, _WARP = 16, 50, 1
"""Versions."""


@dataclass(frozen=True, slots=True)
class LiveText:
    """Words as text, flowing in a ``box`` (pixels of the drawing).

    ``font`` is a PostScript name, ``size`` and ``leading`` are pixels.
    """

    words: str
    font: str
    size: float
    leading: float
    color: tuple[int, int, int]
    box: Box
    centred: bool = True


def make_live(layer: Any, text: LiveText) -> None:
    """Turn a pixel layer of psd-tools into a type layer that looks as it does.

    Args:
        layer: a layer of a document, with its picture and place.
        text: what it says, and where.
    """
    from psd_tools.constants import Tag
    from psd_tools.psd.descriptor import (
        DescriptorBlock,
        Double,
        Enumerated,
        Integer,
        RawData,
        String,
    )
    from psd_tools.psd.tagged_blocks import TaggedBlock, TypeToolObjectSetting

    def enum(kind: bytes, value: bytes) -> Any:
        return Enumerated(typeID=kind, enum=value)

    # the fields of these two are declared by decorators that checkers do not see through
    block, tagged = cast("Any", DescriptorBlock), cast("Any", TaggedBlock)
    said = block(
        items=[
            (b"Txt ", String(text.words.replace("\n", "\r"))),
            (b"textGridding", enum(b"textGridding", b"None")),
            (b"Ornt", enum(b"Ornt", b"Hrzn")),
            (b"AntA", enum(b"Annt", b"AnSm")),
            (b"TextIndex", Integer(0)),
            (b"EngineData", RawData(engine_data(text))),
        ],
        classID=b"TxLr",
        version=_DESCRIPTOR,
    )
    straight = block(
        items=[
            (b"warpStyle", enum(b"warpStyle", b"warpNone")),
            (b"warpValue", Double(0.0)),
            (b"warpPerspective", Double(0.0)),
            (b"warpPerspectiveOther", Double(0.0)),
            (b"warpRotate", enum(b"Ornt", b"Hrzn")),
        ],
        classID=b"warp",
        version=_DESCRIPTOR,
    )
    setting = TypeToolObjectSetting(
        version=1,
        transform=(1.0, 0.0, 0.0, 1.0, float(text.box.x0), float(text.box.y0)),
        text_version=_TEXT,
        text_data=said,
        warp_version=_WARP,
        warp=straight,
        left=0,
        top=0,
        right=0,
        bottom=0,
    )
    tag = Tag.TYPE_TOOL_OBJECT_SETTING
    layer._record.tagged_blocks[tag] = tagged(key=tag, data=setting)


def engine_data(text: LiveText) -> bytes:
    """The engine data of one paragraph in one style."""
    said = text.words.replace("\n", "\r") + "\r"
    length = len(said.encode("utf-16-le")) // 2
    paragraph = {
        "DefaultStyleSheet": 0,
        "Properties": {
            "Justification": _JUSTIFIED_CENTRE if text.centred else _JUSTIFIED_LEFT,
            "FirstLineIndent": 0.0,
            "StartIndent": 0.0,
            "EndIndent": 0.0,
            "SpaceBefore": 0.0,
            "SpaceAfter": 0.0,
            "AutoHyphenate": True,
            "HyphenatedWordSize": 6,
            "PreHyphen": 2,
            "PostHyphen": 2,
            "ConsecutiveHyphens": 8,
            "Zone": 36.0,
            "WordSpacing": [0.8, 1.0, 1.33],
            "LetterSpacing": [0.0, 0.0, 0.0],
            "GlyphSpacing": [1.0, 1.0, 1.0],
            "AutoLeading": 1.2,
            "LeadingType": 0,
            "Hanging": False,
            "Burasagari": False,
            "KinsokuOrder": 0,
            "EveryLineComposer": False,
        },
    }
    axes = {"Axis": [1.0, 0.0, 1.0], "XY": [0.0, 0.0]}
    style = {
        "Font": 0,
        "FontSize": float(text.size),
        "AutoLeading": False,
        "Leading": float(text.leading),
        "AutoKerning": True,
        "FillColor": {"Type": 1, "Values": [1.0, *(part / 255 for part in text.color)]},
    }
    shape = {
        "ShapeType": _BOX_TEXT,
        "Procession": 0,
        "Lines": {"WritingDirection": _HORIZONTAL, "Children": []},
        "Cookie": {
            "Photoshop": {
                "ShapeType": _BOX_TEXT,
                "BoxBounds": [0.0, 0.0, float(text.box.width), float(text.box.height)],
                "Base": {
                    "ShapeType": _BOX_TEXT,
                    "TransformPoint0": [1.0, 0.0],
                    "TransformPoint1": [0.0, 1.0],
                    "TransformPoint2": [0.0, 0.0],
                },
            }
        },
    }
    resources = {
        "KinsokuSet": [],
        "MojiKumiSet": [],
        "TheNormalStyleSheet": 0,
        "TheNormalParagraphSheet": 0,
        "ParagraphSheetSet": [{"Name": "Normal RGB", **paragraph}],
        "StyleSheetSet": [{"Name": "Normal RGB", "StyleSheetData": style}],
        "FontSet": [{"Name": text.font, "Script": 0, "FontType": 1, "Synthetic": 0}],
        "SuperscriptSize": 0.583,
        "SuperscriptPosition": 0.333,
        "SubscriptSize": 0.583,
        "SubscriptPosition": 0.333,
        "SmallCapSize": 0.7,
    }
    engine = {
        "Editor": {"Text": said},
        "ParagraphRun": {
            "DefaultRunData": {
                "ParagraphSheet": {"DefaultStyleSheet": 0, "Properties": {}},
                "Adjustments": axes,
            },
            "RunArray": [{"ParagraphSheet": paragraph, "Adjustments": axes}],
            "RunLengthArray": [length],
            "IsJoinable": 1,
        },
        "StyleRun": {
            "DefaultRunData": {"StyleSheet": {"StyleSheetData": {}}},
            "RunArray": [{"StyleSheet": {"StyleSheetData": style}}],
            "RunLengthArray": [length],
            "IsJoinable": 2,
        },
        "GridInfo": {
            "GridIsOn": False,
            "ShowGrid": False,
            "GridSize": 18.0,
            "GridLeading": 22.0,
            "GridColor": {"Type": 1, "Values": [1.0, 0.0, 0.0, 1.0]},
            "GridLeadingFillColor": {"Type": 1, "Values": [1.0, 0.0, 0.0, 1.0]},
            "AlignLineHeightToGridFlags": False,
        },
        "AntiAlias": 4,
        "UseFractionalGlyphWidths": True,
        "Rendered": {
            "Version": 1,
            "Shapes": {"WritingDirection": _HORIZONTAL, "Children": [shape]},
        },
    }
    whole = {
        "EngineDict": engine,
        "ResourceDict": resources,
        "DocumentResources": resources,
    }
    return b"\n\n" + _written(whole, 0)


def _written(value: Any, depth: int) -> bytes:
    """A value of engine data: ``<< /Key value >>``, ``[ … ]``, ``(UTF-16 text)``, numbers."""
    indent = b"\t" * depth
    if isinstance(value, Mapping):
        lines = [
            indent + b"\t/" + key.encode() + _after_key(item, depth + 1)
            for key, item in value.items()
        ]
        return indent + b"<<\n" + b"\n".join(lines) + b"\n" + indent + b">>"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Sequence):
        if value and isinstance(value[0], Mapping):
            items = b"\n".join(_written(one, depth + 1) for one in value)
            return b"[\n" + items + b"\n" + indent + b"]"
        return b"[ " + b"".join(_written(one, 0) + b" " for one in value) + b"]"
    return (f"{value:.5f}" if isinstance(value, float) else str(value)).encode()


def _after_key(value: Any, depth: int) -> bytes:
    if isinstance(value, Mapping):
        return b"\n" + _written(value, depth)
    return b" " + _written(value, depth)


def _string(text: str) -> bytes:
    data = b"\xfe\xff" + text.encode("utf-16-be")
    for byte in (b"\\", b"(", b")"):
        data = data.replace(byte, b"\\" + byte)
    return b"(" + data + b")"
