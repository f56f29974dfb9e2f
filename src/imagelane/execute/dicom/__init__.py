"""DICOM files: read within limits, shown as a screen would show them, and de-identified.

pydicom is loaded when the first DICOM file is met, and only where one may be met: in a worker. What
it says of a file may quote the file, so none of its messages leaves this room.
"""
