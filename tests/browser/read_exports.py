"""What other programs read in a file that the page saved. `read_exports.py SOURCE FILE`: JSON on standard output.

`marked` counts what is above 0; `places` of a mask are the frame, row and column of each such pixel in the source.
"""
import hashlib
import json
import sys

source_path, path = sys.argv[1:]
if path.endswith(".nii.gz"):
    import nibabel
    import numpy

    source, found = nibabel.load(source_path), nibabel.load(path)
    values = numpy.asarray(found.dataobj)
    finite = numpy.isfinite(values)
    values_ras = numpy.asarray(nibabel.as_closest_canonical(found).dataobj)
    slices = [n for n in range(values.shape[2]) if finite[:, :, n].any() and (values.dtype.kind == "f" or values[:, :, n].any())]
    print(json.dumps({
        "shape": list(values.shape), "sourceShape": list(source.shape[:3]), "type": str(values.dtype), "slices": slices,
        "affineOff": float(numpy.abs(found.affine - source.affine).max()), "marked": int((values[finite] > 0).sum()),
        # Slice from the feet, row from the front, column from the patient's right, whatever the order of the file.
        "places": sorted([int(z), values_ras.shape[1] - 1 - int(y), values_ras.shape[0] - 1 - int(x)] for x, y, z in numpy.argwhere(values_ras > 0))
        if values.dtype.kind != "f" else None,
    }))
elif path.endswith(".dcm"):
    import pydicom

    import numpy

    source, found = pydicom.dcmread(source_path), pydicom.dcmread(path)
    referenced = sorted({str(element.value) for element in found.iterall() if element.keyword == "ReferencedSOPInstanceUID"})
    # Frames of the source, from 0, that the frames of the file are about.
    items = [frame.DerivationImageSequence[0].SourceImageSequence[0] for frame in found.get("PerFrameFunctionalGroupsSequence", [])]
    items = items or list(found.get("SourceImageSequence", []))
    about = [int(item.get("ReferencedFrameNumber", 1)) - 1 for item in items]
    pixels = found.pixel_array
    frames = pixels if int(found.get("NumberOfFrames", 1)) > 1 else pixels[numpy.newaxis]
    is_mask = found.Modality == "SEG"
    print(json.dumps({
        "class": found.file_meta.MediaStorageSOPClassUID.name, "rows": int(found.Rows), "columns": int(found.Columns),
        "modality": found.Modality, "patient": [str(found.get("PatientName", "")), str(found.get("PatientID", "")), str(found.get("PatientBirthDate", "")), str(found.get("StudyDate", ""))],
        "isReferenced": str(source.SOPInstanceUID) in referenced, "marked": int((pixels > 0).sum()), "about": about,
        "description": str(found.SegmentSequence[0].SegmentDescription) if is_mask else None,
        "frames": [hashlib.sha256(numpy.ascontiguousarray(frame).tobytes()).hexdigest() for frame in frames],
        "places": [[about[n], int(y), int(x)] for n, y, x in numpy.argwhere(frames > 0)] if is_mask else None,
    }))
elif path.endswith(".npy"):
    import numpy

    values = numpy.load(path)
    print(json.dumps({"shape": list(values.shape), "type": str(values.dtype), "most": float(values.max())}))
