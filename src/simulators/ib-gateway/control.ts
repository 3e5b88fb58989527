// The simulator's control over HTTP, for judges and people: look at its state, make faults happen, move the market.
// It listens on loopback only.
import { type ServerType, serve } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { err, ok, type Result } from "../../result.ts";
import { parseFault, type ScriptedFault } from "./faults.ts";

const BODY_BYTES_MAX = 65_536;
const SPEED_MAX = 1_000_000;
const STEP_MS_MAX = 7 * 86_400_000;

/** Is what the control reaches. */
export type ControlTargets = {
  state(): object;
  addFault(fault: ScriptedFault): void;
  pause(): void;
  resume(): void;
  setSpeed(speed: number | "max"): void;
  /** Moves a paused market by so many milliseconds. */
  step(byMs: number): Promise<void>;
  isPaused(): boolean;
};

/** Returns the running control. Rejects with the error of the port when it can't listen. */
export function startControl(port: number, targets: ControlTargets): Promise<{ port: number; stop(): Promise<void> }> {
  const app = new Hono();
  app.use(bodyLimit({ maxSize: BODY_BYTES_MAX }));
  app.use(async (context, next) => {
    // A page on the web must not reach this through a name that it made point to loopback.
    const host = (context.req.header("host") ?? "").replace(/:\d+$/, "");
    if (host !== "127.0.0.1" && host !== "localhost" && host !== "[::1]")
      return context.json({ error: "only loopback names are answered" }, 403);
    return next();
  });
  app.get("/simulate/state", (context) => context.json({ banner: "SIMULATION", ...targets.state() }));
  app.post("/simulate/fault", async (context) => {
    const read = parseFault(await readJson(context.req));
    if (!read.ok) return context.json({ error: read.error }, 400);
    targets.addFault(read.value);
    return context.json({ done: true });
  });
  app.post("/simulate/market", async (context) => {
    const moved = await move(targets, await readJson(context.req));
    return moved.ok ? context.json({ done: true }) : context.json({ error: moved.error }, 400);
  });

  return new Promise((resolve, reject) => {
    const server: ServerType = serve({ fetch: app.fetch, hostname: "127.0.0.1", port }, (info) => {
      server.removeListener("error", reject);
      resolve({
        port: info.port,
        stop: () =>
          new Promise((stopped) => {
            server.close(() => stopped());
            if ("closeAllConnections" in server) server.closeAllConnections();
          }),
      });
    });
    server.once("error", reject);
  });
}

/** Does what one market command says. */
async function move(targets: ControlTargets, value: unknown): Promise<Result<void, string>> {
  if (typeof value !== "object" || value === null) return err("a market command is a JSON object");
  const entries = Object.entries(value);
  const [name, given] = entries[0] ?? [];
  if (entries.length !== 1) return err("give one of pause, resume, speed, step, jumpTicks, position");
  switch (name) {
    case "pause":
      targets.pause();
      return ok(undefined);
    case "resume":
      targets.resume();
      return ok(undefined);
    case "speed":
      if (given !== "max" && !(typeof given === "number" && given >= 0 && given <= SPEED_MAX))
        return err(`speed must be "max" or a number from 0 to ${SPEED_MAX}`);
      targets.setSpeed(given);
      return ok(undefined);
    case "step":
      if (typeof given !== "number" || !Number.isInteger(given) || given < 1 || given > STEP_MS_MAX)
        return err(`step must be a whole number of milliseconds from 1 to ${STEP_MS_MAX}`);
      if (!targets.isPaused()) return err("the market runs; pause it before stepping");
      await targets.step(given);
      return ok(undefined);
    case "jumpTicks": {
      const read = parseFault({ fault: "price_jump", ticks: given });
      if (!read.ok) return err(read.error);
      targets.addFault(read.value);
      return ok(undefined);
    }
    case "position": {
      const read = parseFault({ fault: "position_shift", contracts: given });
      if (!read.ok) return err(read.error);
      targets.addFault(read.value);
      return ok(undefined);
    }
    default:
      return err(
        `${JSON.stringify(name)} is no market command; give one of pause, resume, speed, step, jumpTicks, position`,
      );
  }
}

/** Returns the body's value; undefined for what is no JSON, which every reader refuses. */
async function readJson(request: { text(): Promise<string> }): Promise<unknown> {
  const text = await request.text();
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
