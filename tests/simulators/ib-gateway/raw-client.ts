// A client that speaks bytes: for handshakes, garbage and whatever no library sends.
import { connect, type Socket } from "node:net";

/** Is a socket that keeps what it is sent, cut into frames. */
export type RawClient = {
  readonly socket: Socket;
  /** Sends `API\0` and the versions. */
  open(versions: string): void;
  /** Sends one message. */
  send(...fields: readonly (string | number)[]): void;
  /** Resolves with the next frame's fields. */
  next(): Promise<string[]>;
  /** Resolves with the first frame from now on whose first field is that number. */
  nextOf(id: number): Promise<string[]>;
  /** Resolves when the server has ended the connection. */
  closed(): Promise<void>;
  /** Returns all bytes so far that are in no whole frame. */
  rest(): Buffer;
};

/** Returns a frame around bytes or text. */
export function frame(body: string): Buffer {
  const bytes = Buffer.from(body, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Connects to a gateway's port. */
export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect(port, "127.0.0.1");
  let held = Buffer.alloc(0);
  let isClosed = false;
  const frames: string[][] = [];
  const waiters: ((fields: string[]) => void)[] = [];
  const closers: (() => void)[] = [];
  socket.on("error", () => {
    // A reset is one of the ends that a test waits for; "close" follows it.
    isClosed = true;
  });
  socket.on("close", () => {
    isClosed = true;
    for (const closer of closers) closer();
  });
  socket.on("data", (piece) => {
    held = Buffer.concat([held, piece]);
    while (held.length >= 4) {
      const length = held.readInt32BE(0);
      if (length <= 0 || held.length < 4 + length) break;
      const fields = held
        .toString("utf8", 4, 4 + length)
        .split("\0")
        .slice(0, -1);
      held = held.subarray(4 + length);
      const waiter = waiters.shift();
      if (waiter === undefined) frames.push(fields);
      else waiter(fields);
    }
  });
  await new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("close", () => reject(new Error("the port is closed")));
  });
  const client: RawClient = {
    socket,
    open: (versions) => socket.write(Buffer.concat([Buffer.from("API\0"), frame(versions)])),
    send: (...fields) => socket.write(frame(`${fields.join("\0")}\0`)),
    next: () =>
      new Promise((resolve) => {
        const first = frames.shift();
        if (first === undefined) waiters.push(resolve);
        else resolve(first);
      }),
    nextOf: async (id) => {
      for (;;) {
        const fields = await client.next();
        if (fields[0] === String(id)) return fields;
      }
    },
    closed: () => new Promise((resolve) => (isClosed ? resolve() : closers.push(resolve))),
    rest: () => held,
  };
  return client;
}
