// Which stretches of sessions a sweep is judged by: the windows of a walk-forward, and equal blocks for the probability of
// overfitting. Pure. Positions end with their session, so a run over all sessions is the sum of its stretches.
import { err, ok, type Result } from "../result.ts";

/** Is a stretch of sessions by their places from 0, `to` not included. */
export type Span = { readonly from: number; readonly to: number };

/** Is one step of a walk: settings are chosen on `inside` and judged on `outside`, which follows it. */
export type WalkWindow = { readonly inside: Span; readonly outside: Span };

/** Is how long the windows are, in sessions. */
export type WalkLengths = { readonly inside: number; readonly outside: number };

/** Most blocks of the cross-validation: 12,870 splits. */
export const BLOCKS_MAX = 16;
const BLOCKS_MIN = 4;
/** With fewer sessions in a block its Sharpe ratio is none. */
const BLOCK_SESSIONS_MIN = 2;
const WINDOWS_MAX = 500;

/** Returns the lengths that "60:20" says, or what is wrong. */
export function readWalkLengths(written: string): Result<WalkLengths, string> {
  const match = /^\s*(\d{1,6})\s*:\s*(\d{1,6})\s*$/.exec(written);
  const [inside, outside] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || inside < 2 || outside < 1)
    return err(
      `--walk-forward ${written}: write two numbers of trading days, such as 60:20 (chosen on 60, judged on the 20 after them); at least 2 and 1.`,
    );
  return ok({ inside, outside });
}

/** Returns the windows over `sessions` sessions, each as far after the one before as it is judged; the last may be shorter. */
export function walkWindows(sessions: number, { inside, outside }: WalkLengths): Result<readonly WalkWindow[], string> {
  const count = Math.ceil((sessions - inside) / outside);
  if (count < 1)
    return err(
      `The data has ${sessions} trading ${sessions === 1 ? "day" : "days"}, too few for a walk-forward of ${inside}:${outside}: give more data, or shorter windows.`,
    );
  if (count > WINDOWS_MAX)
    return err(`A walk-forward of ${inside}:${outside} has ${count} windows; ${WINDOWS_MAX} is the most.`);
  return ok(
    Array.from({ length: count }, (_, at) => {
      const middle = at * outside + inside;
      return {
        inside: { from: middle - inside, to: middle },
        outside: { from: middle, to: Math.min(middle + outside, sessions) },
      };
    }),
  );
}

/** Returns equal blocks over the newest sessions, an even number up to 16; none where there are too few sessions. */
export function blocksOf(sessions: number): readonly Span[] {
  const count = Math.min(BLOCKS_MAX, 2 * Math.floor(sessions / BLOCK_SESSIONS_MIN / 2));
  if (count < BLOCKS_MIN) return [];
  const length = Math.floor(sessions / count);
  const first = sessions - count * length;
  return Array.from({ length: count }, (_, at) => ({ from: first + at * length, to: first + (at + 1) * length }));
}
