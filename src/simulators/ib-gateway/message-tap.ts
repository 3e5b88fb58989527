// Looks at each message between clients and gateway: counts those that a fault waits for, and says which are lost,
// doubled, held back, overtaken or cut. While nothing is watched it costs one look at two empty lists.
import type { Clock } from "../../clock.ts";
import { isOfKind, type MessageKind, type MessageWay } from "./wire/kinds.ts";

/** Is what may become of a message. */
export type MessageAct = "drop" | "repeat" | "hold" | "swap" | "cut";

/** Is what is to become of the next messages of a kind. */
export type MessageFault = {
  readonly act: MessageAct;
  readonly kind: MessageKind;
  /** So many go well first. */
  readonly skip: number;
  readonly count: number;
  /** Is how long `hold` holds, in wall milliseconds. */
  readonly forMs: number;
};

/** Counts down to the n-th message of a kind. */
export type MessageWatch = {
  /** Is how many are still to come; 0 or below when the moment has come. */
  left(): number;
  stop(): void;
};

/** Looks at messages. */
export type MessageTap = {
  /** Returns what becomes of a message, using up what was armed for it; undefined where it simply passes. */
  pass(way: MessageWay, text: string): { readonly act: MessageAct; readonly forMs: number } | undefined;
  arm(fault: MessageFault): void;
  watch(kind: MessageKind, count: number): MessageWatch;
};

/** Returns a tap that lets everything pass. */
export function createMessageTap(): MessageTap {
  const armed: { readonly fault: MessageFault; skip: number; left: number }[] = [];
  const watches: { readonly kind: MessageKind; left: number }[] = [];
  return {
    pass: (way, text) => {
      if (armed.length === 0 && watches.length === 0) return undefined;
      for (const watch of watches) if (isOfKind(watch.kind, way, text)) watch.left -= 1;
      let met: (typeof armed)[number] | undefined;
      for (const one of armed) {
        if (!isOfKind(one.fault.kind, way, text)) continue;
        if (one.skip > 0) one.skip -= 1;
        else met ??= one;
      }
      if (met === undefined) return undefined;
      met.left -= 1;
      if (met.left === 0) armed.splice(armed.indexOf(met), 1);
      return met.fault;
    },
    arm: (fault) => {
      armed.push({ fault, skip: fault.skip, left: fault.count });
    },
    watch: (kind, count) => {
      const watch = { kind, left: count };
      watches.push(watch);
      return {
        left: () => watch.left,
        stop: () => {
          const at = watches.indexOf(watch);
          if (at >= 0) watches.splice(at, 1);
        },
      };
    },
  };
}

/** Returns a way for messages on which the tap's faults act; `go` takes each message that gets through, in its turn. */
export function createPassage(
  tap: MessageTap,
  way: MessageWay,
  wall: Clock,
  go: (text: string) => void,
  cut: (text: string) => void,
): (text: string) => void {
  const overtaken: string[] = [];
  /** Does what a fault wants; returns whether the message has got through. */
  const meet = (fault: { readonly act: MessageAct; readonly forMs: number }, text: string): boolean => {
    switch (fault.act) {
      case "drop":
        return false;
      case "hold":
        wall.after(fault.forMs, () => go(text));
        return false;
      case "swap":
        overtaken.push(text);
        return false;
      case "cut":
        cut(text);
        return false;
      case "repeat":
        go(text);
        go(text);
        return true;
      default:
        return fault.act satisfies never;
    }
  };
  return (text) => {
    const fault = tap.pass(way, text);
    if (fault === undefined) go(text);
    else if (!meet(fault, text)) return;
    if (overtaken.length > 0) for (const late of overtaken.splice(0)) go(late);
  };
}
