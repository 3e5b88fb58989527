// The HTTP server: who is asked for (a bot's method, a bot's file, the control side, the page), faults, the one place where
// refusals become answers, and the record of calls.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { DateTime } from "luxon";
import type { Clock } from "../../clock.ts";
import { errorFields, type Log } from "../../log.ts";
import type { Bots } from "./bots.ts";
import type { CallBook } from "./call-record.ts";
import { type ControlDesk, control } from "./control.ts";
import type { FaultKind, FaultPlan } from "./faults.ts";
import { answer, answerJson, isFromHere, readBody } from "./http.ts";
import type { Reply } from "./methods/call.ts";
import { findMethod } from "./methods/table.ts";
import { PAGE_HEADERS, pageFile } from "./page-files.ts";
import { Parameters, readParameters } from "./parameters.ts";
import { methodNotFound, notFound, Refusal, restarting, tooLarge } from "./refusal.ts";
import type { Account, World } from "./world.ts";

/** Connections at once; more are refused by the listener. */
const CONNECTIONS_MAX = 500;
/** An idle connection is kept longer than clients keep theirs (5 to 30 s), so that none is closed under a request. */
const KEEP_ALIVE_MS = 75_000;

/** Is what the server is put together from. */
export type Parts = {
  clock: Clock;
  world: World;
  bots: Bots;
  faults: FaultPlan;
  calls: CallBook;
  control: ControlDesk;
  isFloodLimited: boolean;
  log: Log;
};

