// Draws in a thread of its own, so that a picture never delays a tick or a stop: drawing blocks its thread for some
// 50 ms. A worker that dies or hangs costs the pictures that it had, and the next one gets a new worker.
import { Worker } from "node:worker_threads";
import type { Cancel, Clock } from "../clock.ts";
import type { Figure } from "./figure.ts";

/** Draws figures. */
export type Painter = {
  /** Returns the PNG; rejects with the reason where it could not be drawn. */
  paint(figure: Figure): Promise<Uint8Array>;
  /** Ends the thread; pictures that are being drawn are rejected. */
  close(): Promise<void>;
};

/** A picture that takes longer is given up, and the worker with it. */
export const PICTURE_MS_MAX = 10_000;

/**
 * Returns a painter. `rendererUrl` is the compiled renderer; null draws in this thread, as it must where the program
 * runs from its sources, which a worker cannot load.
 */
export function createPainter(options: { wall: Clock; rendererUrl?: URL | null }): Painter {
  const url = options.rendererUrl === undefined ? compiledRenderer() : options.rendererUrl;
  return url === null ? paintHere() : paintApart(url, options.wall);
}

function compiledRenderer(): URL | null {
  return import.meta.url.endsWith(".ts") ? null : new URL("./render.js", import.meta.url);
}

function paintHere(): Painter {
  let renderer: Promise<{ png(figure: Figure): Promise<Uint8Array> }> | null = null;
  return {
    paint: async (figure) => {
      renderer ??= import("./render.ts").then((module) => module.createRenderer());
      return (await renderer).png(figure);
    },
    close: async () => {},
  };
}

type Answer = { readonly id: number; readonly bytes: Uint8Array } | { readonly id: number; readonly problem: string };
type Waiting = {
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (problem: Error) => void;
  readonly cancel: Cancel;
};

function paintApart(url: URL, wall: Clock): Painter {
  let worker: Worker | null = null;
  let nextId = 1;
  const waiting = new Map<number, Waiting>();

  const lose = (lost: Worker, problem: string): void => {
    if (worker !== lost) return;
    worker = null;
    for (const [id, one] of waiting) {
      waiting.delete(id);
      one.cancel();
      one.reject(new Error(problem));
    }
  };

  const start = (): Worker => {
    const started = new Worker(WORKER_SOURCE, { eval: true, workerData: { url: url.href } });
    // A program that has nothing else to do may end.
    started.unref();
    started.on("message", (answer: Answer) => {
      const one = waiting.get(answer.id);
      if (one === undefined) return;
      waiting.delete(answer.id);
      one.cancel();
      if ("bytes" in answer) one.resolve(answer.bytes);
      else one.reject(new Error(answer.problem));
    });
    started.on("error", (thrown: unknown) => {
      lose(started, `the drawing thread failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    });
    started.on("exit", () => lose(started, "the drawing thread ended"));
    return started;
  };

  return {
    paint: (figure) =>
      new Promise((resolve, reject) => {
        worker ??= start();
        const mine = worker;
        const id = nextId++;
        const cancel = wall.after(PICTURE_MS_MAX, () => {
          lose(mine, `the picture was not drawn within ${PICTURE_MS_MAX / 1_000} s`);
          void mine.terminate();
        });
        waiting.set(id, { resolve, reject, cancel });
        mine.postMessage({ id, figure });
      }),
    close: async () => {
      const last = worker;
      if (last === null) return;
      lose(last, "the program is stopping");
      await last.terminate();
    },
  };
}

/** Runs in the worker: CommonJS, since evaluated source is; the renderer is a module. */
const WORKER_SOURCE = `
const { parentPort, workerData } = require("node:worker_threads");
const renderer = import(workerData.url).then((module) => module.createRenderer());
parentPort.on("message", async ({ id, figure }) => {
  try {
    const bytes = new Uint8Array(await (await renderer).png(figure));
    parentPort.postMessage({ id, bytes }, [bytes.buffer]);
  } catch (thrown) {
    parentPort.postMessage({ id, problem: thrown instanceof Error ? thrown.message : String(thrown) });
  }
});
`;
