"""DICOM, which pydicom parses and decodes (extra `dicom`): what a file shows, as 8-bit samples, and masks as DICOM SEG.

`recognise` needs nothing beyond the standard library: a file is known for what it is also where the extra is missing.
`parse` opens a file without its pixels, `header` says what is in it, `window` and `shown` bring stored samples to 8
bits, and `read` puts this together. `directory` lists what a DICOMDIR names. `codes` and `segmentation_object` write.
`calling` keeps what pydicom says of elements to itself.

Of the elements' texts none leaves this room, but for enumerated values of the standard: a name or a number of a patient
may stand in any of them.
"""

from foveate.imaging.dicom.recognise import is_dicom, is_dicom_file, is_installed

__all__ = ["is_dicom", "is_dicom_file", "is_installed"]
