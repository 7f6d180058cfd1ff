"""What other programs read in a file that the page saved. `read_exports.py SOURCE FILE`: JSON on standard output."""
import json
import sys

source_path, path = sys.argv[1:]
if path.endswith(".nii.gz"):
    import nibabel
    import numpy

    source, found = nibabel.load(source_path), nibabel.load(path)
    values = numpy.asarray(found.dataobj)
    finite = numpy.isfinite(values)
    slices = [n for n in range(values.shape[2]) if finite[:, :, n].any() and (values.dtype.kind == "f" or values[:, :, n].any())]
    print(json.dumps({
        "shape": list(values.shape), "sourceShape": list(source.shape[:3]), "type": str(values.dtype), "slices": slices,
        "affineOff": float(numpy.abs(found.affine - source.affine).max()), "marked": int((values[finite] > 0).sum()),
    }))
elif path.endswith(".dcm"):
    import pydicom

    source, found = pydicom.dcmread(source_path), pydicom.dcmread(path)
    referenced = sorted({str(element.value) for element in found.iterall() if element.keyword == "ReferencedSOPInstanceUID"})
    print(json.dumps({
        "class": found.file_meta.MediaStorageSOPClassUID.name, "rows": int(found.Rows), "columns": int(found.Columns),
        "modality": found.Modality, "patient": [str(found.get("PatientName", "")), str(found.get("PatientID", "")), str(found.get("PatientBirthDate", "")), str(found.get("StudyDate", ""))],
        "isReferenced": str(source.SOPInstanceUID) in referenced, "marked": int((found.pixel_array > 0).sum()),
    }))
elif path.endswith(".npy"):
    import numpy

    values = numpy.load(path)
    print(json.dumps({"shape": list(values.shape), "type": str(values.dtype), "most": float(values.max())}))
