"""The data dictionary: every measure with its unit, what it is, and where that comes from.

Columns of tables, their order and the tables in docs/measures.md are made from here. All measures are taken in pixels;
`power` says how a value changes with the unit of length.
"""

from __future__ import annotations

from dataclasses import dataclass

from foveate.morphometry.trust import observer_agreement


@dataclass(frozen=True, slots=True)
class Quantity:
    """One column of a table."""

    name: str
    power: int | None
    """Of the unit of length in the value's unit; None for what is no number, or has no unit of length."""
    unit: str
    """Of a value without a unit of length: count, deg, rad, dd (disc diameters); '' for a pure number."""
    definition: str
    source: str = ""
    """A paper; '' where the definition is all."""

    @property
    def reliability(self) -> str:
        """What two observers' masks of one photograph say of it; '' where they agree well enough."""
        return UNRELIABLE if self.name in observer_agreement().unreliable else ""

    def column(self, length: str) -> str:
        """The column's name, for values in this unit of length: px or um."""
        if self.power:
            per = "per_" if self.power < 0 else ""
            size = abs(self.power) if abs(self.power) > 1 else ""
            return "_".join(filter(None, (self.name, self.unit, f"{per}{length}{size}")))
        return "_".join(filter(None, (self.name, self.unit)))


UNRELIABLE = (
    "Two observers' masks of one photograph don't agree on it: ICC(2,1) below 0.6 on two of three sets or more."
)

HART = "Hart et al., Int. J. Medical Informatics 53, 1999"
GRISAN = "Grisan et al., IEEE TMI 27(3), 2008"
SANDBOX = "Tél, Fülöp, Vicsek, Physica A 159, 1989"
KNUDTSON = "Knudtson et al., Current Eye Research 27(3), 2003"

VESSELS = (
    Quantity("area_density", None, "", "Vessel pixels over pixels of the field of view."),
    Quantity("length_density", -1, "", "Length of all centrelines over the area of the field of view."),
    Quantity("length", 1, "", "Length of all centrelines."),
    Quantity(
        "calibre_mean", 1, "", "Mean calibre over the centrelines' length, across the vessel between its borders."
    ),
    Quantity("calibre_sd", 1, "", "Standard deviation of the same."),
    Quantity("calibre_p10", 1, "", "10th percentile of the same."),
    Quantity("calibre_p50", 1, "", "Median of the same."),
    Quantity("calibre_p90", 1, "", "90th percentile of the same."),
    Quantity("tortuosity", None, "", "Arc over chord of segments, mean weighted by their length.", HART),
    Quantity("total_curvature", None, "rad", "Integral of |curvature| along a segment, mean weighted by length.", HART),
    Quantity("squared_curvature", -1, "", "Integral of curvature² along a segment, mean weighted by length.", HART),
    Quantity("tau4", -1, "rad", "Total curvature over arc, mean weighted by length.", HART),
    Quantity("tau5", -2, "", "Integral of curvature² over arc, mean weighted by length.", HART),
    Quantity(
        "tortuosity_density", -1, "", "(n − 1) / n · Σ (arc/chord − 1) / arc over n turns, mean by length.", GRISAN
    ),
    Quantity("fractal_d0", None, "", "Capacity dimension of the centrelines, by the sandbox method.", SANDBOX),
    Quantity("fractal_d1", None, "", "Information dimension of the centrelines, by the sandbox method.", SANDBOX),
    Quantity("fractal_d2", None, "", "Correlation dimension of the centrelines, by the sandbox method.", SANDBOX),
    Quantity("fractal_fit", None, "", "R² of the straight line that D0 is the slope of."),
    Quantity("segments", None, "count", "Vessel segments between junctions and ends."),
    Quantity("bifurcations", None, "count", "Points where a vessel forks."),
    Quantity("crossings", None, "count", "Points where two vessels meet and part again."),
    Quantity("ends", None, "count", "Points where a segment ends inside the field of view."),
    Quantity("components", None, "count", "Parts of the mask that don't touch each other."),
    Quantity("branching_angle", None, "deg", "Mean angle between the two narrower vessels of a bifurcation."),
    Quantity(
        "murray_exponent", None, "", "Median exponent x of d0^x = d1^x + d2^x at bifurcations.", "Murray, PNAS 12, 1926"
    ),
    Quantity(
        "asymmetry",
        None,
        "",
        "Mean ratio of the daughters' calibres, narrower over wider.",
        "Zamir, J. General Physiology 72, 1978",
    ),
    Quantity("calibre_zone_a", 1, "", "Mean calibre up to half a disc diameter from the disc's margin."),
    Quantity("calibre_zone_b", 1, "", "Mean calibre from half to one disc diameter from the disc's margin."),
    Quantity("calibre_zone_c", 1, "", "Mean calibre from half to two disc diameters from the disc's margin."),
)
"""Of a mask's vessels, or of its arteries and veins each, with that before the name."""

