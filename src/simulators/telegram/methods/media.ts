// Pictures and documents of a call: from an upload, attach://name, or a file_id; and getFile. Bytes are kept as they
// came: the real server makes pictures smaller and recompresses them, this one only lists the sizes.
import type { DocumentFile, Message, PhotoSize } from "../api.ts";
import type { FileShelf, ShelfFile } from "../file-shelf.ts";
import { readImageHeader } from "../image-size.ts";
import type { UploadedFile } from "../multipart.ts";
import { isRecord, Parameters } from "../parameters.ts";
import { badRequest, tooLarge } from "../refusal.ts";
import type { Call, Method } from "./call.ts";
import { captionLooks, readCaption } from "./text.ts";

const PHOTO_BYTES_MAX = 10 * 1024 * 1024;
const DOCUMENT_BYTES_MAX = 50 * 1024 * 1024;
const DOWNLOAD_BYTES_MAX = 20 * 1024 * 1024;
/** Width plus height of a photo, and how many times longer one side may be. */
const PHOTO_SIDES_MAX = 10_000;
const PHOTO_RATIO_MAX = 20;

/** The longer sides Telegram makes of a photo, beside what it keeps as the largest. */
const THUMBNAIL_SIDES = [90, 320, 800, 1_280];

/** Is the part of a message that is its picture or document. */
export type MediaContent = Pick<Message, "photo" | "document">;

/** Is one entry of an album or of editMessageMedia, checked; `store` keeps the file. */
export type MediaItem = {
  kind: "photo" | "document";
  store: () => MediaContent;
  caption: Pick<Message, "show_caption_above_media" | "has_media_spoiler"> & ReturnType<typeof readCaption>;
};

/** Returns the photo of a call's field, stored; throws the refusal for a missing or bad one. */
export function storePhoto(call: Call, field: string): MediaContent {
  const source = readSource(call, field, call.parameters.text(field));
  if (source === undefined) throw badRequest("there is no photo in the request");
  return photoOf(call.world.files, source);
}

/** Returns the document of a call's field, stored. */
export function storeDocument(call: Call, field: string): MediaContent {
  const source = readSource(call, field, call.parameters.text(field));
  if (source === undefined) throw badRequest("there is no document in the request");
  return documentOf(call, source);
}

/** Returns one InputMedia, its caption read. */
export function readMediaItem(call: Call, item: unknown, tooLong = "message caption is too long"): MediaItem {
  if (!isRecord(item)) throw badRequest("can't parse InputMedia: expected an Object");
  const type = item["type"];
  if (type !== "photo" && type !== "document") throw badRequest(`can't parse InputMedia: type must be specified`);
  const own = new Parameters(new Map(Object.entries(item)));
  const media = own.text("media");
  if (media === "") throw badRequest(`can't parse InputMedia: media not found`);
  const caption = { ...readCaption(own, tooLong), ...captionLooks(own) };
  return {
    kind: type,
    caption,
    store: () => {
      const source = readSource(call, "media", media);
      if (source === undefined) throw badRequest(`there is no ${type} in the request`);
      return type === "photo" ? photoOf(call.world.files, source) : documentOf(call, source);
    },
  };
}

export const getFile: Method = ({ world, parameters }) => {
  const fileId = parameters.text("file_id").trim();
  if (fileId === "") throw badRequest("file_id not specified");
  if (!/^[\w-]{20,200}$/.test(fileId)) throw badRequest("invalid file_id");
  const file = world.files.byId(fileId);
  if (file === undefined) throw badRequest("wrong file_id or the file is temporarily unavailable");
  if (file.bytes > DOWNLOAD_BYTES_MAX) throw badRequest("file is too big");
  return {
    result: { file_id: fileId, file_unique_id: uniqueIdOf(file, fileId), file_size: file.bytes, file_path: file.path },
  };
};

type Source = { type: "upload"; file: UploadedFile } | { type: "known"; file: ShelfFile };

