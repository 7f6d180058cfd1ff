"""Reads exports with pydicom and nibabel, and makes the sources they are about.

    oracle.py series SAMPLE OUT        five slices from a sample, oblique, shuffled, with planted names
    oracle.py film SAMPLE OUT          the sample without a place, as a film has none
    oracle.py seg FILE THRESHOLD SOURCE...   a segmentation: pixels, references and places are the sources'
    oracle.py capture FILE RAW SOURCE...     a secondary capture: pixels are those in RAW, references the sources'
    oracle.py labels FILE THRESHOLD SOURCE... | oracle.py map FILE - SOURCE...   NIfTI: voxels and affine are the sources'

Sources are in the order of the series. Exit code 1 and a line for what differs.
"""

import sys
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from pydicom.uid import generate_uid

EMPTY = ["PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
         "ReferringPhysicianName", "StudyID"]
# Every place where a person may be named; the words are looked for in all outputs.
PLANTED = {
    "PatientName": "Zzyxx^Planted", "PatientID": "PLANTED-4711", "PatientBirthDate": "19010203",
    "AccessionNumber": "ACCPLANTED9", "InstitutionName": "Plantedhospital", "ReferringPhysicianName": "Qqplantdoctor^A",
    "PerformingPhysicianName": "Qqplantdoctor^B", "OperatorsName": "Qqplantoperator", "StudyDate": "19020304",
    "SeriesDate": "19020305", "AcquisitionDate": "19020306", "ContentDate": "19020307", "StudyID": "STPLANTED",
    "StudyDescription": "Plantedstudy of Zzyxx", "SeriesDescription": "Plantedseries", "PatientAddress": "Plantedstreet 1",
    "OtherPatientIDs": "PLANTED-0815", "PatientComments": "Plantedcomment", "StationName": "PLANTEDSTATION",
    "ProtocolName": "Plantedprotocol", "ImageComments": "Plantedimage", "DeviceSerialNumber": "PLANTEDSERIAL",
    "InstitutionAddress": "Plantedstreet 2", "RequestedProcedureDescription": "Plantedrequest", "AdditionalPatientHistory": "Plantedhistory",
}


def series(sample, out):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    row, column = np.array([0.8, 0.6, 0.0]), np.array([0.0, 0.0, -1.0])
    normal = np.cross(row, column)
    uid, frame_uid = generate_uid(), generate_uid()
    for n, name in enumerate(["d", "b", "e", "a", "c"]):
        d = pydicom.dcmread(sample)
        pixels = np.roll(d.pixel_array, 7 * n, axis=1)
        d.PixelData = pixels.tobytes()
        d.SOPInstanceUID = d.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        d.SeriesInstanceUID, d.FrameOfReferenceUID, d.InstanceNumber = uid, frame_uid, n + 1
        d.ImageOrientationPatient = [float(v) for v in [*row, *column]]
        d.ImagePositionPatient = [round(float(v), 6) for v in np.array([-12.5, 30.25, 7.0]) + 2.5 * n * normal]
        d.PixelSpacing, d.SliceThickness = [0.75, 0.5], 2.5
        for tag in ("DataSetTrailingPadding",):
            if tag in d:
                delattr(d, tag)
        for keyword, value in PLANTED.items():
            setattr(d, keyword, value)
        d.add_new(0x00091001, "LO", "Zzyxx private")
        d.save_as(out / f"{name}.dcm")


def film(sample, out):
    d = pydicom.dcmread(sample)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID", "PixelSpacing", "SliceLocation"):
        delattr(d, keyword)
    d.Modality = "DX"
    d.save_as(out)


def frames(sources):
    """Per frame of the series: data set, frame number from 1 or None, values, position, orientation, spacing."""
    found = []
    for path in sources:
        d = pydicom.dcmread(path)
        pixels = d.pixel_array
        count = int(d.get("NumberOfFrames", 1))
        pixels = pixels.reshape(count, *pixels.shape[-2:] if d.SamplesPerPixel == 1 else pixels.shape[-3:])
        for n in range(count):
            place = d
            slope, intercept = d.get("RescaleSlope", 1), d.get("RescaleIntercept", 0)
            position, orientation, spacing = (d.get("ImagePositionPatient"), d.get("ImageOrientationPatient"),
                                              d.get("PixelSpacing"))
            if "PerFrameFunctionalGroupsSequence" in d:
                groups = [d.PerFrameFunctionalGroupsSequence[n], d.SharedFunctionalGroupsSequence[0]]
                find = lambda sequence: next((g[sequence][0] for g in groups if sequence in g), None)
                place = find("PlanePositionSequence")
                position = place.ImagePositionPatient if place is not None else None
                turn = find("PlaneOrientationSequence")
                orientation = turn.ImageOrientationPatient if turn is not None else None
                measures = find("PixelMeasuresSequence")
                spacing = measures.PixelSpacing if measures is not None else None
                scale = find("PixelValueTransformationSequence")
                if scale is not None:
                    slope, intercept = scale.RescaleSlope, scale.RescaleIntercept
            values = pixels[n].astype(np.float64) * float(slope) + float(intercept)
            found.append((d, n + 1 if count > 1 else None, values.astype(np.float32), position, orientation, spacing))
    return found


