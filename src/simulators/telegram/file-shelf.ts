// The files that went through the server: bytes by unique id, on disk beside the state file or in memory without one.
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Is what is known of one stored file. A file has one or more file_ids (a picture one per size). */
export type ShelfFile = {
  uniqueId: string;
  fileIds: string[];
  kind: "photos" | "documents";
  name: string;
  mime: string;
  bytes: number;
  /** Is relative, as getFile gives it and the file path takes it. */
  path: string;
  width: number;
  height: number;
};

/** Gives so many bytes that nobody can guess, for the ids of things. */
export type RandomBytes = (count: number) => Buffer;

/** Beyond either, the oldest files are forgotten: their ids answer "temporarily unavailable". */
export const SHELF_FILES_MAX = 2_000;
const SHELF_BYTES_MAX = 512 * 1024 * 1024;

/** Keeps files and finds them by any of their names. */
export class FileShelf {
  readonly #folder: string | undefined;
  readonly #random: RandomBytes;
  readonly #files: ShelfFile[] = [];
  readonly #inMemory = new Map<string, Buffer>();
  #bytes = 0;

  /** Keeps bytes in `folder`, or in memory without one; `known` is what `entries()` gave at the last close. */
  constructor(folder: string | undefined, known: readonly ShelfFile[], random: RandomBytes = randomBytes) {
    this.#folder = folder;
    this.#random = random;
    for (const file of known) {
      this.#files.push(file);
      this.#bytes += file.bytes;
    }
  }

  /** Returns what must be remembered of the files, oldest first. */
  entries(): readonly ShelfFile[] {
    return this.#files;
  }

  /** Stores the bytes with `idCount` file ids. */
  add(file: {
    kind: ShelfFile["kind"];
    name: string;
    mime: string;
    bytes: Buffer;
    width: number;
    height: number;
    idCount: number;
  }): ShelfFile {
    const uniqueId = `AQAD${this.#random(9).toString("base64url")}`;
    const prefix = file.kind === "photos" ? "AgACAgIAAxkDAAI" : "BQACAgIAAxkDAAI";
    const extension = /\.[A-Za-z0-9]{1,8}$/.exec(file.name)?.[0] ?? EXTENSIONS[file.mime] ?? "";
    const shelved: ShelfFile = {
      uniqueId,
      fileIds: Array.from({ length: file.idCount }, () => `${prefix}${this.#random(30).toString("base64url")}`),
      kind: file.kind,
      name: file.name,
      mime: file.mime,
      bytes: file.bytes.length,
      path: `${file.kind}/${uniqueId}${extension}`,
      width: file.width,
      height: file.height,
    };
    this.#write(shelved, file.bytes);
    this.#files.push(shelved);
    this.#bytes += shelved.bytes;
    while (this.#files.length > SHELF_FILES_MAX || (this.#bytes > SHELF_BYTES_MAX && this.#files.length > 1)) {
      this.#forgetOldest();
    }
    return shelved;
  }

  /** Returns the file of a file_id. */
  byId(fileId: string): ShelfFile | undefined {
    return this.#files.find((file) => file.fileIds.includes(fileId));
  }

  /** Returns the file of a file_unique_id, with or without a size's ending. */
  byUniqueId(uniqueId: string): ShelfFile | undefined {
    return this.#files.find((file) => uniqueId === file.uniqueId || uniqueId.startsWith(`${file.uniqueId}.`));
  }

  /** Returns the file of a file_path. */
  byPath(path: string): ShelfFile | undefined {
    return this.#files.find((file) => file.path === path);
  }

  /** Returns the bytes, or undefined when they are gone from the disk. */
  read(file: ShelfFile): Buffer | undefined {
    if (this.#folder === undefined) return this.#inMemory.get(file.uniqueId);
    try {
      return readFileSync(join(this.#folder, file.uniqueId));
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
      throw cause;
    }
  }

  #write(file: ShelfFile, bytes: Buffer): void {
    if (this.#folder === undefined) {
      this.#inMemory.set(file.uniqueId, bytes);
      return;
    }
    // Written before the state that names it, so that no remembered file lacks its bytes.
    mkdirSync(this.#folder, { recursive: true });
    const target = join(this.#folder, file.uniqueId);
    writeFileSync(`${target}.part`, bytes);
    renameSync(`${target}.part`, target);
  }

  #forgetOldest(): void {
    const oldest = this.#files.shift();
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes;
    this.#inMemory.delete(oldest.uniqueId);
    if (this.#folder !== undefined) rmSync(join(this.#folder, oldest.uniqueId), { force: true });
  }
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/png": ".png",
  "image/jpeg": ".jpg",
  "image/gif": ".gif",
  "image/webp": ".webp",
};
