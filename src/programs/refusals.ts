// What the gateway offers and we must not take (an account of real money, a client id in other hands): entries are halted
// each time, and a person is told once, then hourly. The link tries again each minute: an alarm with each try would hide others.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Session } from "../trading/session.ts";

/** The same refusal is told again after so long. */
export const REPEAT_REFUSAL_MS = 3_600_000;

/** Returns what hears of a refusal: its control and the figures, for a person. */
export function createRefusals(parts: {
  readonly session: Pick<Session, "receive">;
  /** The machine's clock. */
  readonly wall: Clock;
  readonly log: Log;
}): (control: string, detail: string) => void {
  const { session, wall, log } = parts;
  const toldAtMs = new Map<string, number>();
  return (control, detail) => {
    log.error({ control, detail }, "the broker's offer was refused; entries are halted");
    const before = toldAtMs.get(control);
    const nowMs = wall.nowMs();
    if (before === undefined || nowMs - before >= REPEAT_REFUSAL_MS) {
      toldAtMs.set(control, nowMs);
      session.receive({ type: "told", class: "critical", event: control, lines: [detail] });
    }
    // Each time: somebody may have armed while nothing was mended.
    session.receive({ type: "command", by: control, updateId: null, command: { verb: "halt", reason: detail } });
  };
}
