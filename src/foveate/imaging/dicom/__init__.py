"""DICOM, which pydicom parses and decodes (extra `dicom`): what a file shows, as 8-bit samples, and masks as DICOM SEG.

`recognise` needs nothing beyond the standard library, so that a file is known for what it is where the extra is missing.
`parse` opens a file without its pixels, `header` says what is in it, `pixels` has the stored samples of a frame, `window`
and `shown` bring these to 8 bits, `read` puts this together. `directory` lists what a DICOMDIR names. `codes` and
`segmentation_object` write. `calling` keeps what pydicom says of elements to itself.

Of the elements' texts none leaves this room, but for enumerated values of the standard: a name or a number of a patient
may stand in any of them.
"""

from foveate.imaging.dicom.recognise import is_dicom, is_dicom_file, is_installed

__all__ = ["is_dicom", "is_dicom_file", "is_installed"]
