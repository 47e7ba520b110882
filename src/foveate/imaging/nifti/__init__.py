"""NIfTI volumes, which nibabel parses (extra `nifti`): slices as 8-bit samples, and masks as volumes of the same place.

`recognise` needs nothing beyond the standard library. `header` opens a file without its samples and refuses what its
header can't mean; `planes` says which voxels are a slice of which plane of the body; `slabs` reads samples, a bounded
piece at a time; `levels` brings them to 8 bits; `volume` puts this together for one volume, of one file or a file for
each channel. `volume_file` writes. `calling` keeps what nibabel says to itself.

Only numbers of a header go into what is written: its texts and extensions may hold a patient's name.
"""

from foveate.imaging.nifti.recognise import NIFTI_ENDINGS, is_nifti, is_nifti_file, is_nifti_installed

__all__ = ["NIFTI_ENDINGS", "is_nifti", "is_nifti_file", "is_nifti_installed"]
