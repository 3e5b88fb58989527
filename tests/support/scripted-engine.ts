// An engine that decides what its events tell it to: the loop around it can be tested by itself. Like the real one it
// reads frames, keeps no clock, and gives the same effects however the frames are batched.
import type { Caused, Effect, Engine, Event, Status } from "../../src/engine.ts";
import { CODE_JSON, FRAME_CUT, FRAME_HEADER_BYTES, getInt64, kindOf, measureFrame } from "../../src/journal/format.ts";

/** Is an engine that can be made to break. */
export type ScriptedEngine = Engine & {
  /** Frames of inputs that it was given, in order. */
  readonly inputs: readonly { readonly seq: number; readonly atMs: number; readonly code: number }[];
  /** The events among them that are not market data. */
  readonly events: readonly Event[];
  /** Calls of `apply`, with how many inputs each had. */
  readonly batches: readonly number[];
  /** Makes the next `apply` throw `fault`. */
  breakWith(fault: Error): void;
};

/** Returns an event that causes `effects`. */
export function causes(...effects: Effect[]): Event {
  return { type: "told", class: "system", event: SCRIPT, lines: effects.map((effect) => JSON.stringify(effect)) };
}

const SCRIPT = "script";

/** Returns an engine that answers commands, and does what an event made by `causes` says. */
export function createScriptedEngine(): ScriptedEngine {
  const inputs: { seq: number; atMs: number; code: number }[] = [];
  const events: Event[] = [];
  const batches: number[] = [];
  let broken: Error | null = null;

  const decide = (event: Event): Effect[] => {
    if (event.type === "told" && event.event === SCRIPT) return event.lines.map((line) => JSON.parse(line) as Effect);
    if (event.type !== "command") return [];
    const { by, updateId, command } = event;
    const lines = [`${command.verb} is done`];
    return [{ type: "command_answered", by, updateId, verb: command.verb, accepted: true, repeated: false, lines }];
  };

  return {
    inputs,
    events,
    batches,
    breakWith: (fault) => {
      broken = fault;
    },
    apply: (frames) => {
      if (broken !== null) throw broken;
      const view = new DataView(frames.buffer, frames.byteOffset, frames.length);
      const effects: Caused[] = [];
      const before = inputs.length;
      for (let at = 0; at < frames.length; ) {
        const length = measureFrame(frames, view, at, frames.length);
        if (length <= FRAME_CUT) throw new Error(`no frame at ${at}`);
        const code = frames[at + 9] as number;
        if (kindOf(view.getUint16(at + 10, true)) === "input") {
          const seq = getInt64(view, at + 12);
          inputs.push({ seq, atMs: getInt64(view, at + 20), code });
          if (code === CODE_JSON) {
            const payload = Buffer.from(
              frames.buffer,
              frames.byteOffset + at + FRAME_HEADER_BYTES,
              length - FRAME_HEADER_BYTES,
            );
            const event = JSON.parse(payload.toString("utf8")) as Event;
            events.push(event);
            effects.push(...decide(event).map((effect) => ({ cause: seq, ...effect }) as Caused));
          }
        }
        at += length;
      }
      batches.push(inputs.length - before);
      return effects;
    },
    status: () => ({ highestOrderId: 0 }) as Status,
    snapshot: () => "{}",
    stateHash: () => "0".repeat(16),
  };
}
