// One client's socket: handshake, requests in, answers out. A slow reader loses ticks first and its connection later;
// nothing that it does can hold up the others. The faults of the wire (silence, delay, broken frames) act here.
import type { Socket } from "node:net";
import type { Cancel, Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { createByteStream } from "./byte-stream.ts";
import { createDelayLine } from "./delay-line.ts";
import { createPassage, type MessageTap } from "./message-tap.ts";
import { createFrameReader, createFrameWriter, message, splitFields } from "./wire/frames.ts";
import { SERVER_VERSION_MAX, SERVER_VERSION_MIN } from "./wire/ids.ts";

/** A client that has not finished the handshake after this long, on the wall clock, is closed. */
export const HANDSHAKE_MS_MAX = 10_000;
/** A client that has not read its last messages after this long, on the wall clock, loses them. */
const CLOSE_MS_MAX = 5_000;
/** Above this backlog a client gets no ticks until it has read. */
export const TICK_BACKLOG_BYTES_MAX = 4 * 1_048_576;
/** A client that has not come half-way out of that backlog after this long, on the wall clock, is closed. */
export const BEHIND_MS_MAX = 10_000;
/** Above this backlog a client is closed. */
const BACKLOG_BYTES_MAX = 16 * 1_048_576;

/** Which way bytes go: from the client in, to the client out. */
export type Direction = "in" | "out" | "both";

/** Is one client's connection. */
export type Connection = {
  /** Counts connections from 1 over the server's life. */
  readonly number: number;
  /** Is the client's host and port. */
  readonly address: string;
  /** Returns how many messages have come from the client and gone to it. */
  messages(): { readonly messagesIn: number; readonly messagesOut: number };
  /** Is the agreed version; 0 before the handshake. */
  serverVersion(): number;
  /** Adds a message that must arrive. */
  send(text: string): void;
  /** Adds a message that is left out while the client reads too slowly. */
  sendTick(text: string): void;
  /** Hands what was added to the socket now. It happens by itself at the end of the running task too. */
  flush(): void;
  /** Returns how many bytes wait to be read by the client. */
  backlogBytes(): number;
  /** Resolves when the socket has taken everything that no fault holds back, or is closed. */
  drained(): Promise<void>;
  /** Ends the connection after what was sent; `at_once` throws away what waits, as a reset line does. */
  close(reason: string, how: "after_sending" | "at_once"): void;
  /** Loses everything in a direction until the wall clock reads `untilWallMs`; the socket stays open. */
  silence(direction: Direction, untilWallMs: number): void;
  /** Holds everything back for `delayMs`, both ways, until the wall clock reads `untilWallMs`. */
  delay(delayMs: number, untilWallMs: number): void;
  /** Sends everything in pieces of so many bytes until the wall clock reads `untilWallMs`. */
  split(pieceBytes: number, untilWallMs: number): void;
  /** Sends everything in one lump each `everyMs` until the wall clock reads `untilWallMs`. */
  glue(everyMs: number, untilWallMs: number): void;
  /** Sends bytes that need not be a frame, then ends the connection if asked to. */
  sendBroken(bytes: Uint8Array, thenClose: boolean): void;
  isClosed(): boolean;
  /** Returns how many ticks this client missed by reading too slowly. */
  ticksMissed(): number;
};

/** Is what the server does with a connection. */
export type ConnectionEvents = {
  /** Hears of every message on its way, and of what becomes of the connection itself. */
  heard(connection: Connection, way: "in" | "out" | "note", text: string): void;
  /** Returns the moment that the handshake answer names, as `YYYYMMDD HH:MM:SS zone`. */
  connectionTime(): string;
  /** Is called once the version is agreed, with each message of the client, startApi first. */
  request(connection: Connection, fields: readonly string[]): void;
  /** Is called once when the connection has ended. */
  closed(connection: Connection, reason: string): void;
};

const TOO_SLOW = "the client reads too slowly";

/** Starts to serve an accepted socket. The handshake deadline ends when `isStarted` says so. */
export function serveConnection(
  socket: Socket,
  number: number,
  wall: Clock,
  log: Log,
  events: ConnectionEvents,
  isStarted: (connection: Connection) => boolean,
  tap: MessageTap,
): Connection {
  const reader = createFrameReader();
  const inLine = createDelayLine(wall);
  const outLine = createDelayLine(wall);
  let serverVersion = 0;
  let isClosed = false;
  let flushIsDue = false;
  let ticksMissed = 0;
  let behindSinceMs: number | null = null;
  let messagesIn = 0;
  let messagesOut = 0;
  let silentInUntilMs = 0;
  let silentOutUntilMs = 0;
  let waitingBytes = 0;
  const stream = createByteStream(wall, (bytes) => {
    if (!socket.destroyed && socket.writable) socket.write(bytes, noteDrained);
  });
  const drainWaiters: (() => void)[] = [];
  let deadline: Cancel = () => {};

  const handOver = (piece: Buffer): void => {
    if (isClosed || wall.nowMs() < silentOutUntilMs) return;
    waitingBytes += piece.length;
    outLine.push(() => {
      waitingBytes -= piece.length;
      stream.write(piece);
    });
    if (connection.backlogBytes() > BACKLOG_BYTES_MAX) connection.close(TOO_SLOW, "at_once");
  };
  const writer = createFrameWriter(handOver);

  const noteDrained = (): void => {
    // What a fault holds back leaves with the clock, which may stand still until this is over.
    if (!isClosed && socket.writableLength + stream.leavingBytes() > 0) return;
    for (const waiter of drainWaiters.splice(0)) waiter();
  };

  const put = (text: string): void => {
    if (isClosed) return;
    writer.write(text);
    if (flushIsDue) return;
    flushIsDue = true;
    queueMicrotask(() => connection.flush());
  };
  /** Half a frame, and the end. */
  const cutOff = (text: string): void => {
    const body = Buffer.from(text, "utf8");
    const bytes = Buffer.alloc(4 + Math.floor(body.length / 2));
    bytes.writeUInt32BE(body.length, 0);
    body.copy(bytes, 4);
    connection.sendBroken(bytes, true);
  };
  const tell = (text: string): void => {
    if (isClosed) return;
    messagesOut += 1;
    events.heard(connection, "out", text);
    put(text);
  };
  const out = createPassage(tap, "out", wall, tell, cutOff);

  const connection: Connection = {
    number,
    address: `${socket.remoteAddress ?? "gone"}:${socket.remotePort ?? 0}`,
    messages: () => ({ messagesIn, messagesOut }),
    serverVersion: () => serverVersion,
    send: (text) => {
      if (!isClosed) out(text);
    },
    sendTick: (text) => {
      const backlogBytes = connection.backlogBytes();
      if (backlogBytes <= TICK_BACKLOG_BYTES_MAX) {
        if (backlogBytes < TICK_BACKLOG_BYTES_MAX / 2) behindSinceMs = null;
        connection.send(text);
        return;
      }
      ticksMissed += 1;
      behindSinceMs ??= wall.nowMs();
      if (wall.nowMs() - behindSinceMs >= BEHIND_MS_MAX) connection.close(TOO_SLOW, "at_once");
    },
    flush: () => {
      flushIsDue = false;
      if (!isClosed) writer.flush();
    },
    backlogBytes: () => waitingBytes + stream.waitingBytes() + socket.writableLength,
    drained: () =>
      new Promise((resolve) => {
        connection.flush();
        drainWaiters.push(resolve);
        noteDrained();
      }),
    close: (reason, how) => {
      if (isClosed) return;
      if (how === "after_sending") connection.flush();
      finish(reason);
      if (how === "at_once") socket.resetAndDestroy();
      else {
        outLine.push(() => stream.whenEmpty(() => socket.end(() => socket.destroy())));
        const giveUp = wall.after(CLOSE_MS_MAX, () => socket.destroy());
        socket.once("close", giveUp);
      }
    },
    silence: (direction, untilWallMs) => {
      if (direction !== "out") silentInUntilMs = untilWallMs;
      if (direction !== "in") silentOutUntilMs = untilWallMs;
    },
    delay: (delayMs, untilWallMs) => {
      inLine.delay(delayMs, untilWallMs);
      outLine.delay(delayMs, untilWallMs);
    },
    split: stream.split,
    glue: stream.glue,
    sendBroken: (bytes, thenClose) => {
      if (isClosed) return;
      connection.flush();
      handOver(Buffer.from(bytes));
      if (thenClose) connection.close("a fault broke the stream", "after_sending");
    },
    isClosed: () => isClosed,
    ticksMissed: () => ticksMissed,
  };

  const finish = (reason: string): void => {
    if (isClosed) return;
    isClosed = true;
    deadline();
    events.heard(connection, "note", `ended: ${reason}`);
    if (ticksMissed > 0) log.warn({ connection: number, ticksMissed }, "A client read too slowly and missed ticks");
    events.closed(connection, reason);
    noteDrained();
  };

  const open = (text: string): void => {
    const versions = /^v(\d{1,4})(?:\.\.(\d{1,4}))?(?: .*)?$/s.exec(text.replace(/\0+$/, ""));
    if (versions === null) {
      connection.close("the opening frame names no versions", "at_once");
      return;
    }
    const oldest = Number(versions[1]);
    const newest = Number(versions[2] ?? versions[1]);
    if (newest < SERVER_VERSION_MIN || oldest > SERVER_VERSION_MAX) {
      log.warn(
        { connection: number, oldest, newest, servedMin: SERVER_VERSION_MIN, servedMax: SERVER_VERSION_MAX },
        "A client speaks no version that is served here; its connection was closed",
      );
      connection.close("no common version", "at_once");
      return;
    }
    serverVersion = Math.min(newest, SERVER_VERSION_MAX);
    events.heard(connection, "note", `speaks version ${serverVersion} (offers ${oldest} to ${newest})`);
    // Not by the tap: what it begins with is the version, no message's number.
    put(message(serverVersion, events.connectionTime()));
  };
  const request = (text: string): void => {
    if (isClosed) return;
    events.request(connection, splitFields(text));
    if (isStarted(connection)) deadline();
  };
  const come = createPassage(tap, "in", wall, request, () =>
    connection.close("a fault cut a message of the client", "at_once"),
  );

  const take = (text: string): void => {
    if (isClosed) return;
    if (serverVersion === 0) open(text);
    else {
      messagesIn += 1;
      events.heard(connection, "in", text);
      come(text);
    }
  };

  events.heard(connection, "note", `comes from ${connection.address}`);
  socket.setNoDelay(true);
  socket.on("data", (piece) => {
    if (isClosed || wall.nowMs() < silentInUntilMs) return;
    const read = reader.push(piece);
    if (!read.ok) {
      log.warn(
        { connection: number, ...read.error },
        "A client sent what is no frame of the protocol; its connection was closed",
      );
      connection.close(read.error.type, "at_once");
      return;
    }
    for (const text of read.value) inLine.push(() => take(text));
  });
  socket.on("error", (error) => finish(error.message));
  socket.on("close", () => finish("the client closed the connection"));
  deadline = wall.after(HANDSHAKE_MS_MAX, () => connection.close("the handshake was not finished in time", "at_once"));
  return connection;
}
