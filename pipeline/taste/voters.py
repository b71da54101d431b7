"""Whose votes count how much: nobody is shut out, but a crowd that moves as one counts as few.

Two things are looked at, both from the votes alone. *Company*: how much oftener two people choose
the same picture than two voters of the same cards usually do. The part of it that chance does not
explain is taken off both, so that ten who always agree count about as one. *Sense*: how often
somebody chooses what the others' votes make likely rather than anything; who clicks at random
counts little. People whose taste is merely rare keep their company low and their sense at the
prior, and are counted.

Source:
    Sense is a two-state annotator after A. Dawid and A. Skene, "Maximum likelihood estimation of
    observer error-rates using the EM algorithm", 1979; company is bounded in pairs after
    V. Buterin, "Pairwise coordination subsidies", 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.domain.taste import Floats, Slate
from pipeline.taste.choice import SLOTS

_SURE = 2.0
"""Standard errors by which company has to exceed chance before any of it counts."""
_LIKE_MINDED = 0.3
"""Agreement beyond the usual, 1 being complete, that people of one taste may have."""
_LEAST_COMMON = 5
"""Cards that two people must have in common before they can keep company."""
_EDGE = 1.2
"""How far over the edge of pure noise an eigenvalue has to be.

Source: that edge is 2 √V for a symmetric V × V table of independent unit noise (E. Wigner, 1958).
"""
_PRIOR_SENSE = (8.0, 2.0)
"""Everybody begins as somebody of whom 8 of 10 votes made sense."""
_OTHERS = 2.0
"""Votes that count as cast evenly beside those of the others."""
_ROUNDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Voters:
    """Who voted how: ``chosen`` (V, P) the place from 0, -1 without a vote; ``filled`` (P,)."""

    chosen: np.ndarray
    filled: np.ndarray


def voters_of(slates: Sequence[Slate]) -> Voters:
    """The votes as a table, with a row for every number up to the largest."""
    count = 1 + max((b.voter for slate in slates for b in slate.ballots), default=-1)
    chosen = np.full((count, len(slates)), -1)
    for column, slate in enumerate(slates):
        for ballot in slate.ballots:
            chosen[ballot.voter, column] = ballot.choice
    return Voters(chosen, np.array([len(slate.alternates) for slate in slates]))


def weights_of(voters: Voters) -> Floats:
    """How much each person's votes count, (V,), from nearly 0 to 1; half of the people count 1."""
    alone = 1 / (1 + _company(voters))
    found = alone * _sense(voters, alone)
    return np.minimum(found / np.median(found), 1.0) if len(found) else found


def counts_of(voters: Voters, weights: Floats) -> Floats:
    """Weighted votes by card and place, (P, 4)."""
    counts = np.zeros((voters.chosen.shape[1], SLOTS))
    for place in range(SLOTS):
        counts[:, place] = weights @ (voters.chosen == place)
    return counts


def _company(voters: Voters) -> Floats:
    """For each person the sum of what they share with others beyond the usual, (V,)."""
    took_part = (voters.chosen >= 0).astype(float)
    plain = counts_of(voters, np.ones(len(took_part)))
    total = plain.sum(axis=1)
    pairs = total * (total - 1)
    usual = (plain * (plain - 1)).sum(axis=1) / np.maximum(pairs, 1)
    useful = (total >= 3) & (usual < 1)  # two voters or one opinion say nothing about company
    took_part = took_part * useful
    same = sum(
        ((voters.chosen == place) * useful).astype(float)
        @ ((voters.chosen == place) * useful).astype(float).T
        for place in range(SLOTS)
    )
    common = took_part @ took_part.T
    expected = (took_part * usual) @ took_part.T
    noise = np.sqrt((took_part * usual * (1 - usual)) @ took_part.T)
    over = np.where(noise > 0, (same - expected) / np.maximum(noise, 1e-9), 0.0)
    np.fill_diagonal(over, 0)
    sure = np.where(common >= _LEAST_COMMON, over - _SURE, 0.0)
    room = np.maximum(common - expected, 1e-9)
    alike = np.maximum(sure, _crowds(over)) * noise / room
    excess = ((alike - _LIKE_MINDED) / (1 - _LIKE_MINDED)).clip(0, 1)
    np.fill_diagonal(excess, 0)
    return excess.sum(axis=1)


def _crowds(over: Floats) -> Floats:
    """The part of pairwise agreement that crowds explain, in standard errors, (V, V).

    A crowd shows in many pairs at once, long before it does in one: as an eigenvalue that noise
    does not reach.
    """
    values, vectors = np.linalg.eigh(over)
    crowd = values > _EDGE * 2 * np.sqrt(len(over))
    return (vectors[:, crowd] * values[crowd]) @ vectors[:, crowd].T


def _sense(voters: Voters, alone: Floats) -> Floats:
    """The share of each person's votes that made sense, (V,)."""
    counts = counts_of(voters, alone)
    even = _OTHERS / np.maximum(voters.filled, 1)
    cast = voters.chosen >= 0
    columns = np.broadcast_to(np.arange(cast.shape[1]), cast.shape)
    chosen = counts[columns, np.maximum(voters.chosen, 0)] - alone[:, None]
    others = counts.sum(axis=1)[None, :] - alone[:, None]
    likely = (np.maximum(chosen, 0) + even) / (np.maximum(others, 0) + _OTHERS)
    blind = 1 / np.maximum(voters.filled, 1)
    right, wrong = _PRIOR_SENSE
    sense = np.full(len(alone), right / (right + wrong))
    for _ in range(_ROUNDS):
        meant = sense[:, None] * likely
        meant = np.where(cast, meant / (meant + (1 - sense[:, None]) * blind), 0.0)
        sense = (meant.sum(axis=1) + right) / (cast.sum(axis=1) + right + wrong)
    return sense
