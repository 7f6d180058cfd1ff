/** Where a model runs: WebGPU with 16-bit floats, WebGPU with 32-bit floats, or the CPU. */
export type Tier = "gpu16" | "gpu32" | "cpu";
/**
 * "zero" compares with words, "few" with normal images, "self" left with right of the image itself. "batch", for models that
 * compare by raw tokens, compares with other images that are to be judged, too (after MuSc): add all of them with
 * `addSupport`, and leave the image itself out with `among`.
 */
export type Mode = "zero" | "few" | "self" | "batch";
/**
 * How patches are compared. In "few", for models that compare normal images by raw tokens: "memory", the nearest patch of all
 * normal images (after PatchCore and AnomalyDINO); "components", the nearest of its own kind of tissue (after UniVAD). In
 * "self": "self", what most of the image looks like (after INP-Former), and its other side where the object is bilateral.
 */
export type Method = "memory" | "components" | "self";
/** "mvfa": eleven views of each normal image; "none": the image as it is. */
export type Augment = "mvfa" | "none";

/** Colours of a map, by the names of the engine. */
export type ColourMap = "inferno" | "viridis" | "cividis" | "grey";

/** One kind of image the model can be asked about. */
export interface ObjectInfo {
  id: string;
  /** Name for people. */
  name: string;
  /** The word put into the prompts. */
  prompt: string;
  kind: "segmentation" | "detection";
  /** Its two sides look alike: "self" is possible, and "few" compares left with right, too. */
  bilateral: boolean;
  /** Whether "zero" is possible for it. */
  zeroShot: boolean;
}

export interface DeviceInfo {
  tier: Tier;
  /** What the browser reports about the device. */
  name: string;
  /** Why this tier was taken, in plain words. */
  reason: string;
}

/** How the comparison with normal images makes map and score. */
export interface ScoringInfo {
  /** Blocks whose tokens are compared. */
  blocks: number[];
  /** Outer patches on the outer pixels, or each patch at its centre. */
  patches: "align_corners" | "patch_centres";
  /** Sigma in pixels of the model's input; 0: none. */
  smoothingPx: number;
  /** "max", "mean", or "top:0.01": the mean of the highest hundredth. */
  imageScore: { segmentation: string; detection: string };
  classRows: boolean;
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
  /** How normal images are used unless a call sets it. */
  augment: Augment;
  scoring: ScoringInfo;
  /** What normal images are remembered by: raw tokens, or features of the adapters. */
  memory: "raw" | "adapted";
  zeroShot: boolean;
  /** Why "zero" is not possible, or null. */
  zeroShotReason: string | null;
  /** The model maker's note about "zero", or null. */
  zeroShotNote: string | null;
  /** Bytes of the text part, which own words need ({@link Session.setPrompts}); null where they are not possible. */
  textBytes: number | null;
  /** "few" compares with words, too. */
  fewShotWords: boolean;
  objects: ObjectInfo[];
  device: DeviceInfo;
  weightBytes: number;
  /** Of more normal images than this, so many are compared with the others. */
  comparedAtMost: number;
  /** In the order to offer them. */
  colourMaps: ColourMap[];
  storage: StorageInfo;
}

/** Where the model's files are kept for the next visit. Pictures are never stored. */
export interface StorageInfo {
  /** "browser-cache": the browser has no private file system for this site; its own cache may hold the files or not. */
  place: "private-files" | "browser-cache";
  /** Bytes of this model that are kept. */
  storedBytes: number;
  /** Where keeping a file failed for lack of room: what of the model has no place, and what is free (null: the browser does not report it). */
  full: { neededBytes: number; freeBytes: number | null } | null;
}

/** Memory of the program in the worker. It grows when needed and never shrinks, so it is also the peak so far. */
export interface Memory {
  heapBytes: number;
  /** What it was with the program started and no model open. */
  idleBytes: number;
}

export interface LoadProgress {
  stage: "engine" | "model" | "self-test";
  /** In the stage `self-test` blocks of the model, as `totalBytes`. */
  loadedBytes: number;
  /** 0 while unknown. */
  totalBytes: number;
  /** The file being read was kept by an earlier visit. */
  fromStorage: boolean;
}

/** The compiled program, which goes from worker to worker. */
export interface Program {
  main: WebAssembly.Module;
  /** Null if the browser has no relaxed SIMD. */
  kernels: WebAssembly.Module | null;
}

