"""The order of references and the reasons for it."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.errors import MissingReference
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.pose import Pose
from pipeline.retrieval.rank import rank_references

KEY = EncoderKey("palette", "aaa", 1)


def reference(
    number: int,
    shot: ShotType = ShotType.FULL,
    *,
    expression: str = "",
    angle: str = "",
    canon: bool = True,
    turn: float | None = None,
) -> ReferenceInput:
    prints: tuple[Fingerprint, ...] = ()
    if turn is not None:
        vector = np.array([np.cos(turn), np.sin(turn)], np.float32)
        prints = (Fingerprint(CropClass.FIGURE, ColorMode.COLOR, Embedding(vector, KEY)),)
    return ReferenceInput(
        number, f"{number:064d}", b"", ReferenceKind.POSE, shot, angle, expression, canon, prints
    )


def member(*references: ReferenceInput) -> CastInput:
    return CastInput("ch_mira", "mira_s1", "Mira", "coat", 1.0, {}, (), references)


def order(cast: CastInput, shot: ShotType, words: str = "", k: int = 8) -> list[int]:
    return [
        r.reference.reference_id for r in rank_references(cast, shot_type=shot, words=words, k=k)
    ]


def test_no_reference_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(MissingReference, match=r"Mira.*Add"):
        rank_references(member(), shot_type=ShotType.FULL)


def test_the_same_shot_comes_first() -> None:
    cast = member(
        reference(1, ShotType.HEADSHOT), reference(2, ShotType.FULL), reference(3, ShotType.HALF)
    )
    assert order(cast, ShotType.HALF)[0] == 3
    assert order(cast, ShotType.HEADSHOT) == [1, 3, 2]
    assert order(cast, ShotType.FULL)[0] == 2
    assert order(cast, ShotType.DYNAMIC)[0] == 2


def test_canon_comes_before_derived_whatever_fits() -> None:
    cast = member(
        reference(1, ShotType.FULL, expression="happy", canon=False),
        reference(2, ShotType.HEADSHOT, expression="sad"),
    )
    assert order(cast, ShotType.FULL, "a happy day") == [2, 1]
    ranked = rank_references(cast, shot_type=ShotType.FULL)
    assert ranked[0].why.startswith("Canon")
    assert "not canon" in ranked[1].why


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("Mira smiles at the sea", 1),
        ("she is laughing", 1),
        ("Mira, furious, slams the door", 2),
        ("seen from the side", 3),
        ("in profile against the light", 3),
        ("a walk on the sidewalk", 0),
        ("", 0),
    ],
)
def test_words_of_the_prompt_choose_expression_and_angle(words: str, first: int) -> None:
    cast = member(
        reference(0),
        reference(1, expression="happy"),
        reference(2, expression="angry"),
        reference(3, angle="side"),
    )
    assert order(cast, ShotType.FULL, words)[0] == first


def test_asked_for_words_are_in_the_reason() -> None:
    ranked = rank_references(
        member(reference(1, expression="angry")), shot_type=ShotType.FULL, words="ANGRY!"
    )
    assert ranked[0].why == "Canon, the same shot (full), “angry” is asked for."


def test_what_differs_comes_before_more_of_the_same() -> None:
    cast = member(reference(1, turn=0.0), reference(2, turn=0.01), reference(3, turn=1.0))
    assert order(cast, ShotType.FULL) == [1, 3, 2]


def test_without_vectors_the_labels_tell_what_differs() -> None:
    cast = member(
        reference(1, expression="calm"), reference(2, expression="calm"), reference(3, angle="back")
    )
    assert order(cast, ShotType.FULL) == [1, 3, 2]


def test_at_most_k_and_each_once() -> None:
    cast = member(*(reference(i) for i in range(20)))
    assert len(set(order(cast, ShotType.FULL, k=5))) == 5
    assert len(order(cast, ShotType.FULL, k=50)) == 20


def seen_at(turn: float) -> tuple[Fingerprint, ...]:
    vector = np.array([np.cos(turn), np.sin(turn)], np.float32)
    return (Fingerprint(CropClass.FIGURE, ColorMode.GRAYSCALE, Embedding(vector, KEY)),)


def test_what_looks_like_the_sketch_comes_first_and_says_so() -> None:
    cast = member(*(replace(reference(i), fingerprints=seen_at(i / 4)) for i in range(5)))
    ranked = rank_references(replace(cast, seen=seen_at(0.76)), shot_type=ShotType.FULL)
    assert ranked[0].reference.reference_id == 3
    assert "nearest to the sketch (1.00)" in ranked[0].why
    assert "nearest" not in ranked[1].why
    assert rank_references(cast, shot_type=ShotType.FULL)[0].reference.reference_id == 0


def test_the_wanted_pose_the_scene_and_the_newest_panel_are_reasons() -> None:
    arm = [(float(i), float(i % 3), 1.0) for i in range(17)]
    wanted, other = Pose(tuple(arm)), Pose(tuple((y, -x, c) for x, y, c in arm))
    cast = member(
        replace(reference(1), pose=other),
        replace(reference(2), pose=wanted),
        replace(reference(3), notes="On the harbour wall"),
        reference(4, canon=False),
        reference(5, canon=False),
    )
    ranked = rank_references(
        replace(cast, pose=wanted), shot_type=ShotType.FULL, words="at the harbour"
    )
    why = {item.reference.reference_id: item.why for item in ranked}
    assert ranked[0].reference.reference_id == 2
    assert "the same pose (0.00 apart)" in why[2]
    assert "another pose" in why[1]
    assert "its notes speak of “harbour”" in why[3]
    assert "the newest accepted panel" in why[5]
    assert [item.reference.reference_id for item in ranked][-2:] == [5, 4]
