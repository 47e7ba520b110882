"""The data dictionary: every measure with its unit, what it is, and where that comes from.

Columns of tables, their order and the tables in docs/measures.md are made from here. All measures are taken in pixels;
`power` says how a value changes with the unit of length.
"""

from __future__ import annotations

from dataclasses import dataclass

from foveate.morphometry.reliability import reliability


@dataclass(frozen=True, slots=True)
class Measure:
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
        return UNRELIABLE if self.name in reliability().unreliable else ""

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
    Measure("area_density", None, "", "Vessel pixels over pixels of the field of view."),
    Measure("length_density", -1, "", "Length of all centrelines over the area of the field of view."),
    Measure("length", 1, "", "Length of all centrelines."),
    Measure("calibre_mean", 1, "", "Mean calibre over the centrelines' length, across the vessel between its borders."),
    Measure("calibre_sd", 1, "", "Standard deviation of the same."),
    Measure("calibre_p10", 1, "", "10th percentile of the same."),
    Measure("calibre_p50", 1, "", "Median of the same."),
    Measure("calibre_p90", 1, "", "90th percentile of the same."),
    Measure("tortuosity", None, "", "Arc over chord of segments, mean weighted by their length.", HART),
    Measure("total_curvature", None, "rad", "Integral of |curvature| along a segment, mean weighted by length.", HART),
    Measure("squared_curvature", -1, "", "Integral of curvature² along a segment, mean weighted by length.", HART),
    Measure("tau4", -1, "rad", "Total curvature over arc, mean weighted by length.", HART),
    Measure("tau5", -2, "", "Integral of curvature² over arc, mean weighted by length.", HART),
    Measure(
        "tortuosity_density", -1, "", "(n − 1) / n · Σ (arc/chord − 1) / arc over n turns, mean by length.", GRISAN
    ),
    Measure("fractal_d0", None, "", "Capacity dimension of the centrelines, by the sandbox method.", SANDBOX),
    Measure("fractal_d1", None, "", "Information dimension of the centrelines, by the sandbox method.", SANDBOX),
    Measure("fractal_d2", None, "", "Correlation dimension of the centrelines, by the sandbox method.", SANDBOX),
    Measure("fractal_fit", None, "", "R² of the straight line that D0 is the slope of."),
    Measure("segments", None, "count", "Vessel segments between junctions and ends."),
    Measure("bifurcations", None, "count", "Points where three segments meet."),
    Measure("crossings", None, "count", "Points where four segments or more meet."),
    Measure("ends", None, "count", "Points where a segment ends inside the field of view."),
    Measure("components", None, "count", "Parts of the mask that don't touch each other."),
    Measure("branching_angle", None, "deg", "Mean angle between the two narrower vessels of a bifurcation."),
    Measure(
        "murray_exponent", None, "", "Median exponent x of d0^x = d1^x + d2^x at bifurcations.", "Murray, PNAS 12, 1926"
    ),
    Measure(
        "asymmetry",
        None,
        "",
        "Mean ratio of the daughters' calibres, narrower over wider.",
        "Zamir, J. General Physiology 72, 1978",
    ),
    Measure("calibre_zone_a", 1, "", "Mean calibre up to half a disc diameter from the disc's margin."),
    Measure("calibre_zone_b", 1, "", "Mean calibre from half to one disc diameter from the disc's margin."),
    Measure("calibre_zone_c", 1, "", "Mean calibre from half to two disc diameters from the disc's margin."),
)
"""Of a mask's vessels, or of its arteries and veins each, with that before the name."""

EQUIVALENTS = (
    Measure("crae", 1, "", "Central retinal artery equivalent: the six widest arteries in zone B.", KNUDTSON),
    Measure("crve", 1, "", "Central retinal vein equivalent: the six widest veins in zone B.", KNUDTSON),
    Measure("avr", None, "", "CRAE over CRVE.", KNUDTSON),
)
"""Of arteries and veins together."""