/** A request that went to the network, or that the content security policy blocked. */
export interface NetworkRequest {
  method: string;
  /** Absolute, with its query. */
  url: string;
  /** Nothing was sent. */
  blocked: boolean;
  /** When it began, in ms since the epoch. */
  atMs: number;
}

export interface OpenOptions {
  /** Default "auto". */
  device?: "auto" | "cpu" | "gpu";
  onProgress?(progress: LoadProgress): void;
  /** Aborting ends the loading and the worker. */
  signal?: AbortSignal;
  /** Every request of the worker, and of those that wait for {@link Session.twin}, from its first on. */
  onRequests?(requests: NetworkRequest[]): void;
  /**
   * Starts the module worker of `worker.js`: where a bundler puts it elsewhere, or to start it under the page's own policy
   * ({@link startUnderPagePolicy}).
   */
  startWorker?(): Worker;
  /** Whether workers for {@link Session.twin} are made ready, as many as this machine can use; on the processor tier only. */
  twins?: boolean;
  /**
   * Whether a text part of up to 8 MB is fetched with the model, so that {@link Session.setPrompts} fetches no file of it
   * later. It is asked for before the session is open, after all other files, and not waited for. Default: false.
   */
  words?: boolean;
  /** What reads picture files, to share one among sessions; by default the session starts one of its own. */
  opener?: Opener | Promise<Opener>;
  /** Called once when the worker stops unexpectedly; open calls reject with the same DeviceError. */
  onLost?(error: Error): void;
}

/** Something to know about how a file was read, that is no error. */
export interface Note {
  /** A name for programs: "part", "transparent", "no-end" … */
  code: string;
  /** A clause for people, without a capital and a full stop. */
  text: string;
}

/** Grey values that became black and white. */
export interface ShownWindow {
  low: number;
  high: number;
  /** Pixels without a measured value (padding, "no data", no number) were left out of the window. */
  padded: boolean;
  /** "window -1000 … 1100, padding left out" */
  text: string;
}

/** The window of several images together. */
export interface SharedWindow extends ShownWindow {
  /** For `decode`, `addSupport` and `analyse`. */
  window: string;
}

/** How the grey values of an image are spread: rising percentiles, evenly spaced. */
export interface GreySpread {
  knots: Float64Array;
  padded: boolean;
}

/** A region of an image, in its pixels. */
export interface PixelBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A reason to distrust the score of an image, to be told beside it. */
export interface Warning {
  /**
   * "blank": no content; "sparse": next to none; "tiny", "shape": a few pixels, squeezed beyond recognition; "same": also one
   * of the normal images; "inverted": black and white exchanged; "unlike": as a whole unlike all normal images.
   */
  code: string;
  /** Whole sentences for people. */
  text: string;
  /** A few words for lists. */
  short: string;
  /** The score means nothing at all and should not be shown. */
  voids: boolean;
}

/** A decoded image: what is shown is what is analysed. */
export interface Decoded {
  width: number;
  height: number;
  /** Deeper than 8 bits, so that a window applies. */
  deep: boolean;
  /** Grey values deeper than 8 bits with their meaning (HU, say), row by row; null for others. */
  values: Float32Array<ArrayBuffer> | null;
  /** Low values are bright. */
  inverted: boolean;
  /** The file states that it is a synthetic phantom, no patient. */
  synthetic: boolean;
  /** What a person should know about how the file was read: "page 1 of 3 is analysed". */
  notes: Note[];
  /** The window it is shown and analysed through; null for 8 bits, and with "pil". */
  window: ShownWindow | null;
  /** Reasons to distrust any score of it, which the image alone shows; empty for most. */
  warnings: Warning[];
  /** RGBA, width × height. */
  pixels: Uint8ClampedArray<ArrayBuffer>;
  /** What the open model sees: RGB, `sizePx` × `sizePx`. Give it to `addSupport` and `analyse` of any session of the model. */
  input: Uint8Array<ArrayBuffer>;
  /** Equal for images of equal `input`, which a model cannot tell apart. */
  hash: string;
}

/** What `analyse` needs of a decoded image; width and height only where regions are left out. */
export type DecodedInput = Pick<Decoded, "input"> & Partial<Pick<Decoded, "width" | "height">>;

