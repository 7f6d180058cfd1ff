/** Where a model runs: WebGPU with 16-bit floats, WebGPU with 32-bit floats, or the CPU. */
export type Tier = "gpu16" | "gpu32" | "cpu";
/** "zero" compares with words, "few" with normal pictures. */
export type Mode = "zero" | "few";
/** "mvfa": eleven views of each normal picture; "none": the picture as it is. */
export type Augment = "mvfa" | "none";

/** One kind of picture the model can be asked about. */
export interface ObjectInfo {
  id: string;
  /** Name for people. */
  name: string;
  /** The word put into the prompts. */
  prompt: string;
  kind: "segmentation" | "detection";
  /** Whether "zero" is possible for it. */
  zeroShot: boolean;
}

export interface DeviceInfo {
  tier: Tier;
  /** What the browser tells of the device. */
  name: string;
  /** Why this tier was taken, in plain words. */
  reason: string;
}

export interface SessionInfo {
  name: string;
  revision: string;
  licence: string;
  /** File name of the model card, beside the manifest. */
  card: string;
  intendedUse: string;
  /** Side of the square the model sees, in pixels. */
  sizePx: number;
  /** How normal pictures are used unless a call says otherwise. */
  augment: Augment;
  zeroShot: boolean;
  /** Why "zero" is not possible, or null. */
  zeroShotReason: string | null;
  /** What the model's maker has to say about "zero", or null. */
  zeroShotNote: string | null;
  objects: ObjectInfo[];
  device: DeviceInfo;
  weightBytes: number;
}

export interface LoadProgress {
  stage: "engine" | "model" | "device" | "self-test";
  /** In the stage `self-test` blocks of the model, as `totalBytes`. */
  loadedBytes: number;
  /** 0 while unknown. */
  totalBytes: number;
}

export interface OpenOptions {
  /** Default "auto". */
  device?: "auto" | "cpu" | "gpu";
  onProgress?(progress: LoadProgress): void;
  /** Aborting ends the loading and the worker. */
  signal?: AbortSignal;
  /** Addresses the worker has requested since the model was ready. */
  onRequests?(addresses: string[]): void;
  /** Called once when the worker stops without being asked; open calls reject with the same DeviceError. */
  onLost?(error: Error): void;
}

/** A decoded picture: what is shown is what is analysed. */
export interface Decoded {
  width: number;
  height: number;
  /** Deeper than 8 bits, so that a window applies. */
  deep: boolean;
  /** RGBA, width × height. */
  pixels: Uint8ClampedArray;
}

export interface AnalyseProgress {
  stage: "references" | "encode" | "score";
  done: number;
  total: number;
}

export interface AnalyseOptions {
  /** An id of {@link SessionInfo.objects}. */
  object: string;
  mode: Mode;
  augment?: Augment;
  /** "auto" (default), "pil" or "CENTER,WIDTH"; for pictures deeper than 8 bits. */
  window?: string;
  signal?: AbortSignal;
  onProgress?(progress: AnalyseProgress): void;
}

export interface Result {
  score: number;
  /** 0..1, or null where the model has no calibration for the object. */
  calibrated: number | null;
  scoreZero: number | null;
  scoreMemory: number | null;
  /** size × size, as the reference code computes it. */
  map: Float32Array;
  /** size × size, each patch at its true place: the one to show. */
  overlay: Float32Array;
  size: number;
  /** Per level, side × side patch values. */
  levels: Float32Array[];
  mapMin: number;
  mapMax: number;
  object: string;
  mode: Mode;
  device: string;
  /** Scores of the normal pictures, each compared with the others, on the scale of `score`; null with fewer than two. */
  supportScores: number[] | null;
  timings: { decodeMs: number; preprocessMs: number; encodeMs: number; scoreMs: number; totalMs: number };
}

export interface RenderOptions {
  /** Values at the two ends of the colour map. */
  lo: number;
  hi: number;
  /** Values below are transparent. */
  threshold: number;
  colourMap: string;
}

export interface Rendered {
  /** side × side RGBA, transparent below the threshold. */
  rgba: Uint8ClampedArray;
  /** Outlines at the threshold: x, y, x, y … in map pixels. */
  contours: Float32Array[];
  /** 256 × 1 RGBA, lo on the left. */
  bar: Uint8ClampedArray;
}

/** One model in one worker. Errors have the names AbortError, ImageError, ModelError, DeviceError, UsageError. */
export class Session {
  private constructor(options: OpenOptions);
  static open(manifestUrl: string | URL, options?: OpenOptions): Promise<Session>;
  readonly info: SessionInfo;
  /** Requests made by the worker since the model was ready. */
  readonly requests: number;
  /** Closed or lost. */
  readonly ended: boolean;
  decode(blob: Blob, options?: { window?: string }): Promise<Decoded>;
  addSupport(blob: Blob, options?: { label?: "normal" | "abnormal"; name?: string; window?: string }): Promise<number>;
  removeSupport(id: number): Promise<void>;
  clearSupport(): Promise<void>;
  analyse(blob: Blob, options: AnalyseOptions): Promise<Result>;
  /** The tower's raw block tokens of planes 3 × side × side in 0..1: tokens × width values a level, class token first. */
  tokens(planes: Float32Array, options?: Pick<AnalyseOptions, "signal" | "onProgress">): Promise<Float32Array[]>;
  render(map: Float32Array, side: number, options: RenderOptions): Promise<Rendered>;
  close(): void;
}