RATIOS = ("area_density", "length_density", "calibre_mean", "tortuosity", "fractal_d0", "branching_angle")
"""Measures of which there is also the arteries' value over the veins'."""

REGIONS = (
    Measure("area_share", None, "", "Region pixels over pixels of the field of view."),
    Measure("regions", None, "count", "Parts of the mask that don't touch each other."),
    Measure("area", 2, "", "Area of all regions."),
    Measure("volume", 3, "", "Area times the distance between slices; with --slice-um only."),
    Measure("largest_area", 2, "", "Area of the largest region."),
    Measure("perimeter", 1, "", "Its perimeter, by the Cauchy-Crofton formula in four directions.", "Serra, 1982"),
    Measure("feret_most", 1, "", "Its greatest diameter, between parallel lines.", "Feret, 1930"),
    Measure("feret_least", 1, "", "Its least diameter, between parallel lines.", "Feret, 1930"),
    Measure("solidity", None, "", "Its area over its convex hull's."),
    Measure("irregularity", None, "", "Its perimeter² / (4 π area): 1 for a disc."),
)
"""Of a mask of lesions or tumours."""

REGION_ROWS = (
    Measure("region", None, "", "Number of the region in its image, the largest first."),
    Measure("row", None, "px", "Of its centroid."),
    Measure("column", None, "px", "Of its centroid."),
    Measure("area", 2, "", "Its area."),
    *(each for each in REGIONS if each.name in ("perimeter", "feret_most", "feret_least", "solidity", "irregularity")),
)
"""Of one region."""

SEGMENTS = (
    Measure("segment", None, "", "Number of the segment in its image."),
    Measure("start_node", None, "", "Number of the junction or end where it starts."),
    Measure("end_node", None, "", "Number of the junction or end where it ends."),
    Measure("start_row", None, "px", "Where it starts."),
    Measure("start_column", None, "px", "Where it starts."),
    Measure("end_row", None, "px", "Where it ends."),
    Measure("end_column", None, "px", "Where it ends."),
    Measure("arc", 1, "", "Length along the centreline."),
    Measure("chord", 1, "", "Length from start to end."),
    Measure("calibre_mean", 1, "", "Mean calibre outside its nodes' discs."),
    Measure("calibre_sd", 1, "", "Standard deviation of the same."),
    Measure("tortuosity", None, "", "Arc over chord.", HART),
    Measure("total_curvature", None, "rad", "Integral of |curvature|.", HART),
    Measure("squared_curvature", -1, "", "Integral of curvature².", HART),
    Measure("tau4", -1, "rad", "Total curvature over arc.", HART),
    Measure("tau5", -2, "", "Integral of curvature² over arc.", HART),
    Measure("tortuosity_density", -1, "", "(n − 1) / n · Σ (arc/chord − 1) / arc over n turns.", GRISAN),
    Measure("disc_distance", None, "dd", "Mean distance from the disc's centre, in disc diameters."),
)
"""Of one vessel segment."""

IMAGE = (
    Measure("path", None, "", "The photograph or mask."),
    Measure("eye", None, "", "As the list says."),
    Measure("patient", None, "", "As the list says."),
    Measure("um_per_pixel", None, "", "The scale, where it is given or assumed."),
    Measure("scale_from", None, "", "given; or assumed, from the angle of the field of view."),
    Measure("fov_diameter", 1, "", "Diameter of the field of view: the longer side of its box."),
    Measure("fov_share", None, "", "Share of the image that the field of view takes."),
    Measure(
        "contrast",
        None,
        "",
        "How much darker the vessels are than what is beside them, over its deviation; green channel.",
    ),
    Measure("expected_f1", None, "", "Mean F1 that the model's masks would probably have."),
    Measure("quality", None, "", "good, or what is wrong, parted by semicolons."),
)
"""Before the measures."""