wrong = []


def same(what, found, expected, tolerance=0.0):
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=tolerance, equal_nan=True):
        wrong.append(f"{what}: {found.tolist() if found.size < 20 else found.shape}, expected {expected.tolist() if expected.size < 20 else expected.shape}")


def referred(item, source, number):
    if item.ReferencedSOPInstanceUID != source.SOPInstanceUID or item.ReferencedSOPClassUID != source.SOPClassUID:
        wrong.append("refers to another file")
    if (int(item.ReferencedFrameNumber) if "ReferencedFrameNumber" in item else None) != number:
        wrong.append(f"refers to another frame than {number}")


def nobody(d):
    for keyword in EMPTY:
        if keyword not in d or str(d.get(keyword) or ""):
            wrong.append(f"{keyword} is {d.get(keyword)!r}, expected nothing")


def seg(path, threshold, *sources):
    d, expected = pydicom.dcmread(path), frames(sources)
    nobody(d)
    pixels = d.pixel_array.reshape(len(expected), int(d.Rows), int(d.Columns))
    same("pixels", pixels, np.stack([f[2] > float(threshold) for f in expected]).astype(np.uint8))
    same("study", [d.StudyInstanceUID == f[0].StudyInstanceUID for f in expected], [True] * len(expected))
    for group, (source, number, _, position, orientation, spacing) in zip(d.PerFrameFunctionalGroupsSequence, expected):
        referred(group.DerivationImageSequence[0].SourceImageSequence[0], source, number)
        if position is None or "FrameOfReferenceUID" not in source:
            if "PlanePositionSequence" in group:
                wrong.append("has a position that its source lacks")
            continue
        if d.FrameOfReferenceUID != source.FrameOfReferenceUID:
            wrong.append("another frame of reference")
        shared = d.SharedFunctionalGroupsSequence[0]
        find = lambda sequence: (group if sequence in group else shared)[sequence][0]
        same("position", list(map(float, find("PlanePositionSequence").ImagePositionPatient)), list(map(float, position)), 1e-9)
        same("orientation", list(map(float, find("PlaneOrientationSequence").ImageOrientationPatient)), list(map(float, orientation)), 1e-6)
        same("spacing", list(map(float, find("PixelMeasuresSequence").PixelSpacing)), list(map(float, spacing)))


def capture(path, raw, *sources):
    d, expected = pydicom.dcmread(path), frames(sources)
    nobody(d)
    pixels = np.fromfile(raw, np.uint8)
    same("pixels", d.pixel_array.ravel(), pixels)
    for item, (source, number, *_) in zip(d.SourceImageSequence, expected, strict=True):
        referred(item, source, number)


def nifti(path, threshold, sources):
    image = nibabel.load(path)
    data = np.asanyarray(image.dataobj)
    if sources[0].endswith((".nii", ".nii.gz")):
        source = nibabel.load(sources[0])
        # Number for number.
        same("affine", image.affine, source.affine)
        same("zooms", image.header.get_zooms()[:3], source.header.get_zooms()[:3])
        for code in ("sform_code", "qform_code"):
            same(code, image.header[code], source.header[code])
        values = np.asarray(source.dataobj).astype(np.float32)
    else:
        found = frames(sources)
        values = np.stack([f[2].T for f in found], axis=-1)
        orientation, spacing = np.array(found[0][4], float).reshape(2, 3), np.array(found[0][5], float)
        first, last = (np.array(found[n][3], float) for n in (0, -1))
        step = (last - first) / max(len(found) - 1, 1)
        if len(found) == 1:
            step = np.cross(*orientation) * float(found[0][0].get("SliceThickness", 1))
        affine = np.eye(4)
        affine[:3] = np.column_stack([orientation[0] * spacing[1], orientation[1] * spacing[0], step, first])
        same("affine", image.affine, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine, 1e-5)
    same("voxels", data, values if threshold == "-" else (values > float(threshold)).astype(np.uint8))


command, *rest = sys.argv[1:]
if command in ("labels", "map"):
    nifti(rest[0], rest[1], rest[2:])
else:
    {"series": series, "film": film, "seg": seg, "capture": capture}[command](*rest)
if wrong:
    sys.exit("\n".join(wrong))
