// The desk over HTTP for machines: health, metrics, and the door that the emergency flatten knocks on. Loopback only
// unless the settings say otherwise.
import { type ServerType, serve } from "@hono/node-server";
import { Hono } from "hono";
import { errorFields, type Log } from "../log.ts";
import { err, ok, type Result } from "../result.ts";
import type { Desk } from "../trading/desk.ts";
import { isLocalHost, isToken, removeControlFile, writeControlFile } from "./access.ts";
import { livenessProblems, metrics, readinessProblems } from "./health.ts";

/** Is the running server. */
export type Dashboard = { readonly port: number; close(): Promise<void> };

/** Why it can't be started. */
export type DashboardProblem = { readonly type: "port_busy"; readonly port: number };

const CONSOLE = { id: 0, name: "console" };

/** Starts the server; port 0 takes a free one. */
export async function startDashboard(options: {
  readonly desk: Desk;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number;
  readonly log: Log;
}): Promise<Result<Dashboard, DashboardProblem>> {
  const { desk, host, dataDir, log } = options;
  let token = "";
  const app = new Hono();

  app.use(async (context, next) => {
    if (!isLocalHost(context.req.header("host"))) return context.text("this server answers to local names only\n", 403);
    context.header("X-Content-Type-Options", "nosniff");
    context.header("Cache-Control", "no-store");
    await next();
    return undefined;
  });
  app.get("/healthz", (context) => {
    const problems = livenessProblems(desk.snapshot());
    return context.json({ alive: problems.length === 0, problems }, problems.length === 0 ? 200 : 503);
  });
  app.get("/readyz", (context) => {
    const problems = readinessProblems(desk.snapshot());
    return context.json({ ready: problems.length === 0, problems }, problems.length === 0 ? 200 : 503);
  });
  app.get("/metrics", (context) =>
    context.text(metrics(desk.snapshot()), 200, { "Content-Type": "text/plain; version=0.0.4" }),
  );

  app.use("/control/*", async (context, next) => {
    if (!isToken(context.req.header("authorization"), token))
      return context.json({ error: "the token of control.json is needed" }, 401);
    await next();
    return undefined;
  });
  app.post("/control/flatten", async (context) =>
    context.json(await desk.flatten({ person: CONSOLE, updateId: null })),
  );
  app.get("/control/status", (context) => context.json(desk.snapshot().status));
  app.notFound((context) => context.json({ error: "there is /healthz, /readyz and /metrics" }, 404));
  app.onError((thrown, context) => {
    log.error(errorFields(thrown), "the local HTTP server met a fault");
    return context.json({ error: "a fault of the program; see its log" }, 500);
  });

  const listening = await listen(app, host, options.port);
  if (!listening.ok) return listening;
  const { server, port } = listening.value;
  token = writeControlFile(dataDir, port, options.pid).token;
  return ok({
    port,
    close: () =>
      new Promise((resolve) => {
        removeControlFile(dataDir);
        server.close(() => resolve());
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  });
}

function listen(
  app: Hono,
  host: string,
  port: number,
): Promise<Result<{ server: ServerType; port: number }, DashboardProblem>> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, (info) =>
      resolve(ok({ server, port: info.port })),
    );
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(err({ type: "port_busy", port }));
      else reject(error);
    });
  });
}
