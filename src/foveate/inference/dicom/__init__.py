"""DICOM as a source, frame by frame, and as a sink, object by object; needs the extra `dicom`."""
