// Questions with an id or a kind, their answers collected until the end marker, each with a deadline on the wall clock.
import type { Cancel, Clock } from "../../clock.ts";
import { err, ok, type Result } from "../../result.ts";
import type { GatewayProblem } from "../gateway.ts";

/** Request ids start far above every order id, so that an error's id says which of the two it means. */
export const REQUEST_ID_FIRST = 1_000_000_000;

type Waiting = {
  readonly rows: unknown[];
  readonly settle: (result: Result<readonly unknown[], GatewayProblem>) => void;
  readonly stop: Cancel;
};

/** The open questions of one connection, by key: a request id, or the name of a question that has none. */
export type Requests = {
  /** Returns a new request id. */
  nextId(): number;
  /** Opens a question; a second one of the same key joins the first. Resolves at `end`, `refuse`, the deadline or `clear`. */
  open<Row>(key: number | string, waitMs: number, ask: () => boolean): Promise<Result<readonly Row[], GatewayProblem>>;
  isOpen(key: number | string): boolean;
  /** Adds a row to an open question; returns false where it is not open. */
  add(key: number | string, row: unknown): boolean;
  rows(key: number | string): unknown[] | undefined;
  end(key: number | string): void;
  refuse(key: number | string, code: number, text: string): boolean;
  /** The connection is gone: every question fails. */
  clear(detail: string): void;
};

/** Returns the questions of one connection. */
export function createRequests(wall: Clock): Requests {
  const waiting = new Map<number | string, Waiting>();
  const joined = new Map<number | string, Promise<Result<readonly unknown[], GatewayProblem>>>();
  let nextId = REQUEST_ID_FIRST;

  const finish = (key: number | string, result: Result<readonly unknown[], GatewayProblem>): boolean => {
    const question = waiting.get(key);
    if (question === undefined) return false;
    waiting.delete(key);
    joined.delete(key);
    question.stop();
    question.settle(result);
    return true;
  };

  return {
    nextId: () => nextId++,
    open: <Row>(key: number | string, waitMs: number, ask: () => boolean) => {
      const existing = joined.get(key);
      if (existing !== undefined) return existing as Promise<Result<readonly Row[], GatewayProblem>>;
      const answer = new Promise<Result<readonly unknown[], GatewayProblem>>((settle) => {
        const stop = wall.after(waitMs, () => finish(key, err({ type: "timed_out", afterMs: waitMs })));
        waiting.set(key, { rows: [], settle, stop });
      });
      joined.set(key, answer);
      if (!ask()) finish(key, err({ type: "refused", code: 100, text: "too many requests wait already" }));
      return answer as Promise<Result<readonly Row[], GatewayProblem>>;
    },
    isOpen: (key) => waiting.has(key),
    add: (key, row) => {
      const question = waiting.get(key);
      question?.rows.push(row);
      return question !== undefined;
    },
    rows: (key) => waiting.get(key)?.rows,
    end: (key) => {
      const question = waiting.get(key);
      if (question !== undefined) finish(key, ok(question.rows));
    },
    refuse: (key, code, text) => finish(key, err({ type: "refused", code, text })),
    clear: (detail) => {
      for (const key of [...waiting.keys()]) finish(key, err({ type: "link_down", detail }));
    },
  };
}
