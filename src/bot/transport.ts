// The one place through which every Bot API call goes: it hands grammY's requests to the platform's fetch and reads the
// server's own time from each answer. Tests put their server here.
import type { ApiClientOptions } from "grammy";
import { DateTime } from "luxon";
import type { Clock } from "../clock.ts";

/** Tells the chat server's time, so that a wrong local clock cannot make every command stale. */
export type ServerTime = {
  /** Returns the server's time as of now; the local clock's until the server has told its own. */
  nowMs(): number;
  /** Returns server minus local clock in milliseconds, to about half a second; null until an answer told. */
  skewMs(): number | null;
};

type ClientFetch = NonNullable<ApiClientOptions["fetch"]>;

/** Returns grammY's fetch and the clock that it sets. */
export function createTransport(options: { fetch: typeof fetch; wall: Clock }): {
  fetch: ClientFetch;
  serverTime: ServerTime;
} {
  const { wall } = options;
  let offsetMs: number | null = null;

  const call = async (url: string, init: FetchInit): Promise<Response> => {
    const signal = init.signal === undefined ? undefined : nativeSignal(init.signal);
    const response = await options.fetch(url, {
      method: init.method ?? "GET",
      ...(init.headers === undefined ? {} : { headers: init.headers }),
      ...(init.body === undefined ? {} : { body: init.body, duplex: "half" }),
      ...(signal === undefined ? {} : { signal }),
    } as Parameters<typeof fetch>[1]);
    const told = DateTime.fromHTTP(response.headers.get("date") ?? "");
    // The header is cut to the second: on average the server is half a second further.
    if (told.isValid) offsetMs = told.toMillis() + 500 - wall.nowMs();
    return response;
  };

  return {
    // grammY is typed for node-fetch; what it uses of it (json of the answer) is the same here.
    fetch: call as unknown as ClientFetch,
    serverTime: { nowMs: () => wall.nowMs() + (offsetMs ?? 0), skewMs: () => offsetMs },
  };
}

type Aborting = { readonly aborted: boolean; addEventListener(type: "abort", listener: () => void): void };
type FetchInit = {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: Aborting;
};

/** grammY's signals come from a package of their own, which the platform's fetch does not accept. */
function nativeSignal(signal: Aborting): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener("abort", () => controller.abort());
  return controller.signal;
}
