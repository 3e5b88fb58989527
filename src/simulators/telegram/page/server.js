// Talks to the server's control side: acts of the played person, and the long poll that brings the chat.

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 5_000;
/** The server answers a poll within 25 s; one that takes longer is given up. */
const POLL_MS_MAX = 40_000;

/** Sends an act (message, press …); returns its answer, throws an Error with the reason to show. */
export async function act(path, body) {
  let response;
  try {
    response = await fetch(`/simulate/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch (cause) {
    throw new Error("The server doesn't answer; nothing was sent.", { cause });
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.description);
  return answer;
}

/**
 * Follows a chat until stopped.
 * @param {string} who the query that names user and chat
 * @param {(view: any) => void} show called with the chat at once and after every change
 * @param {(isConnected: boolean) => void} connection called when the server goes and when it is back
 * @returns {() => void} stops following
 */
export function follow(who, show, connection) {
  const stop = new AbortController();
  void (async () => {
    let since;
    let retryMs = RETRY_MS_MIN;
    while (!stop.signal.aborted) {
      try {
        const query = since === undefined ? who : `${who}&since=${since}`;
        const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(POLL_MS_MAX)]);
        const response = await fetch(`/simulate/chat?${query}`, { signal });
        if (!response.ok) throw new Error(`the server answered ${response.status}`);
        const view = await response.json();
        if (stop.signal.aborted) return;
        since = view.seq;
        retryMs = RETRY_MS_MIN;
        connection(true);
        show(view);
      } catch (cause) {
        if (stop.signal.aborted) return;
        console.warn("The chat can't be read:", cause);
        connection(false);
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
        // After an outage the chat is read anew: another server may answer.
        since = undefined;
      }
    }
  })();
  return () => stop.abort();
}