/** Returns a server that isn't listening yet. */
export function createBotApi(parts: Parts): Server {
  const open = new Set<ServerResponse>();
  parts.faults.onOutage = () => {
    for (const response of open) response.destroy();
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    response.on("error", (thrown) => parts.log.debug(errorFields(thrown), "A client left before its answer"));
    if (isOfBot(request)) {
      open.add(response);
      response.once("close", () => open.delete(response));
    }
    respond(parts, request, response).catch((thrown: unknown) => {
      parts.log.error({ ...errorFields(thrown), path: pathOf(request) }, "The Bot API server failed at a request");
      answerJson(response, 500, { ok: false, error_code: 500, description: restarting().description });
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.on("clientError", (thrown, socket) => {
    parts.log.debug(errorFields(thrown), "A client sent what is no HTTP");
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  return server;
}

const isOfBot = (request: IncomingMessage): boolean => request.url?.startsWith("/bot") === true;

async function respond(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.sendDate = false;
  // Clients take the server's time from here: it is the clock that dates the messages.
  response.setHeader("Date", DateTime.fromMillis(parts.world.dateMs()).toHTTP() ?? "");
  const target = request.url ?? "/";
  if (!URL.canParse(target, "http://localhost")) return answerRefusal(response, notFound());
  const url = new URL(target, "http://localhost");
  const [, token, rest] = /^\/bot([^/]+)\/(.+?)\/?$/.exec(url.pathname) ?? [];
  // A bot sends no Origin; a browser does, and a page of another site has no business here.
  const isForeignPage = request.headers.origin !== undefined && !isFromHere(request);
  if (token !== undefined && rest !== undefined && !isForeignPage) {
    return respondToBot(parts, request, response, { token: decoded(token), methodName: rest, query: url.searchParams });
  }
  const [, fileToken, filePath] = /^\/file\/bot([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
  if (fileToken !== undefined && filePath !== undefined) {
    return respondWithBotFile(parts, response, decoded(fileToken), decoded(filePath));
  }
  if (/^\/(bot|file)/.test(url.pathname) && !isForeignPage) return answerRefusal(response, notFound());
  if (!isFromHere(request)) {
    return answerJson(response, 403, { ok: false, description: "this page is for this machine only" });
  }
  if (url.pathname.startsWith("/simulate/")) return respondToControl(parts, request, response, url);
  return respondWithPage(request, response, url.pathname);
}

type BotRequest = { token: string; methodName: string; query: URLSearchParams };

async function respondToBot(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
  { token, methodName, query }: BotRequest,
): Promise<void> {
  const beginMs = parts.clock.nowMs();
  const body = await readBody(request);
  if (!body.ok && body.error === "client_gone") return;
  let parameters = new Parameters(query);
  let account: Account | undefined;
  const method = findMethod(methodName);
  const record = (status: number, given: unknown): void =>
    parts.calls.add({
      atMs: beginMs,
      durationMs: parts.clock.nowMs() - beginMs,
      bot: account?.me.id ?? 0,
      method: method?.[0] ?? methodName,
      parameters: parameters.recorded(),
      status,
      answer: given,
    });
  try {
    account = parts.bots.enter(token);
    if (!body.ok) throw tooLarge();
    parameters = readParameters(query, request.headers["content-type"] ?? "", body.value);
    if (method === undefined) throw methodNotFound();
    const fault = parts.faults.next(method[0]);
    if (fault !== undefined && (await meetFault(parts.clock, fault, response)) === "answered") {
      record(response.headersSent ? response.statusCode : 0, { fault: fault.kind });
      return;
    }
    if (account.isClosed) throw new Refusal(400, "Bad Request: the bot has already been closed");
    const reply = await method[1]({
      world: parts.world,
      account,
      parameters,
      isFloodLimited: parts.isFloodLimited,
      signal: closedSignal(response),
    });
    if (fault?.kind === "drop") {
      record(0, { fault: "drop", result: reply.result });
      response.destroy();
      return;
    }
    answerReply(response, reply);
    record(response.destroyed ? 0 : 200, okBody(reply));
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    answerRefusal(response, thrown);
    record(thrown.code, refusalBody(thrown));
  }
}

/** Lets a fault act; "go_on" when the call is to be run after it. */
async function meetFault(clock: Clock, fault: FaultKind, response: ServerResponse): Promise<"answered" | "go_on"> {
  switch (fault.kind) {
    case "status": {
      const parameters = fault.retryAfterSeconds === undefined ? undefined : { retry_after: fault.retryAfterSeconds };
      answerRefusal(response, new Refusal(fault.code, fault.description, parameters));
      return "answered";
    }
    case "html":
      answer(response, fault.code, { "Content-Type": "text/html" }, htmlBody(fault.code));
      return "answered";
    case "hang":
      // No answer until the client gives up or the server closes; recorded then, as one without an answer.
      await new Promise<void>((resolve) => onClosed(response, resolve));
      return "answered";
    case "delay":
      await new Promise<void>((resolve) => {
        const stopTimer = clock.after(fault.delayMs, resolve);
        onClosed(response, () => {
          stopTimer();
          resolve();
        });
      });
      return "go_on";
    case "reset":
      response.destroy();
      return "answered";
    case "drop":
      return "go_on";
    default:
      return fault satisfies never;
  }
}

function htmlBody(code: number): string {
  const title = code === 504 ? "504 Gateway Time-out" : `${code} Bad Gateway`;
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
}

function respondWithBotFile(parts: Parts, response: ServerResponse, token: string, path: string): void {
  try {
    parts.bots.enter(token);
    const file = parts.world.files.byPath(path);
    const bytes = file === undefined ? undefined : parts.world.files.read(file);
    if (bytes === undefined) throw notFound();
    answer(response, 200, { "Content-Type": "application/octet-stream" }, bytes);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    answerRefusal(response, thrown);
  }
}

const OPENING_BRACE = 0x7b;

async function respondToControl(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const path = decoded(url.pathname.slice("/simulate/".length));
  if (request.method === "GET" && path.startsWith("file/")) {
    return respondWithShownFile(parts, response, path.slice("file/".length), url.searchParams.has("download"));
  }
  const body = await readBody(request);
  if (!body.ok) return answerJson(response, 413, { ok: false, description: "the body is too large" });
  // `curl -d '{…}'` says that its JSON is a form.
  const isObject = body.value[0] === OPENING_BRACE;
  const contentType = isObject ? "application/json" : (request.headers["content-type"] ?? "");
  try {
    const { status, body: given } = await control(parts.control, {
      verb: request.method ?? "GET",
      path,
      parameters: readParameters(url.searchParams, contentType, body.value),
      signal: closedSignal(response),
    });
    answerJson(response, status, given, { "Cache-Control": "no-store" });
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    answerJson(response, thrown.code, { ok: false, description: thrown.description });
  }
}

/** Pictures of the four known formats may be shown by the page; everything else only ever leaves as a download. */
function respondWithShownFile(parts: Parts, response: ServerResponse, uniqueId: string, isDownload: boolean): void {
  const file = parts.world.files.byUniqueId(uniqueId);
  const bytes = file === undefined ? undefined : parts.world.files.read(file);
  if (file === undefined || bytes === undefined) {
    answerRefusal(response, notFound());
    return;
  }
  const isPicture = file.width > 0 && !isDownload;
  const name = encodeURIComponent(file.name === "" ? (file.path.split("/").at(-1) ?? "file") : file.name);
  answer(
    response,
    200,
    {
      "Content-Type": isPicture ? file.mime : "application/octet-stream",
      "Content-Disposition": isPicture ? "inline" : `attachment; filename*=UTF-8''${name}`,
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "private, max-age=86400, immutable",
      "Content-Security-Policy": "default-src 'none'",
    },
    bytes,
  );
}

async function respondWithPage(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") return answerRefusal(response, notFound());
  const file = await pageFile(path);
  if (file === undefined) return answerRefusal(response, notFound());
  answer(response, 200, { ...PAGE_HEADERS, "Content-Type": file.type }, file.bytes);
}

function answerReply(response: ServerResponse, reply: Reply): void {
  answerJson(response, 200, okBody(reply));
}

function okBody({ result, description }: Reply): object {
  return description === undefined ? { ok: true, result } : { ok: true, result, description };
}

function answerRefusal(response: ServerResponse, refusal: Refusal): void {
  const retryAfter = refusal.parameters?.retry_after;
  const headers = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
  answerJson(response, refusal.code, refusalBody(refusal), headers);
}

function refusalBody({ code, description, parameters }: Refusal): object {
  return { ok: false, error_code: code, description, ...(parameters === undefined ? {} : { parameters }) };
}

/** Returns a signal that fires when the connection closes before the answer is out. */
function closedSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  onClosed(response, () => controller.abort());
  return controller.signal;
}

function onClosed(response: ServerResponse, act: () => void): void {
  if (response.destroyed) act();
  else response.once("close", act);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?")[0] ?? "";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    if (cause instanceof URIError) return text;
    throw cause;
  }
}
