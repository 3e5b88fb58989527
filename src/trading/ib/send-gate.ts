// Paces what goes to the broker. The library's own limiter (4 messages in 100 ms) writes a queued message to whatever
// socket exists when its turn comes, also to the next connection's (measured): so the pace here stays strictly below it,
// and what has not left when the connection ends is known not to have left.
import type { Cancel, Clock } from "../../clock.ts";

/** Messages in one window where the broker's time is ours; the library takes 4. */
const MESSAGES_MAX = 3;
const WINDOW_MS = 110;
/** Order messages that may wait before a new entry is refused (control D13); exits are never refused. */
export const WAITING_ORDERS_MAX = 3;
/** Requests that may wait; above it the caller is refused. */
const WAITING_REQUESTS_MAX = 50;

/** One message: `send` puts it on the wire, `drop` is called instead when the connection ends first. */
export type Message = { readonly send: () => void; readonly drop: () => void };

/** Lets messages out in order, orders before requests. */
export type SendGate = {
  /** Returns how many order messages wait. */
  ordersWaiting(): number;
  order(message: Message): void;
  /** Returns false where too many wait already; `drop` is then not called. */
  request(message: Message): boolean;
  /** The connection is gone: everything that waits is dropped. */
  clear(): void;
};

/**
 * Returns a gate for one connection. The broker's limit holds in its own time: of a simulated one that runs `timesRealTime`
 * as fast as the machine's, so many times the messages are let through; never fewer than to a real one.
 */
export function createSendGate(wall: Clock, timesRealTime: number): SendGate {
  const messagesMax = Math.max(MESSAGES_MAX, Math.floor(MESSAGES_MAX * timesRealTime));
  const orders: Message[] = [];
  const requests: Message[] = [];
  /** One timer for each message of the present window. Waits, not times: a machine's time that is set must hold no exit back. */
  const inWindow: Cancel[] = [];

  const pump = (): void => {
    while (inWindow.length < messagesMax) {
      const message = orders.shift() ?? requests.shift();
      if (message === undefined) return;
      inWindow.push(
        wall.after(WINDOW_MS, () => {
          inWindow.shift();
          pump();
        }),
      );
      message.send();
    }
  };

  return {
    ordersWaiting: () => orders.length,
    order: (message) => {
      orders.push(message);
      pump();
    },
    request: (message) => {
      if (requests.length >= WAITING_REQUESTS_MAX) return false;
      requests.push(message);
      pump();
      return true;
    },
    clear: () => {
      for (const stop of inWindow.splice(0)) stop();
      for (const message of [...orders.splice(0), ...requests.splice(0)]) message.drop();
    },
  };
}
