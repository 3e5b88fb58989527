// What can be done to the market from outside, as one JSON object with one field; everything else is refused by name.
import { err, ok, type Result } from "../../result.ts";

/** Speeds of the command line end at 1000; by the control a market can be hurried further. */
export const SPEED_MAX = 1_000_000;
/** Slower than this is no market any more, but a pause. */
export const SPEED_MIN = 0.1;
/** A step is at most a week. */
export const STEP_MS_MAX = 7 * 86_400_000;
const TICKS_MAX = 100_000;
const POSITION_MAX = 1_000;

/** Is one command. */
export type MarketCommand =
  | { readonly type: "pause" }
  | { readonly type: "resume" }
  /** 0 is a pause. */
  | { readonly type: "speed"; readonly speed: number | "max" }
  | { readonly type: "step"; readonly stepMs: number }
  | { readonly type: "jump_ticks"; readonly ticks: number }
  /** Signed contracts that the account is to hold. */
  | { readonly type: "position"; readonly position: number };

const NAMES = ["pause", "resume", "speed", "step", "jumpTicks", "position"] as const;

/** Returns a command from a JSON value, or the reason why it is none: what is wrong and what is allowed. */
export function parseMarketCommand(value: unknown): Result<MarketCommand, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return err(`a market command is a JSON object with one of ${NAMES.join(", ")}, such as {"speed": 10}`);
  const entries = Object.entries(value);
  const [name, given] = entries[0] ?? [];
  if (entries.length !== 1) return err(`give one of ${NAMES.join(", ")}, not ${entries.length} fields`);
  switch (name) {
    case "pause":
    case "resume":
      // Whatever else stands there is taken for "do it"; only a clear no is not.
      return given === false || given === null
        ? err(`${name} must be true; ${name === "pause" ? "resume" : "pause"} is its opposite`)
        : ok({ type: name });
    case "speed": {
      const isNumber = typeof given === "number" && (given === 0 || (given >= SPEED_MIN && given <= SPEED_MAX));
      if (given === "max" || isNumber) return ok({ type: "speed", speed: given });
      return err(`speed must be "max" or a number from ${SPEED_MIN} to ${SPEED_MAX}; 0 pauses`);
    }
    case "step":
      return isWhole(given, 1, STEP_MS_MAX)
        ? ok({ type: "step", stepMs: given })
        : err(`step must be a whole number of milliseconds from 1 to ${STEP_MS_MAX}`);
    case "jumpTicks":
      return isWhole(given, -TICKS_MAX, TICKS_MAX)
        ? ok({ type: "jump_ticks", ticks: given })
        : err(`jumpTicks must be a whole number of ticks from ${-TICKS_MAX} to ${TICKS_MAX}`);
    case "position":
      return isWhole(given, -POSITION_MAX, POSITION_MAX)
        ? ok({ type: "position", position: given })
        : err(`position must be a whole number of contracts from ${-POSITION_MAX} to ${POSITION_MAX}`);
    default:
      return err(`${JSON.stringify(name)} is no market command; give one of ${NAMES.join(", ")}`);
  }
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}
