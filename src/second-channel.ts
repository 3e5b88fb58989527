// The way round the chat: web hooks and commands that get a critical notice which the chat server has not taken in time.
import { spawn } from "node:child_process";
import type { Clock } from "./clock.ts";
import { errorFields, type Log } from "./log.ts";

/** Tells every target; never rejects. What fails is logged without its address, which may be a secret. */
export type SecondChannel = { tell(text: string): Promise<void> };

/** A target gets so long. */
const TELL_MS_MAX = 15_000;

/**
 * Returns a channel to these targets: a URL beginning with http:// or https:// gets a POST of `{"text": …}` as JSON, which
 * chat services take for a web hook; anything else is a command for the shell, with the text on its standard input.
 */
export function createSecondChannel(options: {
  targets: readonly string[];
  wall: Clock;
  log: Log;
  ask?: typeof fetch;
}): SecondChannel {
  const { targets, wall, log, ask = fetch } = options;

  const tellOne = async (target: string, text: string): Promise<void> => {
    const controller = new AbortController();
    const stop = wall.after(TELL_MS_MAX, () => controller.abort());
    try {
      if (/^https?:\/\//i.test(target)) await post(ask, target, text, controller.signal);
      else await run(target, text, controller.signal);
    } finally {
      stop();
    }
  };

  return {
    tell: async (text) => {
      const told = await Promise.allSettled(targets.map((target) => tellOne(target, text)));
      for (const [index, result] of told.entries()) {
        if (result.status === "fulfilled") log.info({ target: index + 1 }, "the second channel took a critical notice");
        else
          log.error(
            { target: index + 1, errorMessage: errorFields(result.reason).errorMessage },
            "a target of notices.secondChannel did not take a critical notice",
          );
      }
    },
  };
}

async function post(ask: typeof fetch, url: string, text: string, signal: AbortSignal): Promise<void> {
  let answer: Response;
  try {
    answer = await ask(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
      signal,
    });
  } catch {
    // The words of a failed request can hold the address.
    throw new Error(signal.aborted ? "no answer in time" : "the address can't be reached");
  }
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
}

function run(command: string, text: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ["pipe", "ignore", "ignore"], signal });
    child.once("error", () => reject(new Error(signal.aborted ? "it did not end in time" : "it could not be started")));
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`it ended with code ${code}`))));
    // A command that reads nothing ends the pipe early, which is no failure of its own.
    child.stdin.once("error", () => {});
    child.stdin.end(text);
  });
}
