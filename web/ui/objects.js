/**
 * Objects of the published data sets (BMAD): modalities as DICOM abbreviates them, and parts of the body; none: any part.
 * The list is JSON: the command line reads it out of this file (src/cli/object_hint.rs), so that both say the same.
 */
export const KNOWN = [
  { "id": "brain", "modalities": ["MR"], "parts": ["BRAIN", "HEAD", "SKULL"] },
  { "id": "liver", "modalities": ["CT"], "parts": ["LIVER", "ABDOMEN", "ABDOMENPELVIS"] },
  { "id": "lung", "modalities": ["CT"], "parts": ["LUNG", "CHEST", "THORAX"] },
  { "id": "resc", "modalities": ["OPT"], "parts": ["EYE", "RETINA"] },
  { "id": "oct17", "modalities": ["OPT"], "parts": ["EYE", "RETINA"] },
  { "id": "chest", "modalities": ["CR", "DX"], "parts": ["CHEST", "THORAX", "LUNG"] },
  { "id": "his", "modalities": ["SM"], "parts": [] }
];
