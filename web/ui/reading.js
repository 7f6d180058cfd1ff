/** A score in plain words. It compares; it never says what a person has. Pure functions. */

import { countOf, twoDigits } from "./dom.js";

/** The engine compares no more normal images with each other, however many there are. */
const COMPARED_AT_MOST = 16;

/**
 * @param {import("../../pkg/index.d.ts").Result} result
 * @returns {{reading: string, range: string, hint: string}}
 */
export function readScore(result) {
  if (result.mode === "few") return result.supportScores && result.supportScores.length > 1 ? besideNormals(result) : oneNormal();
  if (result.calibrated !== null) {
    return {
      reading: `${twoDigits(result.calibrated)} on the model's scale from 0 to 1`,
      range: "",
      hint: "How much the patches resemble the words for abnormal, on average. Not a probability of disease and not a diagnosis.",
    };
  }
  return {
    reading: "No calibration",
    range: "",
    hint: "Compare scores only within this model and organ. A score is not a diagnosis.",
  };
}

/** @param {import("../../pkg/index.d.ts").Result} result */
function besideNormals(result) {
  const normals = [...(result.supportScores ?? [])].sort((a, b) => a - b);
  const lowest = normals[0];
  const highest = normals[normals.length - 1];
  const all = normals.length === 2 ? "both of your normal images"
    : normals.length < COMPARED_AT_MOST ? `all ${normals.length} of your normal images`
    : `all ${normals.length} normal images that were compared with the others`;
  const reading = result.score > highest ? `Higher than ${all}`
    : result.score < lowest ? `Lower than ${all}`
    : "Inside the range of your normal images";
  return {
    reading,
    range: `They reach ${twoDigits(lowest)} to ${twoDigits(highest)}, each compared with the ${normals.length === 2 ? "other" : "others"}.`,
    hint: normals.length < 4
      ? `${countOf(normals.length, "normal image")} make a rough range. Add more. A score is not a diagnosis.`
      : "Another person, view or scanner can raise the score too. A score is not a diagnosis.",
  };
}

function oneNormal() {
  return {
    reading: "No range to compare with",
    range: "",
    hint: "One normal image gives no range. Add at least one more. A score is not a diagnosis.",
  };
}