/** Labelled images in folders as BMAD or MVTec AD have them; images are numbers among the paths given. */
export interface DataSet {
  folder: string;
  /** What is taken for what, a clause each. */
  lines: string[];
  /** What is odd about it. */
  warnings: string[];
  /** Why nothing can be measured on it. */
  errors: string[];
  /** Normal images to compare with. */
  normals: number[];
  /** Images to look at. */
  tests: number[];
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
  /** Default: as the model does. */
  method?: Method;
  augment?: Augment;
  /** Most rows a level in the memory of all normal images together; default: all. Faster, at little loss. */
  bankRows?: number;
  /** Whether "few" compares left with right, too, at half weight; default: if the object is bilateral. */
  bilateral?: boolean;
  /** Where left and right are divided: "middle" (default), or "found": where the image looks most like its mirror image. */
  axis?: "middle" | "found";
  /** Ids of the normal images to compare with, those nearest in a volume for example; default: all. */
  among?: number[];
  /**
   * "auto" (default), "pil", "CENTER,WIDTH" or "LOW..HIGH"; for images deeper than 8 bits. "auto" is the window of the
   * normal images that were added as files with "auto" too; without them the image's own.
   */
  window?: string;
  /**
   * Regions that count for nothing: they are left out of scores and maps, of this image and of the scale of normal images,
   * with every patch that they touch. The memory of the normal images stays whole.
   */
  leaveOut?: PixelBox[];
  signal?: AbortSignal;
  onProgress?(progress: AnalyseProgress): void;
}

export interface Result {
  score: number;
  /** The person's own words that it was compared with; null: none, or the model's. */
  words: Prompts | null;
  /**
   * The score on the model's scale: 0 and 1 are the ends of the range it was calibrated on, images beyond that lie beyond
   * them. With two or more normal images and no constants these give the range; null where there is neither.
   */
  calibrated: number | null;
  scoreZero: number | null;
  scoreMemory: number | null;
  /** The window of an image that came as a file; null for 8 bits, and with "pil". */
  window: ShownWindow | null;
  /** size × size, as the reference code computes it; NaN where regions are left out. */
  map: Float32Array;
  /** size × size, each patch at its true place: the one to show. Its lowest value where regions are left out. */
  overlay: Float32Array;
  size: number;
  /** Per level, side × side patch values. */
  levels: Float32Array[];
  mapMin: number;
  mapMax: number;
  object: string;
  mode: Mode;
  device: string;
  /**
   * Scores of the normal images, each compared with all others, on the scale of `score`: of at most
   * {@link SessionInfo.comparedAtMost}, spread over all of them; null with fewer than two.
   */
  supportScores: number[] | null;
  /** Whose scores these are: places among the normal images in the order they were added, from 0. */
  supportPlaces: number[] | null;
  /** Places of normal images that are unlike all the others; none with fewer than four. */
  supportUnlike: number[];
  /** Places of normal images that are another one once more, pixel for pixel, and do not count. */
  supportTwins: number[];
  /** The highest place of the maps that `supportScores` are made of; null with fewer than two, and for "detection". */
  normalTop: number | null;
  /** Reasons to distrust the score. For an image given as `input` those of `decode` come first and are not repeated. */
  warnings: Warning[];
  /** `referencesMs`: the normal images, if they were not encoded yet. */
  timings: { decodeMs: number; referencesMs: number; preprocessMs: number; encodeMs: number; scoreMs: number; totalMs: number };
}

export interface RenderOptions {
  /** Values at the two ends of the colour map. */
  lo: number;
  hi: number;
  /** Values below are transparent. */
  threshold: number;
  colourMap: ColourMap;
}

export interface Rendered {
  /** side × side RGBA, transparent below the threshold. */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Outlines at the threshold: x, y, x, y … in map pixels. */
  contours: Float32Array[];
  /** 256 × 1 RGBA, lo on the left. */
  bar: Uint8ClampedArray<ArrayBuffer>;
}

export interface OpenerOptions {
  /**
   * Starts the module worker of `formats-worker.js`: where a bundler puts it elsewhere, or to start it under the page's own
   * policy ({@link startUnderPagePolicy}).
   */
  startWorker?(): Worker;
  /** Every request of the workers, from their first on. */
  onRequests?(requests: NetworkRequest[]): void;
  /** Aborting ends the start. */
  signal?: AbortSignal;
  /** Workers that wait for when one ends, so that nothing is fetched then; default 2. With {@link holdWorker} none is needed. */
  spares?: number;
  /** The longest that one step of reading a file may take; default 120000. */
  timeoutMs?: number;
}

