"""From probabilities to masks: the one rule by which every part decides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foveate.records import Classes, Masks, Probabilities


def decisive(probabilities: Probabilities, classes: Classes) -> Probabilities:
    """What is compared with thresholds, K×H×W.

    For a single class, or classes that may overlap, the probabilities themselves. Of classes that exclude each other
    the most probable one of a pixel has their sum, the probability that it is no background, and the others 0; so one
    threshold parts the background off, as for a single class, and which class it is does not depend on it.
    """
    if not classes.softmax:
        return probabilities
    anything = np.minimum(probabilities.sum(axis=0), np.float32(1))
    likeliest = probabilities.argmax(axis=0)
    return np.where(np.arange(len(probabilities))[:, None, None] == likeliest, anything, np.float32(0))


def decide(probabilities: Probabilities, classes: Classes, thresholds: Sequence[float]) -> Masks:
    """K×H×W: where `decisive` reaches the threshold, one for all classes or one each (`Classes.threshold_names`)."""
    limits = np.broadcast_to(np.asarray(thresholds, np.float32), len(probabilities))
    masks: Masks = decisive(probabilities, classes) >= limits[:, None, None]
    return masks
