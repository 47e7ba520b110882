"""DICOMweb: images that lie on a server as a source, and the same server as the sink of DICOM SEG; needs the extra
`dicom`.

`address` reads what a call names, `connection` asks, bounded and more than once, `server` speaks DICOMweb over it,
`source` makes images of what it finds, and `sink` stores. No UID, no query and no token is in a name, a message or a
record: an instance is called by hashes of its UIDs.
"""