/** Planes of a volume; a series of frames has axial ones alone, whatever its plane. */
export type SliceAxis = "axial" | "coronal" | "sagittal";

/** Slices of a series along one direction. */
export interface SeriesAxis {
  /** In one volume. */
  frames: number;
  width: number;
  height: number;
  /** Distance of rows and of columns. */
  spacingMm: [row: number, column: number] | null;
  /**
   * Place of each slice of one volume along the slices' normal; the same for every volume. In a volume file axial slices are
   * counted to the head, coronal ones to the back, sagittal ones to the patient's right. Null where the file does not say where
   * the patient lies.
   */
  positionsMm: number[] | null;
}

/** A way to show the values that a file proposes. */
export interface FileWindow {
  /** What the file calls it. */
  name: string | null;
  /** DICOM's functions (PS3.3, C.11.2.1.2 and .3): "linear" is half a unit lower and one narrower than it says. */
  curve: "linear" | "exact" | "sigmoid" | "table";
  /** Of a table: the middle and the number of its inputs. */
  center: number;
  width: number;
  /** Of a table: the input that takes the first entry, outputs, and the output that is white. */
  first?: number;
  entries?: Uint16Array;
  top?: number;
}

/** Ordered frames of one kind. Nothing in it comes from the patient's data; names and paths are those of the files. */
export interface SeriesInfo {
  id: number;
  /** The file's name, or that of the folder of its files. */
  name: string;
  /** Of its first file. */
  path: string;
  /** "PNG", "DICOM", "NIfTI" … */
  format: string;
  /** A plain picture, or the pages of a TIFF. */
  isPicture: boolean;
  /** Frames of one volume. */
  frames: number;
  width: number;
  height: number;
  /** Time points, echoes, directions. */
  volumes: number;
  /** `axial` are the frames as they are; the others only where the file is a volume. */
  axes: { axial: SeriesAxis; coronal?: SeriesAxis; sagittal?: SeriesAxis };
  /**
   * Place of each frame along the normal, volume by volume as `files`: that of slice `i` of volume `v` is number
   * `v * frames + i`. For one volume, and for the other axes, see {@link SeriesAxis}.
   */
  positionsMm: number[] | null;
  /** Distance of rows and of columns. */
  spacingMm: [row: number, column: number] | null;
  /** That distance is the one at the detector (a film): distances in the body are shorter. A note says so, too. */
  isDetectorSpacing: boolean;
  /** Distance of neighbouring frames, where it is the same everywhere. */
  sliceSpacingMm: number | null;
  /** "axial", "coronal", "sagittal", or null. */
  plane: string | null;
  /** As DICOM abbreviates it: "CT", "MR". */
  modality: string | null;
  bodyPart: string | null;
  /** Of the values: "HU". */
  units: string | null;
  /** Windows that the file proposes. */
  windows: FileWindow[];
  /** What a reader should know: gaps, things left out, a spacing that is not given, an object that is no image. */
  notes: string[];
  /** Where each frame comes from, volume by volume. */
  files: { path: string; frame: number }[];
}

export interface OpenedFiles {
  series: SeriesInfo[];
  /** Files that cannot be read, each with the reason. */
  refused: { name: string; path: string; message: string }[];
  /** What was passed over. */
  notes: string[];
  /** Paths of files without a picture beside others that have one: structured reports, directories. */
  passed: string[];
}

/** What {@link Opener.write} makes. */
export interface WriteRequest {
  /**
   * Of one map: `npy`, `png16`. Of slices: `map` and `labels` (NIfTI, packed with gzip, in the source's space), `segmentation`
   * (DICOM), `capture` (slices with their overlays as DICOM Secondary Capture), `captureHead` (that file up to its pixels, so
   * that many slices need not be in memory at once: RGB of each slice follows, and a zero byte if all of them are of an odd
   * number of bytes).
   */
  kind: "npy" | "png16" | "map" | "labels" | "segmentation" | "capture" | "captureHead";
  /** Numbers of axial slices from 0; of the second volume they go on after those of the first. */
  slices?: number[];
  /** Maps one after the other, side × side each; for `capture` RGBA of the slices' size; nothing for `captureHead`. */
  values: Float32Array | Uint8Array;
  side?: number;
  /** What lies at it or above is marked. */
  threshold?: number;
  /** Name of the model, for the file's description. */
  model?: string;
}

