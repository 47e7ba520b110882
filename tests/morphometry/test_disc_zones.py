"""Zones around the disc, and Knudtson's equivalents by hand."""

from __future__ import annotations

import numpy as np
import pytest

from drawn import drawn
from foveate.morphometry.image import measure_classes
from foveate.morphometry.zones import Disc, knudtson

WIDTHS = (12.0, 11.0, 10.0, 9.0, 8.0, 7.0)


def spokes(widths: tuple[float, ...], turn: float) -> np.ndarray:
    """Vessels that leave (300, 300) like spokes, of these widths."""
    angles = turn + 2 * np.pi * np.arange(len(widths)) / len(widths)
    centre = np.array([300.0, 300.0])
    ways = [np.stack((centre, centre + 270 * np.array([np.sin(a), np.cos(a)]))) for a in angles]
    mask = np.zeros((600, 600), bool)
    found = drawn(list(zip(ways, widths, strict=True)))
    mask[: found.shape[0], : found.shape[1]] = found[:600, :600]
    return mask


def test_six_calibres_are_joined_widest_with_narrowest() -> None:
    one, two, three = (0.88 * np.hypot(*pair) for pair in ((12, 7), (11, 8), (10, 9)))
    narrowest, middle, widest = sorted((one, two, three))
    last = sorted((0.88 * np.hypot(narrowest, widest), middle))
    assert knudtson(np.array(WIDTHS), 0.88) == pytest.approx(0.88 * np.hypot(*last))


def test_crae_crve_and_avr_are_those_of_the_drawn_vessels() -> None:
    veins = tuple(width + 4 for width in WIDTHS)
    masks = np.stack((spokes((*WIDTHS, 4.0), 0.1), spokes((*veins, 4.0), 0.45)))
    disc = Disc(300, 300, 140)
    values = measure_classes(masks, ("artery", "vein"), np.ones((600, 600), bool), disc).values
    crae, crve = knudtson(np.array(WIDTHS), 0.88), knudtson(np.array(veins), 0.95)
    assert values["crae"] == pytest.approx(crae, rel=0.03)
    assert values["crve"] == pytest.approx(crve, rel=0.03)
    assert values["avr"] == pytest.approx(crae / crve, rel=0.03)
    assert values["artery_calibre_zone_b"] == pytest.approx(np.mean((*WIDTHS, 4.0)), rel=0.05)


def test_without_a_disc_or_six_vessels_there_is_no_equivalent() -> None:
    masks = np.stack((spokes(WIDTHS[:5], 0.1), spokes(WIDTHS, 0.45)))
    fov = np.ones((600, 600), bool)
    values = measure_classes(masks, ("artery", "vein"), fov, Disc(300, 300, 140)).values
    assert np.isnan(values["crae"])
    assert np.isnan(values["avr"])
    assert values["crve"] > 0
    assert np.isnan(measure_classes(masks, ("artery", "vein"), fov).values["crve"])


def test_a_crossing_is_of_both_arteries_and_veins() -> None:
    masks = np.zeros((3, 200, 200), bool)
    masks[0, 98:103, 20:180] = True
    masks[1, 20:180, 97:104] = True
    masks[2] = masks[0] & masks[1]
    masks[:2] &= ~masks[2]
    values = measure_classes(masks, ("artery", "vein", "crossing"), np.ones((200, 200), bool)).values
    assert (values["artery_segments"], values["vein_segments"]) == (1, 1)
    assert values["artery_vein_calibre_mean"] == pytest.approx(5 / 7, rel=0.03)
