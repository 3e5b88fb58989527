// Snapshots of the engine's state, so that a start need not replay the whole journal. A snapshot is only a short cut: each
// can be deleted, a bad one is passed over for the older, and none at all means a full replay.
import { join } from "node:path";
import { crc32c } from "./crc32c.ts";
import { errorCode, type JournalFiles, makeSynced, nodeFiles, readWhole, replaceSynced } from "./files.ts";

/** Is the engine's state after record `seq`; `stateHash` is the engine's own and is kept as it is. */
export type StateSnapshot = { seq: number; atMs: number; state: string; stateHash: string };

/** Is a snapshot that was passed over, and why. */
export type BadSnapshot = { file: string; why: "torn" | "checksum" | "newer_version" | "unreadable" };

/** Is how many snapshots are kept. */
const SNAPSHOTS_KEPT = 3;
/** Is the largest snapshot read or written, in bytes. */
const SNAPSHOT_BYTES_MAX = 256 * 1024 * 1024;

const FORMAT = 1;
const snapshotsDir = (dataDir: string): string => join(dataDir, "snapshots");

/**
 * Writes a snapshot so that a crash leaves it whole or absent, then deletes all but the newest three. Call it only for a
 * `seq` that is committed: a snapshot must never be newer than the synced journal. Throws what the file system throws.
 */
export function writeSnapshot(dataDir: string, snapshot: StateSnapshot, files: JournalFiles = nodeFiles): void {
  const directory = snapshotsDir(dataDir);
  makeSynced(files, directory);
  const { seq, atMs, stateHash, state } = snapshot;
  const body = Buffer.from(`${JSON.stringify({ format: FORMAT, seq, atMs, stateHash })}\n${state}`);
  if (body.length > SNAPSHOT_BYTES_MAX) throw new RangeError(`a snapshot of ${body.length} bytes`);
  const sum = crc32c(body).toString(16).padStart(8, "0");
  replaceSynced(files, join(directory, snapshotName(seq)), Buffer.concat([Buffer.from(`QSS1 ${sum}\n`), body]));
  for (const old of snapshotNames(dataDir, files).slice(SNAPSHOTS_KEPT)) files.unlink(join(directory, old));
}

/** Returns the newest good snapshot (null if there is none) and those passed over on the way to it. */
function readSnapshots(
  dataDir: string,
  files: JournalFiles = nodeFiles,
): { snapshot: StateSnapshot | null; bad: BadSnapshot[] } {
  const bad: BadSnapshot[] = [];
  for (const name of snapshotNames(dataDir, files)) {
    const snapshot = readOne(files, join(snapshotsDir(dataDir), name));
    if (typeof snapshot !== "string" && snapshotName(snapshot.seq) === name) return { snapshot, bad };
    bad.push({ file: `snapshots/${name}`, why: typeof snapshot === "string" ? snapshot : "checksum" });
  }
  return { snapshot: null, bad };
}

/** Returns the newest good snapshot, or null; `onBad` hears of each that was passed over. */
export function readSnapshot(
  dataDir: string,
  onBad: (bad: BadSnapshot) => void = () => {},
  files: JournalFiles = nodeFiles,
): StateSnapshot | null {
  const { snapshot, bad } = readSnapshots(dataDir, files);
  for (const each of bad) onBad(each);
  return snapshot;
}

/** Returns the highest sequence number any good snapshot has, 0 without one. */
export const newestSnapshotSeq = (dataDir: string, files: JournalFiles = nodeFiles): number =>
  readSnapshots(dataDir, files).snapshot?.seq ?? 0;

/** Returns the lowest sequence number of the snapshots kept: what journal retention may not touch; 0 without one. */
export function oldestSnapshotSeq(dataDir: string, files: JournalFiles = nodeFiles): number {
  const oldest = snapshotNames(dataDir, files).at(-1);
  return oldest === undefined ? 0 : Number(oldest.slice(0, 16));
}

const snapshotName = (seq: number): string => `${String(seq).padStart(16, "0")}.snapshot`;

/** Returns the names, newest first. */
function snapshotNames(dataDir: string, files: JournalFiles): string[] {
  return files
    .list(snapshotsDir(dataDir))
    .filter((name) => /^\d{16}\.snapshot$/.test(name))
    .sort()
    .reverse();
}

function readOne(files: JournalFiles, path: string): StateSnapshot | BadSnapshot["why"] {
  let bytes: Buffer;
  try {
    const whole = readWhole(files, path, SNAPSHOT_BYTES_MAX + 64);
    bytes = Buffer.from(whole.buffer, whole.byteOffset, whole.length);
  } catch (thrown) {
    if (thrown instanceof RangeError || errorCode(thrown) !== "unknown") return "unreadable";
    throw thrown;
  }
  const head = /^QSS1 ([0-9a-f]{8})\n$/.exec(bytes.toString("latin1", 0, 14));
  if (head === null) return "torn";
  if (crc32c(bytes, 14) !== Number.parseInt(head[1] as string, 16)) return "checksum";
  const cut = bytes.indexOf(10, 14);
  if (cut < 0) return "newer_version";
  const facts = parseJson(bytes.toString("utf8", 14, cut));
  if (!isFacts(facts)) return "newer_version";
  return { seq: facts.seq, atMs: facts.atMs, stateHash: facts.stateHash, state: bytes.toString("utf8", cut + 1) };
}

/** Returns the value, or undefined for what is no JSON: sound bytes that this version did not write. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function isFacts(value: unknown): value is { seq: number; atMs: number; stateHash: string } {
  if (typeof value !== "object" || value === null) return false;
  const facts = value as Record<string, unknown>;
  return (
    facts["format"] === FORMAT &&
    Number.isSafeInteger(facts["seq"]) &&
    Number.isSafeInteger(facts["atMs"]) &&
    typeof facts["stateHash"] === "string"
  );
}
