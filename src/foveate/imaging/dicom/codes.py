"""What DICOM calls the classes of masks: codes of SNOMED CT by class name (PS3.16, CID 7150 and 7151)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

_STRUCTURE = codes.SCT.AnatomicalStructure
_ABNORMAL = codes.SCT.MorphologicallyAbnormalStructure

OWN_SCHEME = "99FOVEATE"
"""Of classes without a code below: designators that begin with 99 are for private use (PS3.16, 8)."""


@dataclass(frozen=True, slots=True)
class Property:
    """What a segment is: a kind of thing, and the thing."""

    category: Code
    kind: Code


PROPERTIES = {
    "vessel": Property(_STRUCTURE, codes.SCT.BloodVessel),
    "artery": Property(_STRUCTURE, codes.SCT.Artery),
    "vein": Property(_STRUCTURE, codes.SCT.Vein),
    "disc": Property(_STRUCTURE, codes.SCT.OpticDiscStructure),
    "retina": Property(_STRUCTURE, codes.SCT.Retina),
    "brain": Property(_STRUCTURE, codes.SCT.Brain),
    "tumour": Property(_ABNORMAL, codes.SCT.Neoplasm),
    "lesion": Property(_ABNORMAL, codes.SCT.Lesion),
    "haemorrhage": Property(_ABNORMAL, codes.SCT.Hemorrhage),
    "oedema": Property(_ABNORMAL, codes.SCT.Edema),
    "cyst": Property(_ABNORMAL, codes.SCT.Cyst),
}
"""By class name, in lower case and the singular."""

SYNONYMS = {
    "blood vessel": "vessel",
    "retinal vessel": "vessel",
    "optic disc": "disc",
    "optic disk": "disc",
    "tumor": "tumour",
    "neoplasm": "tumour",
    "glioma": "tumour",
    "skin lesion": "lesion",
    "hemorrhage": "haemorrhage",
    "edema": "oedema",
}
"""Other names for the same; what is more than the code says stays in the segment's label."""


def property_of(name: str) -> Property:
    """Category and type of a class; of one without a code, 'Spatial and Relational Concept' and a code of our own whose
    value and meaning are its name."""
    words = name.lower().replace("_", " ")
    for singular in (words, words.removesuffix("s")):
        known = PROPERTIES.get(SYNONYMS.get(singular, singular))
        if known is not None:
            return known
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() or "class"
    return Property(codes.SCT.SpatialAndRelationalConcept, Code(plain, OWN_SCHEME, plain))
