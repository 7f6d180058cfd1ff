import type { ColourMap, FileWindow, GreySpread, NetworkRequest, Note, PixelBox, Prompts, Result, SeriesInfo, Session, SessionInfo, SharedWindow, ShownWindow, SliceAxis, SupportFacts, Warning } from "../../pkg/index.d.ts";

/** A picture the person opened. */
export interface ImageItem {
  id: number;
  /** Its number in the strip; slices of a stack share one. */
  number: number;
  /** What the package takes: the file, or a slice of a series. */
  content: () => Promise<Blob>;
  /** The file's name: shown, never stored or sent. */
  name: string;
  /** The name with the folders it was opened from, as in "patient A/series 1/IM00001.png"; the name alone without folders. */
  path: string;
  /** "Image 3": its number in the strip, and what reports say unless names are wanted. */
  label: string;
  status: "reading" | "ready" | "waiting" | "working" | "done" | "error";
  width: number;
  height: number;
  deep: boolean;
  /** The file says that it is a phantom, no patient. */
  synthetic: boolean;
  /** What is to be known about how the file was read. */
  notes: Note[];
  thumb: HTMLCanvasElement | null;
  /** Full-size pixels; dropped for pictures not looked at lately. */
  bitmap: ImageBitmap | null;
  /** What the model sees; kept where the bitmap is dropped. */
  input: Uint8Array<ArrayBuffer> | null;
  /** Window the pixels were made with, as it was asked for, and what it came to; null for 8 bits. */
  shown: ShownWindow | null;
  /** Grey values with a meaning, row by row, in `units`; absent or null where only pixels are known. */
  values?: Float32Array | null;
  /** "HU", or null where the file names none. */
  units?: string | null;
  /** Windows that the file proposes. */
  windows?: FileWindow[];
  /** Low values are bright. */
  inverted?: boolean;
  /** Between the middles of rows, and of columns. */
  spacingMm?: [number, number] | null;
  /** Images of the same stack are looked at in the same way: zoom, turn, window. */
  stack?: string;
  /** Which slice of its stack it is. */
  slice?: { axis: SliceAxis; volume: number; index: number };
  /** The window that the slices of a stack share where its files propose none. */
  stackWindow?: string | null;
  /** The series it comes from; null for plain pictures. */
  series?: Series | null;
  /** What made it, as DICOM abbreviates it; null where that is not known. */
  modality?: string | null;
  decodedWindow: string | null;
  message: string;
  /** It came with a workspace that has its result and not the image. */
  absent?: boolean;
  /** Reasons to distrust whatever comes of the image, which its pixels alone show. */
  warnings: Warning[];
  result: Result | null;
  /** Settings the result belongs to, see results.js. */
  resultKey: string;
  /** Regions that the result leaves out. */
  leftOut: PixelBox[];
  /** Ids of the normal images that the result was compared with, in the order of the session that made it. */
  normals: number[];
  /** What of it has been in view: its result, or the picture alone; null: nothing yet. */
  seen?: Result | "picture" | null;
  /** It came with a sample and is not the person's own. */
  sample: boolean;
  /** What a sample wants said beside its result. */
  note: string;
  /** Settings of the result that the note is about. */
  noteKey: string;
}

/** A normal picture to compare with. */
export interface SupportItem {
  id: number;
  content: () => Promise<Blob>;
  name: string;
  /** The series it is a slice of, and which one. */
  series?: Series;
  slice?: { axis: SliceAxis; volume: number; index: number };
  /** It came with a sample and is not the person's own. */
  sample: boolean;
  deep: boolean;
  thumb: HTMLCanvasElement | null;
  /** What the model made of it, where it came with a workspace without the picture. */
  remembered?: Remembered;
  /** What the model sees. */
  input: Uint8Array<ArrayBuffer> | null;
  /** How deep grey values are spread; null for 8 bits. */
  spread: GreySpread | null;
  /** Equal for images that the model cannot tell apart. */
  hash: string;
  /** What its pixels alone show. */
  warnings: Warning[];
  /** How its file was read. */
  notes: Note[];
  /** Where the engine knows it, and under which id and window. */
  session: Session | null;
  engineId: number;
  window: string;
}

/** A normal image as the model remembers it: rows of each view, level by level. */
export interface Remembered {
  augment: "mvfa" | "none";
  facts: SupportFacts;
  views: Float32Array[][];
  /** Of a deep image: the window that it was seen through, and what that was where the normal images had it together. */
  window?: string | null;
  shared?: SharedWindow | null;
}

export interface Settings {
  object: string;
  mode: "zero" | "few" | "self" | "batch";
  /** How patches are matched with those of the normal images. */
  matching: "memory" | "components";
  /** What an image is compared with in itself: its other side, or what most of it looks like, too. */
  own: "sides" | "self";
  augment: "mvfa" | "none";
  /** Most rows a level kept of all normal images together; null: all. */
  bankRows: number | null;
  /** Left is compared with right, too; null: if the object's sides look alike. */
  bilateral: boolean | null;
  /** The line between left and right is looked for. */
  axis: "middle" | "found";
  /** So many slices of normal volumes are searched, those nearest to the image's place; null: all. */
  nearest: number | null;
  /** "auto" or "CENTER,WIDTH". */
  window: string;
  /** Words of the person's own, by object; those of the others are the model's. */
  words: Record<string, Prompts>;
  /** null: the top of the normal images, if present, else none. */
  threshold: number | null;
  /** 0..1 */
  opacity: number;
  /** One of the model's `colourMaps` once it is loaded. */
  colourMap: ColourMap;
  sharedScale: boolean;
  contour: boolean;
  swipe: boolean;
  /** Share of the picture's width left of the handle, 0..1. */
  swipeAt: number;
  /** Letters and signs alone are shortcuts. */
  singleKeys: boolean;
  /** Pixels are blended where the picture is enlarged. */
  smooth: boolean;
  /** Where the model shall run in this visit. */
  device: "auto" | "gpu" | "cpu";
  /** What the person chose in the dialog, for later visits. */
  rememberedDevice: "auto" | "gpu" | "cpu";
  /** Address of the person's own model to use, or "site:ID" for one of this site; "": this site's first choice. */
  model: string;
}

