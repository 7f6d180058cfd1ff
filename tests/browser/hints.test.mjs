// What a medical file suggests and what it does not fit: the page's rules against the cases that the command line is held to.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { KNOWN } from "../../web/ui/objects.js";
import { mismatch, shows, suggested } from "../../web/ui/hints.js";
import { fixture } from "./fixtures.mjs";

test("the page suggests and doubts as the command line does", () => {
  const cases = JSON.parse(readFileSync(fixture("object-hints.json"), "utf8"));
  assert.ok(cases.length > 10);
  const all = KNOWN.map(({ id }) => id);
  for (const { modality, bodyPart, suggested: expected, object, mismatch: reason } of cases) {
    const series = { format: "DICOM", modality, bodyPart };
    assert.deepEqual(suggested(series, all), expected, `${modality} of ${bodyPart}`);
    assert.equal(mismatch(series, object), reason, `${modality} of ${bodyPart} as ${object}`);
  }
  assert.deepEqual(suggested({ format: "DICOM", modality: "CT", bodyPart: null }, ["chest", "lung"]), ["lung"], "of the model's objects");
  assert.equal(shows({ format: "DICOM", modality: "MR", bodyPart: "HEAD" }), "MR of HEAD");
  assert.equal(shows({ format: "NIfTI", modality: null, bodyPart: null }), "NIfTI without a modality");
});
