// Talks to the server: commands to market and faults, and the stream that brings everything that is shown.

/** Sends a command; throws an Error with the reason to show. */
export async function act(path, body) {
  let response;
  try {
    response = await fetch(`/simulate/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  } catch (cause) {
    throw new Error("The gateway doesn't answer; nothing was done.", { cause });
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
}

/** Returns every fault that can be made, by its name. */
export async function readFaults() {
  const response = await fetch("/simulate/faults");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

/**
 * Follows the gateway until stopped. The browser itself connects anew after an outage.
 * @param {{ barMs: number, connection: number | null, marketData: boolean }} wish
 * @param {{ view: (view: any) => void, messages: (news: any) => void, connection: (isOpen: boolean) => void }} told
 * @returns {() => void} stops following
 */
export function follow(wish, told) {
  const query = new URLSearchParams({ barMs: wish.barMs, marketData: wish.marketData ? "1" : "0" });
  if (wish.connection !== null) query.set("connection", wish.connection);
  const events = new EventSource(`/simulate/events?${query}`);
  events.addEventListener("open", () => told.connection(true));
  events.addEventListener("error", () => told.connection(false));
  events.addEventListener("view", (event) => told.view(JSON.parse(event.data)));
  events.addEventListener("messages", (event) => told.messages(JSON.parse(event.data)));
  return () => events.close();
}
