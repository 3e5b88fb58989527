// The simulator's page and its control over HTTP, for people and judges: look at its state, make faults happen, move the
// market. It listens on loopback only, and answers nobody who came by another name or from another site's page.
import { type ServerType, serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { streamSSE } from "hono/streaming";
import type { Clock } from "../../clock.ts";
import { errorFields, type Log } from "../../log.ts";
import { err, ok, type Result } from "../../result.ts";
import { FAULT_FORMS } from "./fault-forms.ts";
import { parseFault, type ScriptedFault } from "./faults.ts";
import { type MarketCommand, parseMarketCommand } from "./market-command.ts";
import { LOG_START, type LogWish, type MessageLog } from "./message-log.ts";
import { PAGE_HEADERS, pageFile } from "./page-files.ts";
import { CHART_BARS_MS } from "./page-view.ts";

const BODY_BYTES_MAX = 65_536;
/** A page is told what has changed this often, in wall milliseconds. */
const TELL_MS = 500;
/** So many pages may follow at once; one more is refused. */
export const FOLLOWERS_MAX = 8;
/** The lowest price that a jump may lead to: the market goes on moving from there, and a price of 0 is none. */
const PRICE_TICKS_MIN = 400;

/** Is what the control reaches. */
export type ControlTargets = {
  readonly wall: Clock;
  readonly log: Log;
  readonly messages: MessageLog;
  state(): object;
  /** Returns what the page shows, with a chart of such bars. */
  view(barMs: number): object;
  addFault(fault: ScriptedFault): void;
  pause(): void;
  resume(): void;
  setSpeed(speed: number | "max"): void;
  /** Moves a paused market by so many milliseconds. */
  step(byMs: number): Promise<void>;
  isPaused(): boolean;
  /** Returns the contracts held, those that no order explains included. */
  position(): number;
  /** Returns the last price, in ticks; undefined where there is none yet. */
  lastTicks(): number | undefined;
};

/** Returns the running control. Rejects with the error of the port when it can't listen. */
export function startControl(port: number, targets: ControlTargets): Promise<{ port: number; stop(): Promise<void> }> {
  const app = new Hono();
  let followers = 0;
  let isStopping = false;
  let isStepping = false;

  app.use(
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: (context) => context.json({ error: `a command has at most ${BODY_BYTES_MAX} bytes` }, 413),
    }),
  );
  app.use(async (context, next) => {
    if (!isFromHere(context))
      return context.json({ error: "only pages and programs of this machine are answered" }, 403);
    await next();
    for (const [name, value] of Object.entries(PAGE_HEADERS)) context.header(name, value);
    return undefined;
  });
  app.get("/simulate/state", (context) => context.json({ banner: "SIMULATION", ...targets.state() }));
  app.get("/simulate/faults", (context) => context.json(FAULT_FORMS));
  app.post("/simulate/fault", async (context) => {
    const read = parseFault(await readJson(context.req));
    if (!read.ok) return context.json({ error: read.error }, 400);
    targets.addFault(read.value);
    return context.json({ done: true });
  });

  const move = async (command: MarketCommand): Promise<Result<void, string>> => {
    switch (command.type) {
      case "pause":
        targets.pause();
        return ok(undefined);
      case "resume":
        if (isStepping) return err("the market makes a step; resume it afterwards");
        targets.resume();
        return ok(undefined);
      case "speed":
        if (isStepping) return err("the market makes a step; set the speed afterwards");
        targets.setSpeed(command.speed);
        return ok(undefined);
      case "step":
        if (!targets.isPaused()) return err("the market runs; pause it before stepping");
        if (isStepping) return err("the market makes a step already");
        isStepping = true;
        await targets.step(command.stepMs).finally(() => {
          isStepping = false;
        });
        return ok(undefined);
      case "jump_ticks": {
        const lastTicks = targets.lastTicks();
        if (lastTicks !== undefined && lastTicks + command.ticks < PRICE_TICKS_MIN)
          return err(
            `the last price is ${lastTicks} ticks: jumpTicks may be ${PRICE_TICKS_MIN - lastTicks} at the lowest`,
          );
        targets.addFault({ when: { type: "at_once" }, fault: { fault: "price_jump", ticks: command.ticks } });
        return ok(undefined);
      }
      case "position": {
        const contracts = command.position - targets.position();
        if (contracts !== 0)
          targets.addFault({ when: { type: "at_once" }, fault: { fault: "position_shift", contracts } });
        return ok(undefined);
      }
      default:
        return command satisfies never;
    }
  };
  app.post("/simulate/market", async (context) => {
    const read = parseMarketCommand(await readJson(context.req));
    if (!read.ok) return context.json({ error: read.error }, 400);
    const moved = await move(read.value);
    return moved.ok ? context.json({ done: true }) : context.json({ error: moved.error }, 400);
  });

  app.get("/simulate/events", (context) => {
    const wish = readWish(context);
    if (!wish.ok) return context.json({ error: wish.error }, 400);
    if (followers >= FOLLOWERS_MAX)
      return context.json({ error: `${FOLLOWERS_MAX} pages follow already; close one of them` }, 503);
    followers += 1;
    return streamSSE(context, async (stream) => {
      let place = LOG_START;
      let told = "";
      try {
        // Each answer waits until the one before was taken: who reads slowly is told less often, and nothing piles up.
        while (!stream.aborted && !stream.closed && !isStopping) {
          const view = JSON.stringify(targets.view(wish.value.barMs));
          if (view !== told) await stream.writeSSE({ event: "view", data: view });
          told = view;
          const news = targets.messages.since(place, wish.value);
          place = news.place;
          if (news.lines.length > 0)
            await stream.writeSSE({
              event: "messages",
              data: JSON.stringify({ lines: news.lines, leftOut: news.leftOut }),
            });
          await new Promise<void>((resolve) => targets.wall.after(TELL_MS, resolve));
        }
      } finally {
        followers -= 1;
      }
    });
  });
  app.get("*", async (context) => {
    const file = await pageFile(context.req.path);
    if (file === undefined) return context.json({ error: "there is no such page" }, 404);
    return context.body(file.bytes, 200, { "Content-Type": file.type });
  });
  app.onError((thrown, context) => {
    targets.log.error(errorFields(thrown), "The simulated gateway's page met a fault");
    return context.json({ error: "a fault of the program; see its log" }, 500);
  });

  return new Promise((resolve, reject) => {
    const server: ServerType = serve({ fetch: app.fetch, hostname: "127.0.0.1", port }, (info) => {
      server.removeListener("error", reject);
      resolve({
        port: info.port,
        stop: () =>
          new Promise((stopped) => {
            isStopping = true;
            server.close(() => stopped());
            if ("closeAllConnections" in server) server.closeAllConnections();
          }),
      });
    });
    server.once("error", reject);
  });
}

const LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"];

/**
 * Is true when Host, and Origin where a browser names one, are loopback names: a page of another site can't reach the
 * market by pointing its own name at 127.0.0.1 (DNS rebinding), nor by sending a form here.
 */
function isFromHere(context: Context): boolean {
  const host = context.req.header("host");
  if (host === undefined || !LOOPBACK_NAMES.includes(hostName(host))) return false;
  const origin = context.req.header("origin");
  if (origin === undefined) return true;
  const [, originHost] = /^https?:\/\/([^/]+)$/.exec(origin) ?? [];
  return originHost !== undefined && LOOPBACK_NAMES.includes(hostName(originHost));
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "");
}

/** Returns what a page wants to follow. */
function readWish(context: Context): Result<LogWish & { barMs: number }, string> {
  const query = context.req.query();
  const barMs = Number(query["barMs"] ?? CHART_BARS_MS[0]);
  if (!CHART_BARS_MS.some((known) => known === barMs)) return err(`barMs must be one of ${CHART_BARS_MS.join(", ")}`);
  const connection = query["connection"] === undefined ? null : Number(query["connection"]);
  if (connection !== null && !(Number.isInteger(connection) && connection > 0))
    return err("connection must be the number of a connection");
  return ok({ barMs, connection, marketData: query["marketData"] === "1" });
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