/**
 * Opens picture files: PNG, JPEG, WebP, BMP, TIFF, DICOM, NIfTI, NRRD and MetaImage. It runs in a worker of its own: a file
 * that ends it costs that file only.
 */
export class Opener {
  private constructor(options: OpenerOptions);
  static start(options?: OpenerOptions): Promise<Opener>;
  /** Files that belong together become one series; headers and their pixel files are found by name. */
  open(files: (File | Blob | { blob: Blob; path: string })[], options?: { signal?: AbortSignal; onProgress?(done: number, total: number): void }): Promise<OpenedFiles>;
  /** A frame as a raw picture: a Blob that `decode`, `analyse` and every other call takes in the place of a file. */
  frame(seriesId: number, index: number, options?: { axis?: SliceAxis; volume?: number; signal?: AbortSignal }): Promise<Blob>;
  /** One file as one raw picture: of a volume the middle slice, of several frames the first. */
  picture(blob: Blob, options?: { signal?: AbortSignal }): Promise<Blob>;
  /** A file about a series, or with null about one map. No name, number or date of a patient gets into it. */
  write(seriesId: number | null, request: WriteRequest, options?: { signal?: AbortSignal }): Promise<Uint8Array<ArrayBuffer>>;
  /** Forgets a series and its files. */
  release(seriesId: number): Promise<void>;
  close(): void;
}

/** What is kept of a normal image's pixels beside its rows. */
export interface SupportFacts {
  /** Hexadecimal digits; equal for images that the model cannot tell apart. */
  pixels: string;
  /** Mean grey values of 16 × 16 cells, mean 0 and length 1. */
  brightness: Float32Array;
}

/** What images are compared with in words. In a line `{}` stands for the organ; a line without it stands alone. */
export interface Prompts {
  /** What the image shows: "Brain". */
  organ: string;
  /** States of a healthy organ: "flawless {}". Each is put into the paper's 35 sentences. */
  normal: string[];
  abnormal: string[];
  /**
   * Normal anatomy that must not count as abnormal: what a patch resembles one of these lines more than the normal ones is taken
   * off its likeness to the abnormal ones. None as in the paper.
   */
  contrast?: string[];
}

/** Something to know about a line of words. */
export interface PromptProblem {
  place: "organ" | "normal" | "abnormal" | "contrast";
  /** As it was given. */
  line: string;
  /** "tooLong": more tokens than the text part reads; "places": two places for the organ; "unknown": a word it has not learned. */
  kind: "tooLong" | "places" | "unknown";
  /** The word, or the sentence. */
  what: string;
  /** Tokens found, and how many are possible where that is what is wrong. */
  tokens: number;
  limit: number | null;
  /** Nothing is applied until it is changed. */
  stops: boolean;
  /** A sentence for people. */
  text: string;
}

/** What a model's text part makes of words. */
export interface TextFeatures {
  /** dim × columns, row by row; columns: normal, abnormal, each contrast line. */
  features: Float32Array;
  columns: number;
  dim: number;
  /** Lines × dim: of each line the mean of its sentences. */
  lines: Float32Array;
}

export interface EncodedWords {
  /** Without space around the lines, and without empty ones. */
  prompts: Prompts;
  problems: PromptProblem[];
  /** Null where a problem stops it. */
  words: TextFeatures | null;
  ms: number;
}

export interface WordOptions {
  /** What encodes words, to share one; by default the session starts one of its own, whose module is fetched then. */
  lab?: Lab | Promise<Lab>;
}

export interface EncodeOptions extends WordOptions {
  signal?: AbortSignal;
  onProgress?(progress: { done: number; total: number }): void;
}

export interface TableOptions extends WordOptions {
  /** Numbers of patches, row by row; default: {@link strongestPatches}. */
  patches?: number[];
  signal?: AbortSignal;
  onProgress?(progress: AnalyseProgress): void;
}

