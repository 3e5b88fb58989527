// The latest messages between clients and gateway, for the page. It keeps texts as they are and names their fields only
// when somebody looks: writing it costs next to nothing. Market data has a ring of its own, so that it crowds nothing out.
import { isMarketData, nameMessage } from "./wire/names.ts";

/** How many messages other than market data are kept; the oldest go first. */
export const WORDS_MAX = 2_000;
/** How many messages of market data are kept. */
export const TICKS_MAX = 500;
/** Of a longer message only the beginning is kept. */
const TEXT_UNITS_MAX = 2_048;
/** How many lines one look gets at most: the newest. */
export const LINES_MAX = 200;

/** Says which way a message went, or that a line is a word about the connection itself. */
export type LogWay = "in" | "out" | "note";

type Entry = {
  readonly seq: number;
  readonly atMs: number;
  readonly connection: number;
  readonly way: LogWay;
  readonly text: string;
};

/** Is a line for people. */
export type LogLine = {
  readonly seq: number;
  /** Is the market's time. */
  readonly atMs: number;
  readonly connection: number;
  readonly way: LogWay;
  readonly name: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly more: number;
};

/** Is what somebody wants to see. */
export type LogWish = {
  /** Null for all. */
  readonly connection: number | null;
  readonly marketData: boolean;
};

/** Says how far somebody has read. */
export type LogPlace = { readonly words: number; readonly ticks: number };

/** Keeps messages. */
export type MessageLog = {
  add(connection: number, way: "in" | "out", text: string): void;
  /** Adds a word about a connection: that it came, what was agreed, why it ended. */
  note(connection: number, text: string): void;
  /** Returns what came since `place`, oldest first; `leftOut` of it had gone already or was too much. */
  since(place: LogPlace, wish: LogWish): { lines: readonly LogLine[]; place: LogPlace; leftOut: number };
};

/** Is where a new reader begins. */
export const LOG_START: LogPlace = { words: 0, ticks: 0 };

/** Returns an empty log; `nowMs` is the market's time. */
export function createMessageLog(nowMs: () => number): MessageLog {
  const words = createRing(WORDS_MAX);
  const ticks = createRing(TICKS_MAX);
  let seq = 0;

  const entry = (connection: number, way: LogWay, text: string): Entry => {
    seq += 1;
    return { seq, atMs: nowMs(), connection, way, text: short(text) };
  };

  return {
    add: (connection, way, text) => {
      const ring = way === "out" && isMarketData(text) ? ticks : words;
      ring.push(entry(connection, way, text));
    },
    note: (connection, text) => words.push(entry(connection, "note", text)),
    since: (place, wish) => {
      const said = words.since(place.words);
      const told = wish.marketData ? ticks.since(place.ticks) : { entries: [], gone: 0 };
      const wanted = [...said.entries, ...told.entries]
        .filter((one) => wish.connection === null || one.connection === wish.connection)
        .sort((a, b) => a.seq - b.seq);
      const shown = wanted.slice(-LINES_MAX);
      return {
        lines: shown.map(lineOf),
        place: { words: words.total(), ticks: ticks.total() },
        // Whose messages have gone nobody knows any more: to one who follows a single connection they are not counted.
        leftOut: wanted.length - shown.length + (wish.connection === null ? said.gone + told.gone : 0),
      };
    },
  };
}

function lineOf({ seq, atMs, connection, way, text }: Entry): LogLine {
  const named = way === "note" ? { name: text, fields: [], more: 0 } : nameMessage(way, text);
  return { seq, atMs, connection, way, ...named };
}

/** A part of a text keeps the whole of it in memory: it is copied. */
function short(text: string): string {
  if (text.length <= TEXT_UNITS_MAX) return text;
  return Buffer.from(text.slice(0, TEXT_UNITS_MAX), "utf8").toString("utf8");
}

function createRing(capacity: number) {
  const entries: Entry[] = [];
  let total = 0;
  return {
    total: () => total,
    push: (entry: Entry): void => {
      entries[total % capacity] = entry;
      total += 1;
    },
    /** Returns what was pushed after the first `seen`, and how much of it has gone. */
    since: (seen: number): { entries: Entry[]; gone: number } => {
      const from = Math.max(seen, total - capacity);
      const found: Entry[] = [];
      for (let at = from; at < total; at += 1) found.push(entries[at % capacity] as Entry);
      return { entries: found, gone: from - seen };
    },
  };
}
