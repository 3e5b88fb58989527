// The ledger: one JSON line for everything about orders that crossed the wire and everything that became of it.
// It is written at once, so that it is whole whatever happens to the program. Judges compare the bot's journal with it.
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Is one line's own fields; the time, the connection and the client are added. */
type LedgerEntry =
  | { readonly type: "connected" | "disconnected"; readonly reason?: string }
  | {
      /** A what-if is a question about margin: nothing works or fills because of it. */
      readonly type: "order" | "modify" | "swallowed" | "what_if";
      readonly orderId: number;
      readonly permId: number | null;
      readonly parentId: number;
      readonly orderRef: string;
      readonly action: string;
      readonly quantity: number;
      readonly orderType: string;
      readonly limitPrice: number | null;
      readonly auxPrice: number | null;
      readonly tif: string;
      readonly transmit: boolean;
      readonly whatIf: boolean;
    }
  | {
      readonly type: "cancel";
      readonly orderId: number;
      readonly permId: number | null;
      readonly orderRef: string | null;
    }
  | { readonly type: "global_cancel" }
  | {
      readonly type: "fill";
      readonly execId: string;
      readonly orderId: number;
      readonly permId: number;
      readonly orderRef: string;
      readonly action: string;
      readonly quantity: number;
      readonly price: number;
      readonly leavesQuantity: number;
      readonly feeCents: number;
    }
  | {
      readonly type: "correction";
      readonly execId: string;
      /** Is the execution that counts no more. */
      readonly replaces: string;
      readonly orderId: number;
      readonly permId: number;
      readonly orderRef: string;
      readonly action: string;
      readonly quantity: number;
      readonly price: number;
    }
  | {
      readonly type: "status";
      readonly orderId: number;
      readonly permId: number;
      readonly orderRef: string;
      readonly status: string;
      readonly filled: number;
      readonly remaining: number;
    }
  | { readonly type: "error"; readonly orderId: number; readonly code: number; readonly text: string }
  | { readonly type: "position"; readonly conId: number; readonly position: number }
  | { readonly type: "fault"; readonly fault: string };

/** Writes the ledger. */
export type Ledger = {
  /** Adds a line; connection 0 and client null are the gateway itself. */
  write(atMs: number, connection: number, clientId: number | null, entry: LedgerEntry): void;
  close(): void;
};

/** Returns a ledger that appends to a file, or one that keeps nothing. Throws what opening the file throws. */
export function openLedger(path: string | null): Ledger {
  if (path === null) return { write: () => {}, close: () => {} };
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "a", 0o600);
  let isOpen = true;
  return {
    write: (atMs, connection, clientId, entry) => {
      if (isOpen) writeSync(file, `${JSON.stringify({ atMs, connection, clientId, ...entry })}\n`);
    },
    close: () => {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}