/** How {@link Session.setPrompts} ended. */
export interface SetPrompts {
  /** False where a problem stops it; the words before stay in force. */
  applied: boolean;
  /** As they are in force; null: the model's own. */
  prompts: Prompts | null;
  problems: PromptProblem[];
  ms: number;
}

/** How much a line of words resembles a place: mean cosines over its patches and all levels. */
export interface WordRow {
  list: "normal" | "abnormal" | "contrast";
  /** As it was given, and with the organ in it. */
  line: string;
  words: string;
  here: number;
  /** In the rest of the image; NaN where there is none. */
  elsewhere: number;
}

/** One model in one worker. Errors have the names AbortError, ImageError, ModelError, DeviceError, UsageError. */
export class Session {
  private constructor(options: OpenOptions);
  static open(manifestUrl: string | URL, options?: OpenOptions): Promise<Session>;
  readonly info: SessionInfo;
  /** Of the model's manifest. */
  readonly manifestText: string;
  /** Requests made by the worker since the model was ready. */
  readonly requests: number;
  /** Closed or lost. */
  readonly ended: boolean;
  decode(blob: Blob, options?: { window?: string }): Promise<Decoded>;
  /** The data sets among files, by their paths with `/` between folders. */
  dataSets(paths: string[]): Promise<DataSet[]>;
  /** A file, or what `decode` made of it, which is not decoded again. */
  addSupport(picture: Blob | Pick<Decoded, "input">, options?: { label?: "normal" | "abnormal"; name?: string; window?: string }): Promise<number>;
  /**
   * A normal image that is not here, from what {@link Session.supportFacts} answered for it in a session of the same model.
   * Give its rows by `giveView`, kept from `viewRows` there.
   */
  addRemembered(facts: SupportFacts): Promise<number>;
  /** What describes a normal image beside its rows. */
  supportFacts(id: number): Promise<SupportFacts | undefined>;
  removeSupport(id: number): Promise<void>;
  clearSupport(): Promise<void>;
  /** A file, or what `decode` made of it, which is not decoded again. */
  analyse(picture: Blob | DecodedInput, options: AnalyseOptions): Promise<Result>;
  /** Views of the normal images that the next few-shot analysis would encode first. */
  lackingViews(options?: Pick<AnalyseOptions, "augment">): Promise<{ id: number; view: number }[]>;
  /** The encoded rows of a view, for other sessions of the same model; encoded now if missing. */
  viewRows(view: { id: number; view: number }, options?: Pick<AnalyseOptions, "augment" | "signal" | "onProgress">): Promise<Float32Array[]>;
  /** Takes the rows of a view from another session of the same model. */
  giveView(view: { id: number; view: number }, rows: Float32Array[], options?: Pick<AnalyseOptions, "augment">): Promise<void>;
  /** The tower's raw block tokens of planes 3 × side × side in 0..1: tokens × width values a level, class token first. */
  tokens(planes: Float32Array, options?: Pick<AnalyseOptions, "signal" | "onProgress">): Promise<Float32Array[]>;
  /** The words that an object is compared with: a person's own, else the paper's. */
  promptsOf(object: string, options?: WordOptions): Promise<Prompts>;
  /**
   * Puts words in the place of an object's, from the next call on; null brings the model's own back. An image that was just
   * compared with words is not encoded again. A list without a line is a UsageError.
   */
  setPrompts(object: string, prompts: Prompts | null, options?: EncodeOptions): Promise<SetPrompts>;
  /** What words come to, for `useWords` of this session and of others of the same model. */
  encodePrompts(prompts: Prompts, options?: EncodeOptions): Promise<EncodedWords>;
  /** Compares an object with encoded words, from the next call on; null brings the model's own back. */
  useWords(object: string, encoded: EncodedWords | null): Promise<void>;
  /** Which words a place of the map resembles, the most alike first. The image that was just analysed is not encoded again. */
  wordTable(picture: Blob | DecodedInput, result: Result, options?: TableOptions): Promise<WordRow[]>;
  /** How the grey values of a normal image are spread, padding left out; null where no window applies. */
  greySpread(blob: Blob): Promise<GreySpread | null>;
  /** The window that images have together, to look at all of them through one; null without any. */
  sharedWindow(spreads: GreySpread[]): Promise<SharedWindow | null>;
  render(map: Float32Array, side: number, options: RenderOptions): Promise<Rendered>;
  memory(): Promise<Memory>;
  /**
   * The same model in another worker, to share images with; normal images are not copied. If this session was
   * opened with `twins` and model files are kept, nothing is fetched.
   */
  twin(options?: Pick<OpenOptions, "onRequests">): Promise<Session>;
  close(): void;
}

