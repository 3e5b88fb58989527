// The dead man's switch: asks for one address each minute while all is well. A watcher outside, which misses it, tells the
// owner of what the bot itself can't: that the bot, the machine or the network is gone.
import type { Cancel, Clock } from "./clock.ts";
import type { Log } from "./log.ts";

const EVERY_MS = 60_000;
/** The poll for messages has had its first answer by then. */
const FIRST_MS = 5_000;
const ASK_MS_MAX = 10_000;

/** Starts asking. `problems` says why not all is well, empty = well; the address is never logged, it may be a secret. */
export function startDeadMan(options: {
  url: string;
  problems: () => readonly string[];
  wall: Clock;
  log: Log;
  ask?: typeof fetch;
}): Cancel {
  const { url, problems, wall, log, ask = fetch } = options;
  let stop: Cancel = () => {};
  let isStopped = false;
  let silence = "";

  /** A lasting reason is said once. */
  const silent = (why: string): void => {
    if (why !== silence) log.warn({ why }, "the dead man's switch is not fed");
    silence = why;
  };

  const feed = async (): Promise<void> => {
    const why = problems();
    if (why.length > 0) return silent(why.join(", "));
    const controller = new AbortController();
    const giveUp = wall.after(ASK_MS_MAX, () => controller.abort());
    try {
      const answer = await ask(url, { signal: controller.signal });
      if (!answer.ok) return silent(`the address answers ${answer.status}`);
      silence = "";
    } catch {
      silent(controller.signal.aborted ? "the address does not answer" : "the address can't be reached");
    } finally {
      giveUp();
    }
  };

  const turn = (): void => {
    void feed().finally(() => {
      if (!isStopped) stop = wall.after(EVERY_MS, turn);
    });
  };
  stop = wall.after(FIRST_MS, turn);
  return () => {
    isStopped = true;
    stop();
  };
}