EQUIVALENTS = (
    Quantity("crae", 1, "", "Central retinal artery equivalent: the six widest arteries in zone B.", KNUDTSON),
    Quantity("crve", 1, "", "Central retinal vein equivalent: the six widest veins in zone B.", KNUDTSON),
    Quantity("avr", None, "", "CRAE over CRVE.", KNUDTSON),
)
"""Of arteries and veins together."""

RATIOS = ("area_density", "length_density", "calibre_mean", "tortuosity", "fractal_d0", "branching_angle")
"""Measures of which there is also the arteries' value over the veins'."""

REGIONS = (
    Quantity("area_share", None, "", "Region pixels over pixels of the field of view."),
    Quantity("regions", None, "count", "Parts of the mask that don't touch each other."),
    Quantity("area", 2, "", "Area of all regions."),
    Quantity("volume", 3, "", "Area times the distance between slices; with --slice-um only."),
    Quantity("largest_area", 2, "", "Area of the largest region."),
    Quantity("perimeter", 1, "", "Its perimeter, by the Cauchy-Crofton formula in four directions.", "Serra, 1982"),
    Quantity("feret_most", 1, "", "Its greatest diameter, between parallel lines.", "Feret, 1930"),
    Quantity("feret_least", 1, "", "Its least diameter, between parallel lines.", "Feret, 1930"),
    Quantity("solidity", None, "", "Its area over its convex hull's."),
    Quantity("irregularity", None, "", "Its perimeter² / (4 π area): 1 for a disc."),
)
"""Of a mask of lesions or tumours."""

REGION_ROWS = (
    Quantity("region", None, "", "Number of the region in its image, the largest first."),
    Quantity("row", None, "px", "Of its centroid."),
    Quantity("column", None, "px", "Of its centroid."),
    Quantity("area", 2, "", "Its area."),
    *(
        quantity
        for quantity in REGIONS
        if quantity.name in ("perimeter", "feret_most", "feret_least", "solidity", "irregularity")
    ),
)
"""Of one region."""

SEGMENTS = (
    Quantity("segment", None, "", "Number of the segment in its image."),
    Quantity("start_node", None, "", "Number of the junction or end where it starts."),
    Quantity("end_node", None, "", "Number of the junction or end where it ends."),
    Quantity("start_row", None, "px", "Where it starts."),
    Quantity("start_column", None, "px", "Where it starts."),
    Quantity("end_row", None, "px", "Where it ends."),
    Quantity("end_column", None, "px", "Where it ends."),
    Quantity("arc", 1, "", "Length along the centreline."),
    Quantity("chord", 1, "", "Length from start to end."),
    Quantity("calibre_mean", 1, "", "Mean calibre outside its nodes' discs."),
    Quantity("calibre_sd", 1, "", "Standard deviation of the same."),
    Quantity("tortuosity", None, "", "Arc over chord.", HART),
    Quantity("total_curvature", None, "rad", "Integral of |curvature|.", HART),
    Quantity("squared_curvature", -1, "", "Integral of curvature².", HART),
    Quantity("tau4", -1, "rad", "Total curvature over arc.", HART),
    Quantity("tau5", -2, "", "Integral of curvature² over arc.", HART),
    Quantity("tortuosity_density", -1, "", "(n − 1) / n · Σ (arc/chord − 1) / arc over n turns.", GRISAN),
    Quantity("disc_distance", None, "dd", "Mean distance from the disc's centre, in disc diameters."),
)
"""Of one vessel segment."""

IMAGE = (
    Quantity("path", None, "", "The photograph or mask."),
    Quantity("eye", None, "", "As the list says."),
    Quantity("patient", None, "", "As the list says."),
    Quantity("um_per_pixel", None, "", "The scale, where it is given or assumed."),
    Quantity("scale_from", None, "", "given; or assumed, from the angle of the field of view."),
    Quantity("fov_diameter", 1, "", "Diameter of the field of view, if there is one: the longer side of its box."),
    Quantity("fov_share", None, "", "Share of the image that the field of view takes, if there is one."),
    Quantity(
        "contrast",
        None,
        "",
        "How much darker the vessels are than what is beside them, over its deviation; green channel.",
    ),
    Quantity("expected_f1", None, "", "Mean F1 that the model's masks would probably have."),
    Quantity("quality", None, "", "good, or what is wrong, parted by semicolons."),
)
"""Before the measures."""