/** A model that lies on this site. */
export interface SiteModel {
  id: string;
  title: string;
  /** Of its manifest, whole. */
  address: string;
}

/** A case that one click runs. Addresses are whole. */
export interface Sample {
  id: string;
  title: string;
  text: string;
  note: string;
  credit: string;
  licence: string;
  /** null: few with normal images, else as the page is set. */
  mode: "zero" | "few" | "self" | null;
  /** The first that the model has. */
  objects: string[];
  pictures: string[];
  references: string[];
}

/** What site.json says, checked; "" and empty lists where it says nothing. */
export interface Site {
  title: string;
  intro: { title: string; text: string };
  language: string;
  /** Address of the page's texts in that language. */
  texts: string;
  models: SiteModel[];
  /** Id of the one that a first visit opens. */
  model: string;
  /** Ids of the objects to choose from; empty: all. */
  objects: string[];
  samples: Sample[];
  defaults: Partial<Settings>;
  links: { title: string; address: string }[];
}

export interface Load {
  phase: "loading" | "ready" | "failed" | "stopped";
  stage: string;
  loadedBytes: number;
  totalBytes: number;
  fromStorage: boolean;
}

export interface Run {
  ids: number[];
  index: number;
  stage: string;
  done: number;
  total: number;
  controller: AbortController;
}

/** How the last run over several images ended. */
export interface Batch {
  /** Without those that could not be read. */
  asked: number;
  analysed: number;
  /** Of the analysed ones, made before the settings were changed. */
  older: number;
  /** Could not be read. */
  lost: number;
  ms: number;
}

export interface Message {
  id: number;
  kind: "error" | "notice";
  text: string;
  action: { label: string; run: () => void } | null;
  /** A newer message of the same matter takes the place of the older one. */
  matter: string;
  /** Names that are shown on request. */
  names?: string[];
  /** It offers to take something back, so it stays when other messages are settled. */
  lasting: boolean;
}

/** What dragging on the picture does. */
export type Tool = "pan" | "window" | "ruler" | "area" | "region";

/** A distance or an ellipse, in pixels of its picture. */
export interface Measure {
  id: number;
  /** Id of the picture. */
  image: number;
  kind: "ruler" | "area";
  /** Ends of the line, or opposite corners around the ellipse. */
  from: { x: number; y: number };
  to: { x: number; y: number };
}

/** A region left out of the scores of all images of its size. */
export interface Region extends PixelBox {
  id: number;
  /** "WIDTHxHEIGHT" of those images. */
  of: string;
}

/** A series, of which a workspace keeps all but the files. */
export interface Series extends SeriesInfo {
  /** It came with a workspace. */
  isKept?: boolean;
}

/** A series of several slices, of which one is in view. */
export interface Stack {
  id: string;
  number: number;
  label: string;
  /** One that came with a workspace has the slices in `items` and no others. */
  series: Series;
  axis: SliceAxis;
  /** From 0. */
  volume: number;
  window: string | null;
  /** The slices that are images now. */
  items: Map<string, ImageItem>;
  /** The slice in view, and the one to come into view, from 0. */
  index: number;
  wanted: number;
  isMoving: boolean;
  /** It was taken out. */
  isGone: boolean;
}

/** Files that are being opened, or slices that are being saved. */
export interface Opening {
  done: number;
  total: number;
  controller: AbortController;
}

export interface State {
  site: Site;
  load: Load;
  session: Session | null;
  info: SessionInfo | null;
  images: ImageItem[];
  stacks: Stack[];
  opening: Opening | null;
  saving: Opening | null;
  currentId: number | null;
  /** A sample was chosen, maybe before the model is there. */
  isAwaited: boolean;
  support: SupportItem[];
  /** The window of the normal images, which all images are seen through where none is chosen. */
  shared: SharedWindow | null;
  regions: Region[];
  settings: Settings;
  /** The object is the person's choice, or a sample's. */
  objectChosen: boolean;
  run: Run | null;
  /** Null once images were added or taken out since. */
  batch: Batch | null;
  messages: Message[];
  /** Since the model was first ready. */
  requests: NetworkRequest[];
  /** The overlay is hidden while Space is held. */
  peek: boolean;
  /** The overlay is hidden until it is asked for again. */
  bare: boolean;
  tool: Tool;
  measures: Measure[];
  /** The picture without the overlay beside the one with it. */
  sideBySide: boolean;
  /** Which map is shown: an id of layers.js. */
  layer: string;
  /** Thresholds that were set for maps other than the result's own. */
  layerThresholds: Record<string, number>;
}
