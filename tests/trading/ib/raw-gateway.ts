// A gateway of bytes: a TCP server on a port of its own that says only what the test makes it say. Written from the
// protocol's description alone, so that it shares no misreading with the library or the simulated gateway.
import { createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Is one connection that a client made. */
export type RawClient = {
  /** Frames that came in, their fields split; the version line of the handshake is the first. */
  readonly frames: readonly (readonly string[])[];
  /** Resolves with the first frame, past or future, that `wanted` accepts. */
  frame(wanted: (fields: readonly string[]) => boolean): Promise<readonly string[]>;
  /** Calls `answer` for each frame, past or future, whose first field is `id`. */
  respond(id: number, answer: (fields: readonly string[]) => void): void;
  /** Sends one message. */
  send(...fields: (string | number)[]): void;
  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array): void;
  /** Answers the version and, once the client has started the API, account and first order id. */
  welcome(options?: { readonly accounts?: string; readonly nextOrderId?: number }): Promise<void>;
  /** Cuts the connection at once (RST). */
  cut(): void;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
};

/** Is the server. */
export type RawGateway = {
  readonly port: number;
  /** Returns how many connections there have been. */
  connections(): number;
  /** Resolves with the next connection that was not yet given out. */
  client(): Promise<RawClient>;
};

/** Returns message `fields` as one frame. */
export function rawFrame(...fields: (string | number)[]): Buffer {
  const body = Buffer.from(fields.map((field) => `${field}\0`).join(""), "latin1");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Starts a server; it and its connections are closed when the test ends. */
export async function startRawGateway(): Promise<RawGateway> {
  const waiting: ((client: RawClient) => void)[] = [];
  const arrived: RawClient[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    const client = rawClient(socket);
    const next = waiting.shift();
    if (next === undefined) arrived.push(client);
    else next(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    port: address.port,
    connections: () => connections,
    client: () => {
      const client = arrived.shift();
      return client === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(client);
    },
  };
}

function rawClient(socket: Socket): RawClient {
  const frames: string[][] = [];
  const watchers = new Set<() => void>();
  let bytes = Buffer.alloc(0);
  let isGreeted = false;

  socket.on("error", () => socket.destroy());
  socket.on("data", (data) => {
    bytes = Buffer.concat([bytes, data]);
    if (!isGreeted && bytes.length >= 4) {
      isGreeted = true;
      bytes = bytes.subarray(4);
    }
    while (isGreeted && bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()) {
      const end = 4 + bytes.readUInt32BE();
      frames.push(bytes.subarray(4, end).toString("latin1").replace(/\0$/, "").split("\0"));
      bytes = bytes.subarray(end);
    }
    for (const watcher of [...watchers]) watcher();
  });

  const frame: RawClient["frame"] = (wanted) =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = frames.find(wanted);
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      look();
    });

  return {
    frames,
    frame,
    respond: (id, answer) => {
      let seen = 0;
      const look = (): void => {
        for (; seen < frames.length; seen++) {
          const fields = frames[seen] as string[];
          if (fields[0] === String(id)) answer(fields);
        }
      };
      watchers.add(look);
      look();
    },
    send: (...fields) => void socket.write(rawFrame(...fields)),
    sendBytes: (more) => void socket.write(more),
    welcome: async ({ accounts = "DU1234567", nextOrderId = 1 } = {}) => {
      await frame((fields) => fields[0]?.startsWith("v") === true);
      socket.write(rawFrame(178, "20261125 09:00:00 US/Central"));
      await frame((fields) => fields[0] === "71");
      socket.write(Buffer.concat([rawFrame(15, 1, accounts), rawFrame(9, 1, nextOrderId)]));
    },
    cut: () => void socket.resetAndDestroy(),
    closed: new Promise((resolve) => socket.once("close", () => resolve())),
  };
}