/** Starts the worker under the content security policy of the page, whatever the server sends with `worker.js`. */
export function startUnderPagePolicy(url: string | URL): Worker;

/**
 * Fetches a worker's script; what comes back starts workers of it as {@link startUnderPagePolicy} does. If its modules were
 * joined into that one file, as in a built site, nothing of it is fetched again. `Session.twin()` needs no `twins` then.
 */
export function holdWorker(url: string | URL): Promise<() => Worker>;
/** Reports every request of this window or worker: those that went out, and those the policy blocked. */
export function watchRequests(report: (requests: NetworkRequest[]) => void): void;

/** The patches of a map, row by row, with the levels together. */
export function patchValues(result: Pick<Result, "levels">): number[];
/** The patches of the strongest place of a map. */
export function strongestPatches(result: Pick<Result, "levels">): number[];

/** Bytes of all model files kept for this site. */
export function storedModelBytes(): Promise<number>;
/** Deletes all model files kept for this site. Open sessions go on working. */
export function deleteStoredModels(): Promise<void>;

export interface PoolOptions extends OpenOptions {
  /** Default: what the machine's cores and memory allow, at most 4, and one for each four images. */
  workers?: number;
}

export interface AnalyseAllOptions extends Omit<AnalyseOptions, "onProgress"> {
  /** Called for each image as soon as it is done; images may overtake each other. */
  onResult?(index: number, result: Result | Error): void;
}

/** One model in several workers on the CPU tier, each with its own copy of the weights; one worker on a graphics device. */
export class Pool {
  private constructor();
  static open(manifestUrl: string | URL, options?: PoolOptions): Promise<Pool>;
  readonly info: SessionInfo;
  /** Workers there are, or will be once there are images enough. */
  readonly workers: number;
  addSupport(blob: Blob, options?: { window?: string }): Promise<number>;
  removeSupport(id: number): Promise<void>;
  clearSupport(): Promise<void>;
  /** As {@link Session.promptsOf}. */
  promptsOf(object: string, options?: WordOptions): Promise<Prompts>;
  /** As {@link Session.setPrompts}, for all workers. */
  setPrompts(object: string, prompts: Prompts | null, options?: EncodeOptions): Promise<SetPrompts>;
  /** Results in the order of `blobs`; an ImageError in the place of an image that cannot be read. */
  analyseAll(blobs: Blob[], options: AnalyseAllOptions): Promise<(Result | Error)[]>;
  close(): void;
}

/** A model of the person's own, in the browser's private files. */
export interface OwnModel {
  id: string;
  /** For {@link Session.open}. */
  url: string;
  name: string;
  /** What it takes of the browser's storage, beside what it shares. */
  storedBytes: number;
  /** Of its files those that lie with another model, whose tower it has. */
  sharedBytes: number;
  /** False for a conversion that was stopped; {@link Lab.convert} goes on with it. */
  isWhole: boolean;
  /** Of an unfinished one, of how many; counted as 32-bit floats. */
  doneBytes: number;
  totalBytes: number;
  /** Side of the model's input. */
  sizePx: number;
  revision: string;
  /** Whether it compares with words. */
  zeroShot: boolean;
  /** Whether it has MVFA's adapters. */
  adapters: boolean;
  /** Names of what it can be asked about. */
  objects: string[];
  /** Element type of its matrices: "f16", "i8" or "f32". */
  dtype: string;
}

/** What files are, before they are converted. */
export interface Found {
  /** "adapters": MVFA's adapters without a checkpoint, for {@link Lab.change}. */
  kind: "checkpoint" | "bundle" | "adapters";
  /** Name of the model, unless another is given. */
  name: string;
  /** What is taken of a checkpoint, in the sentences of `mvfa convert`. */
  taken: string[];
  leftOut: string[];
  zeroShot: boolean;
  objects: { id: string; name: string }[];
  sizePx: number;
  /** Of a checkpoint: the file that is read, and that of the adapters. */
  checkpoint?: string;
  adapters?: string | null;
  /** Of a checkpoint: bytes of the model for each element type. */
  bytes?: { f16: number; i8: number; f32: number };
  /** Of a checkpoint: how much (0..1) an earlier conversion to an element type has finished. */
  begun?: Partial<Record<"f16" | "i8" | "f32", number>>;
  /** Of a finished model. */
  totalBytes?: number;
  /** Of adapters: the own models that they can be added to. */
  models?: { id: string; name: string; objects: { id: string; name: string }[] }[];
}

