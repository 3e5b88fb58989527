// Accepts clients on one loopback port; can refuse them for a while, or let them wait for an answer that never comes.
import { createServer, type Server, type Socket } from "node:net";
import type { Cancel, Clock } from "../../clock.ts";
import { errorFields, type Log } from "../../log.ts";
import { type Connection, serveConnection } from "./connection.ts";
import type { MessageTap } from "./message-tap.ts";

/** The address that is listened on: the simulator is for this machine only. */
export const HOST = "127.0.0.1";
/** How many clients are served at once; a real gateway takes 32. */
export const CLIENTS_MAX = 64;

/** Is what is done with connections. */
export type SocketEvents = Parameters<typeof serveConnection>[4] & { isStarted(connection: Connection): boolean };

/** Returns a server that does not listen yet. */
export function createSocketServer(wall: Clock, log: Log, tap: MessageTap, events: SocketEvents) {
  const connections = new Set<Connection>();
  const sockets = new Set<Socket>();
  let nextNumber = 1;
  let deafUntilMs = 0;
  /** Faults of the line that last, for those who come meanwhile: a network that is gone is gone for everybody. */
  let afflictions: { readonly untilMs: number; readonly apply: (connection: Connection) => void }[] = [];
  let port = 0;
  let isStopped = false;
  let server: Server | undefined;
  let cancelReopen: Cancel = () => {};

  const accept = (socket: Socket): void => {
    if (connections.size >= CLIENTS_MAX) {
      log.warn({ clientsMax: CLIENTS_MAX }, "Too many clients are connected; a new one was turned away");
      socket.destroy();
      return;
    }
    const number = nextNumber++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    const connection = serveConnection(
      socket,
      number,
      wall,
      log,
      {
        ...events,
        closed: (closed, reason) => {
          connections.delete(closed);
          log.info({ connection: number, reason }, "A client's connection has ended");
          events.closed(closed, reason);
        },
      },
      events.isStarted,
      tap,
    );
    connections.add(connection);
    afflictions = afflictions.filter(({ untilMs }) => wall.nowMs() < untilMs);
    for (const { apply } of afflictions) apply(connection);
    if (wall.nowMs() < deafUntilMs) connection.silence("both", Number.POSITIVE_INFINITY);
  };

  const listen = (wanted: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const next = createServer(accept);
      next.once("error", reject);
      next.listen(wanted, HOST, () => {
        next.removeListener("error", reject);
        next.on("error", (error) => log.error(errorFields(error), "The simulated gateway's socket server has failed"));
        server = next;
        const address = next.address();
        port = typeof address === "object" && address !== null ? address.port : wanted;
        resolve(port);
      });
    });

  return {
    listen,
    connections: (): readonly Connection[] => [...connections],
    /** Does `apply` to every connection, and to each that is accepted until then. */
    afflict: (untilWallMs: number, apply: (connection: Connection) => void): void => {
      afflictions.push({ untilMs: untilWallMs, apply });
      for (const connection of connections) apply(connection);
    },
    ignoreHandshakes: (untilWallMs: number): void => {
      deafUntilMs = untilWallMs;
    },
    refuse: (forMs: number): void => {
      server?.close();
      server = undefined;
      cancelReopen();
      cancelReopen = wall.after(forMs, () => {
        if (isStopped) return;
        listen(port).catch((error: unknown) =>
          log.error({ port, ...errorFields(error) }, "The simulated gateway could not open its port again"),
        );
      });
    },
    stop: async (): Promise<void> => {
      isStopped = true;
      cancelReopen();
      const closing = server;
      for (const connection of connections) connection.close("the simulated gateway stops", "after_sending");
      // What the kernel has not taken by the next turn is of a client that does not read: nobody waits for it.
      await new Promise((resolve) => setImmediate(resolve));
      for (const socket of sockets) socket.destroy();
      if (closing !== undefined) await new Promise<void>((resolve) => closing.close(() => resolve()));
    },
  };
}
