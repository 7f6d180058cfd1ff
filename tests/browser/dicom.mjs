// DICOM files made for a test, explicit little endian: windows with names, tables, several slices, long films.

/** VRs whose length takes four bytes. */
const LONG = new Set(["OB", "OW", "SQ", "UN"]);
const SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7";
const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";

/** 16-bit numbers as bytes. @param {number[]} numbers */
export const shorts = (numbers) => Buffer.from(Uint16Array.from(numbers, (number) => number & 0xffff).buffer);

/** One element. @param {number} tag @param {string} vr @param {Buffer | string | number[]} value numbers for US @param {number} [length] that it says, if another one */
export function element(tag, vr, value, length) {
  let content = Array.isArray(value) ? shorts(value) : Buffer.isBuffer(value) ? value : Buffer.from(value, "latin1");
  if (content.length % 2) content = Buffer.concat([content, Buffer.from(vr === "UI" || Buffer.isBuffer(value) ? "\0" : " ")]);
  const head = Buffer.alloc(LONG.has(vr) ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, "latin1");
  if (LONG.has(vr)) head.writeUInt32LE(length ?? content.length, 8);
  else head.writeUInt16LE(length ?? content.length, 6);
  return Buffer.concat([head, content]);
}

/** A sequence. @param {number} tag @param {Buffer[][]} items elements of each */
export function sequence(tag, items) {
  const parts = items.map((elements) => {
    const content = Buffer.concat(elements);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0xe000fffe, 0);
    head.writeUInt32LE(content.length, 4);
    return Buffer.concat([head, content]);
  });
  return element(tag, "SQ", Buffer.concat(parts));
}

/**
 * A file of grey frames of 16 bits, signed.
 * @param {{width: number, height: number, frames?: number, z?: number, instance?: number, modality?: string, bodyPart?: string, patient?: string,
 *   more?: [number, Buffer][], pixels?: Buffer}} what `more`: further elements by their tags; without `pixels` the file ends where they begin
 */
export function dicomFile({ width, height, frames = 1, z = 0, instance = 1, modality = "CT", bodyPart = "", patient = "", more = [], pixels }) {
  const text = (tag, vr, value) => [tag, element(tag, vr, value)];
  const uid = `1.2.826.0.1.3680043.8.498.${instance}`;
  const elements = [
    text(0x00080016, "UI", SECONDARY_CAPTURE), text(0x00080018, "UI", uid), text(0x00080060, "CS", modality), text(0x00100010, "PN", patient),
    ...(bodyPart ? [text(0x00180015, "CS", bodyPart)] : []),
    text(0x0020000d, "UI", "1.2.826.0.1.3680043.8.498.100"), text(0x0020000e, "UI", "1.2.826.0.1.3680043.8.498.101"), text(0x00200013, "IS", String(instance)),
    text(0x00200052, "UI", "1.2.826.0.1.3680043.8.498.102"),
    text(0x00200032, "DS", `0\\0\\${z}`), text(0x00200037, "DS", "1\\0\\0\\0\\1\\0"), text(0x00280002, "US", [1]), text(0x00280004, "CS", "MONOCHROME2"),
    ...(frames > 1 ? [text(0x00280008, "IS", String(frames))] : []),
    text(0x00280010, "US", [height]), text(0x00280011, "US", [width]), text(0x00280030, "DS", "0.5\\0.5"), text(0x00280100, "US", [16]), text(0x00280101, "US", [16]),
    text(0x00280102, "US", [15]), text(0x00280103, "US", [1]), text(0x00281052, "DS", "-1024"), text(0x00281053, "DS", "1"), text(0x00281054, "LO", "HU"), ...more,
  ].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
  const meta = [element(0x00020002, "UI", SECONDARY_CAPTURE), element(0x00020003, "UI", uid), element(0x00020010, "UI", EXPLICIT_LITTLE_ENDIAN)];
  const group = Buffer.alloc(4);
  group.writeUInt32LE(Buffer.concat(meta).length);
  const data = element(0x7fe00010, "OW", pixels ?? Buffer.alloc(0), width * height * 2 * frames);
  return Buffer.concat([Buffer.alloc(128), Buffer.from("DICM"), element(0x00020000, "UL", group), ...meta, ...elements, data]);
}
