// Follows every TCP connection that has both its ends in this process, and the disk, to tell when nothing is under way:
// what a test on a clock that it moves itself waits for instead of time.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** Tells when this process is at rest. */
export type Rest = {
  /** Resolves when no byte is on its way, no file is being written, and several turns of the loop brought nothing. */
  quiet(): Promise<void>;
  stop(): void;
};

/** A request is answered within the turn that brings it, and handed on within a few. */
const QUIET_TURNS = 6;
const QUIET_TURNS_MAX = 2_000_000;

/** Follows all connections that are made from now on. */
export function watchRest(): Rest {
  const clients = new Set<Socket>();
  /** By both ports: one port of a client may lead to several servers. */
  const servers = new Map<string, Socket>();
  /** Bytes that passed on connections which are gone. */
  let gone = 0;
  const onClient = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    clients.add(socket);
    socket.once("close", () => {
      clients.delete(socket);
      gone += 1;
    });
  };
  const onServer = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    const ports = `${socket.localPort} ${socket.remotePort}`;
    servers.set(ports, socket);
    socket.once("close", () => {
      if (servers.get(ports) === socket) servers.delete(ports);
      gone += 1;
    });
  };
  subscribe("net.client.socket", onClient);
  subscribe("net.server.socket", onServer);

  /** Returns a text that is another one after anything has moved; null while something is on its way. */
  const look = (): string | null => {
    if (process.getActiveResourcesInfo().some((name) => name.startsWith("FSReq"))) return null;
    let seen = `${gone}`;
    for (const client of clients) {
      if (client.connecting) return null;
      const server = servers.get(`${client.remotePort} ${client.localPort}`);
      if (server === undefined || client.destroyed || server.destroyed) continue;
      if (client.bytesRead !== server.bytesWritten || server.bytesRead !== client.bytesWritten) return null;
      seen += ` ${client.bytesRead} ${client.bytesWritten}`;
    }
    return seen;
  };

  return {
    quiet: async () => {
      let before: string | null = null;
      for (let calm = 0, turns = 0; calm < QUIET_TURNS; turns++) {
        if (turns > QUIET_TURNS_MAX) throw new Error("this process does not come to rest");
        await new Promise((resolve) => setImmediate(resolve));
        const now = look();
        calm = now !== null && now === before ? calm + 1 : 0;
        before = now;
      }
    },
    stop: () => {
      unsubscribe("net.client.socket", onClient);
      unsubscribe("net.server.socket", onServer);
    },
  };
}
