// A program of ours as a process of its own, for end-to-end tests: started from the sources, watched by what it prints.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A running program. */
export type Program = {
  readonly pid: number;
  /** Everything printed so far, to standard output and error. */
  output(): string;
  /** Waits for a match in what was printed; rejects when the program ends without. */
  until(wanted: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code; −1 where a signal ended it. */
  readonly ended: Promise<number>;
};

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Ports 0 for everything that `run` opens. */
export const FREE_PORTS = ["--gateway-port", "0", "--chat-port", "0", "--http-port", "0"] as const;

/** Starts `main.ts` with these arguments; the environment holds nothing of ours but `environment`. */
export function startProgram(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Program {
  const { PATH = "", HOME = "" } = process.env;
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", MAIN, ...argv], {
    env: { PATH, HOME, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const listeners = new Set<() => void>();
  const heard = (): void => {
    for (const listener of [...listeners]) listener();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      heard();
    });
  }
  let hasEnded = false;
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      hasEnded = true;
      resolve(code ?? -1);
      heard();
    });
  });

  return {
    pid: child.pid ?? 0,
    output: () => text,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = wanted.exec(text);
          if (match === null && !hasEnded) return;
          listeners.delete(look);
          if (match === null) reject(new Error(`it ended without ${wanted}:\n${text}`));
          else resolve(match);
        };
        listeners.add(look);
        look();
      }),
    signal: (name) => void child.kill(name),
    ended,
  };
}
