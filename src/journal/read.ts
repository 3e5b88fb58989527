// The journal for readers beside the bot: replay, dump, rebuild of views, verify. Takes no lock and changes nothing; a
// record that is just being written is left for the next reading.
import { err, ok, type Result } from "../result.ts";
import { type JournalFiles, nodeFiles } from "./files.ts";
import {
  CODE_JSON,
  CODE_QUOTE,
  CODE_TRADE,
  FRAME_HEADER_BYTES,
  getInt64,
  isOptional,
  kindOf,
  NO_PRICE,
  type RecordKind,
} from "./format.ts";
import { corrupt, JournalDamaged, type JournalProblem } from "./problem.ts";
import { scanJournal } from "./scan.ts";
import { guarded } from "./segments.ts";
import { newestSnapshotSeq } from "./snapshots.ts";

/** Is one record. `payload` lies inside `frame`; both stay as they are for as long as they are held. */
export type JournalRecord = {
  seq: number;
  /** Is when it was appended, in ms since 1970 UTC by the bot's clock. */
  atMs: number;
  kind: RecordKind;
  /** Is the payload's encoding: 1 a JSON object, 2 a packed trade, 3 a packed quote. */
  code: number;
  isOptional: boolean;
  payload: Uint8Array;
  /** Is the record as it stands in the file: what the engine reads. */
  frame: Uint8Array;
};

/**
 * Yields the records from `fromSeq` (default: all) in order, in bounded memory; throws a JournalDamaged, after the last
 * good record, when the journal is damaged. Records of a kind this version doesn't know are yielded only if optional.
 */
export function* readJournal(
  dataDir: string,
  options: { fromSeq?: number; files?: JournalFiles } = {},
): Generator<JournalRecord, void, void> {
  for (const frame of scanJournal(options.files ?? nodeFiles, dataDir, { fromSeq: options.fromSeq ?? 0 })) {
    const { seq, atMs, code, flags, bytes, start, end } = frame;
    yield {
      seq,
      atMs,
      kind: kindOf(flags) ?? "note",
      code,
      isOptional: isOptional(flags),
      payload: bytes.subarray(start + FRAME_HEADER_BYTES, end),
      frame: bytes.subarray(start, end),
    };
  }
}

/** Says what a sound journal holds; times are null in an empty one. `tornBytes` waits to be cut off at the next start. */
export type VerifiedJournal = {
  records: number;
  segments: number;
  firstSeq: number;
  lastSeq: number;
  firstAtMs: number | null;
  lastAtMs: number | null;
  tornBytes: number;
};

/** Reads every byte of every segment, compressed ones too, and says what the journal holds or where it is damaged. */
export function verifyJournal(
  dataDir: string,
  files: JournalFiles = nodeFiles,
): Result<VerifiedJournal, JournalProblem> {
  try {
    const walk = scanJournal(files, dataDir);
    let records = 0;
    let step = walk.next();
    for (; step.done !== true; step = walk.next()) records++;
    const { segments, firstSeq, lastSeq, firstAtMs, lastAtMs, tornTails, last } = step.value;
    if (guarded("snapshots", () => newestSnapshotSeq(dataDir, files)) > lastSeq) {
      return err(corrupt("rolled_back", last?.segment.name ?? "journal", last?.endOffset ?? 0, lastSeq + 1));
    }
    const tornBytes = tornTails.reduce((sum, tail) => sum + tail.bytes, 0);
    return ok({ records, segments, firstSeq, lastSeq, firstAtMs, lastAtMs, tornBytes });
  } catch (thrown) {
    if (thrown instanceof JournalDamaged) return err(thrown.problem);
    throw thrown;
  }
}

/** Is a record with its payload taken apart; `type` names it. */
export type ParsedRecord = { seq: number; atMs: number; type: string; fields: Readonly<Record<string, unknown>> };

/** Takes a record's payload apart. Packed records are of type "trade" and "quote"; an absent price is null. */
export function parseRecord(record: Pick<JournalRecord, "seq" | "atMs" | "code" | "payload">): ParsedRecord {
  const { seq, atMs, code, payload } = record;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const price = (at: number): number | null => {
    const ticks = view.getInt32(at, true);
    return ticks === NO_PRICE ? null : ticks;
  };
  switch (code) {
    case CODE_TRADE:
      return {
        seq,
        atMs,
        type: "trade",
        fields: { exchangeAtMs: getInt64(view, 0), priceTicks: view.getInt32(8, true), size: view.getInt32(12, true) },
      };
    case CODE_QUOTE:
      return {
        seq,
        atMs,
        type: "quote",
        fields: {
          exchangeAtMs: getInt64(view, 0),
          bidTicks: price(8),
          askTicks: price(12),
          bidSize: view.getInt32(16, true),
          askSize: view.getInt32(20, true),
        },
      };
    case CODE_JSON: {
      const { type, ...fields } = parseObject(payload);
      return { seq, atMs, type: typeof type === "string" ? type : "unnamed", fields };
    }
    default:
      return { seq, atMs, type: "unknown", fields: { code, bytes: payload.length } };
  }
}

function parseObject(payload: Uint8Array): Record<string, unknown> {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  // The checksum holds, so this is what was appended: shown as it is rather than hidden.
  return { type: "unparsed", text };
}

/**
 * Returns the record as one line of JSON: seq, atMs, type, recordKind, then its own fields. A field of its own that bears
 * one of those names with another value stands in `payload`, so that it neither poses as the record's nor is lost.
 */
export function dumpLine(record: JournalRecord): string {
  const { seq, atMs, type, fields } = parseRecord(record);
  const facts: Readonly<Record<string, unknown>> = { seq, atMs, type, recordKind: record.kind };
  // Without a prototype, so that a field called `__proto__` is a field.
  const own: Record<string, unknown> = Object.create(null);
  const payload: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!Object.hasOwn(facts, name)) own[name] = value;
    else if (facts[name] !== value) payload[name] = value;
  }
  return JSON.stringify({ ...facts, ...own, ...(Object.keys(payload).length === 0 ? {} : { payload }) });
}