/** Choices of a conversion, as `mvfa convert` has them. */
export interface ConvertOptions {
  /** Default "f16". */
  dtype?: "f16" | "i8" | "f32";
  /** Side of the input in pixels, default 240. */
  size?: number;
  levels?: number[];
  heads?: number;
  prefix?: string;
  /** Ids of MVFA's objects; all six by default. */
  objects?: string[];
  /** Objects of one's own: "ID=PROMPT WORD:KIND". */
  object?: string[];
  name?: string;
  licence?: string;
  augment?: Augment;
  quickGelu?: boolean;
  onProgress?(progress: ConvertProgress): void;
  /** Finished files are kept when it is aborted. */
  signal?: AbortSignal;
}

/** What is different in a model made of another one. */
export interface ChangeOptions {
  /** Ids of the model's objects, or of MVFA's; those of the model by default. */
  objects?: string[];
  /** The model's by default. */
  name?: string;
  onProgress?(progress: ConvertProgress): void;
  /** Finished files are kept when it is aborted. */
  signal?: AbortSignal;
}

export interface ConvertProgress {
  /** "tensors" counts bytes (as 32-bit floats), "words" steps of one object, "self-test" files; "files" and "archive" count bytes. */
  stage: "tensors" | "words" | "self-test" | "files" | "archive";
  done: number;
  total: number;
  /** The tensor, the prompt word, or the file. */
  what: string;
  /** Files that are finished and kept. */
  files?: number;
}

export interface LabOptions {
  onRequests?(requests: NetworkRequest[]): void;
  /** Starts the module worker of `lab-worker.js`, as for {@link OpenOptions.startWorker}. */
  startWorker?(): Worker;
  /** A worker that waits for when one ends, so that nothing is fetched then; default 1. With {@link holdWorker} none is needed. */
  spares?: 0 | 1;
}

/** What is chosen: checkpoint, its parts with their index, adapters; or the files of a model, or its archive. */
export type ModelInput = File | Blob | { blob: Blob; path: string };

/** Makes models in a worker of its own. */
export class Lab {
  static start(options?: LabOptions): Promise<Lab>;
  inspect(files: ModelInput[], options?: Partial<ConvertOptions>): Promise<Found>;
  convert(files: ModelInput[], options?: ConvertOptions): Promise<OwnModel>;
  /** Another model with the tower of this one, and the adapters of the files; without files it has none. The towers' files are shared. */
  change(id: string, files: ModelInput[], options?: ChangeOptions): Promise<OwnModel>;
  /** One archive without compression. */
  export(id: string, options?: { signal?: AbortSignal; onProgress?(progress: ConvertProgress): void }): Promise<Blob>;
  /** The paper's words for an object of a model, by the text of its manifest. */
  paperWords(manifest: string, object: string): Promise<Prompts>;
  /** Text features of words, by the files of a model's text part; lines that were encoded before are not encoded again. */
  words(manifest: string, files: { name: string; blob: Blob }[], prompts: Prompts, options?: Omit<EncodeOptions, "lab">): Promise<EncodedWords>;
  memory(): Promise<Memory>;
  close(): void;
}

/** As {@link Lab.inspect}, with a lab of its own. */
export function inspect(files: ModelInput[], options?: Partial<ConvertOptions>): Promise<Found>;
/** As {@link Lab.convert}, with a lab of its own. */
export function convert(files: ModelInput[], options?: ConvertOptions): Promise<OwnModel>;
/** Own models, and conversions that were stopped, by name. */
export function ownModels(): Promise<OwnModel[]>;
/** The card, as Markdown. */
export function ownModelCard(id: string): Promise<string>;
export function renameOwnModel(id: string, name: string): Promise<void>;
export function deleteOwnModel(id: string): Promise<void>;
export function deleteOwnModels(): Promise<void>;