function readSource(call: Call, field: string, value: string): Source | undefined {
  const direct = call.parameters.file(field);
  if (direct !== undefined) return checkedUpload(direct);
  if (value === "") return undefined;
  if (value.startsWith("attach://")) {
    const attached = call.parameters.file(value.slice("attach://".length));
    return attached === undefined ? undefined : checkedUpload(attached);
  }
  // No network but loopback: a link can't be fetched, and says so as the real server does for a dead one.
  if (/^https?:\/\//i.test(value)) throw badRequest("failed to get HTTP URL content");
  const known = call.world.files.byId(value);
  if (known === undefined) throw badRequest("wrong file identifier/HTTP URL specified");
  return { type: "known", file: known };
}

function checkedUpload(file: UploadedFile): Source {
  if (file.bytes.length === 0) throw badRequest("file must be non-empty");
  if (file.bytes.length > DOCUMENT_BYTES_MAX) throw tooLarge();
  return { type: "upload", file };
}

/** Stores a picture and returns its sizes; throws the refusal for one that Telegram would not take. */
export function photoOf(files: FileShelf, source: Source): MediaContent {
  if (source.type === "known") {
    if (source.file.kind !== "photos") throw badRequest("can't use file of type Document as Photo");
    return { photo: photoSizes(source.file) };
  }
  const { bytes } = source.file;
  if (bytes.length > PHOTO_BYTES_MAX) {
    throw badRequest(
      `file of size ${bytes.length} bytes is too big for a photo; the maximum size is ${PHOTO_BYTES_MAX} bytes`,
    );
  }
  const header = readImageHeader(bytes);
  if (header === undefined) throw badRequest("IMAGE_PROCESS_FAILED");
  const { width, height, mime } = header;
  if (width + height > PHOTO_SIDES_MAX || Math.max(width, height) > PHOTO_RATIO_MAX * Math.min(width, height)) {
    throw badRequest("PHOTO_INVALID_DIMENSIONS");
  }
  const sides = sizesOf(width, height).length;
  const kept = files.add({ kind: "photos", name: "", mime, bytes, width, height, idCount: sides });
  return { photo: photoSizes(kept) };
}

function documentOf(call: Call, source: Source): MediaContent {
  if (source.type === "known") {
    if (source.file.kind !== "documents") throw badRequest("can't use file of type Photo as Document");
    return { document: documentFile(source.file) };
  }
  const { name, contentType, bytes } = source.file;
  const header = readImageHeader(bytes);
  const mime = contentType.split(";")[0]?.trim() ?? "application/octet-stream";
  const kept = call.world.files.add({
    kind: "documents",
    name,
    mime: mime === "application/octet-stream" ? (header?.mime ?? mimeOfName(name)) : mime,
    bytes,
    width: header?.width ?? 0,
    height: header?.height ?? 0,
    idCount: 1,
  });
  return { document: documentFile(kept) };
}

function sizesOf(width: number, height: number): { width: number; height: number }[] {
  const longer = Math.max(width, height);
  const smaller = THUMBNAIL_SIDES.filter((side) => side < longer).map((side) => ({
    width: Math.max(1, Math.round((width * side) / longer)),
    height: Math.max(1, Math.round((height * side) / longer)),
  }));
  return [...smaller, { width, height }];
}

function photoSizes(file: ShelfFile): PhotoSize[] {
  return sizesOf(file.width, file.height).map(({ width, height }, index) => {
    const fileId = file.fileIds[index] ?? "";
    return { file_id: fileId, file_unique_id: uniqueIdOf(file, fileId), file_size: file.bytes, width, height };
  });
}

function documentFile(file: ShelfFile): DocumentFile {
  return {
    file_id: file.fileIds[0] ?? "",
    file_unique_id: file.uniqueId,
    ...(file.name === "" ? {} : { file_name: file.name }),
    mime_type: file.mime,
    file_size: file.bytes,
  };
}

function uniqueIdOf(file: ShelfFile, fileId: string): string {
  const index = file.fileIds.indexOf(fileId);
  return index < file.fileIds.length - 1 ? `${file.uniqueId}.${index}` : file.uniqueId;
}

const MIME_BY_ENDING: Readonly<Record<string, string>> = {
  csv: "text/csv",
  txt: "text/plain",
  log: "text/plain",
  json: "application/json",
  jsonl: "application/x-ndjson",
  pdf: "application/pdf",
  html: "text/html",
  zip: "application/zip",
};

function mimeOfName(name: string): string {
  return MIME_BY_ENDING[name.split(".").at(-1)?.toLowerCase() ?? ""] ?? "application/octet-stream";
}
