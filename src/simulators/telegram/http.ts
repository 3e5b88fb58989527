// The HTTP that both sides of the server share: reading a body within its limit, answering, and refusing foreign hosts.
import type { IncomingMessage, ServerResponse } from "node:http";
import { err, ok, type Result } from "../../result.ts";

/** An upload of 50 MB and the form around it. */
const BODY_BYTES_MAX = 52 * 1024 * 1024;
/** A larger body is read to its end and thrown away, so that the client hears the 413; beyond this it is cut off. */
const BODY_BYTES_READ_MAX = 256 * 1024 * 1024;

/** Reads a body; an error for one that is too large or whose sender went away. */
export async function readBody(request: IncomingMessage): Promise<Result<Buffer, "too_large" | "client_gone">> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      const buffer = Buffer.from(chunk);
      bytes += buffer.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(buffer);
      else chunks.length = 0;
      if (bytes > BODY_BYTES_READ_MAX) break;
    }
  } catch (cause) {
    // The stream's own error: the connection was closed or reset before the body's end.
    if (cause instanceof Error && "code" in cause) return err("client_gone");
    throw cause;
  }
  return bytes > BODY_BYTES_MAX ? err("too_large") : ok(Buffer.concat(chunks));
}

/** Sends a whole answer, unless the client is gone. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string | number>>,
  body: string | Buffer,
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

/** Sends a JSON answer. */
export function answerJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer(response, status, { "Content-Type": "application/json", ...headers }, JSON.stringify(value));
}

const LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"];

/**
 * Is true when the request was meant for this machine: the Host, and the Origin where a browser names one, are loopback
 * names. A page of another site can't reach the chat by pointing its own name at 127.0.0.1 (DNS rebinding).
 */
export function isFromHere(request: IncomingMessage): boolean {
  const { host, origin } = request.headers;
  if (host === undefined || !LOOPBACK_NAMES.includes(hostName(host))) return false;
  if (origin === undefined) return true;
  const [, originHost] = /^https?:\/\/([^/]+)$/.exec(origin) ?? [];
  return originHost !== undefined && LOOPBACK_NAMES.includes(hostName(originHost));
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "");
}
