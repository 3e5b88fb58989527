// A person at the chat page, for end-to-end tests: writes, presses buttons and reads over the page's own HTTP paths.

/** A message as the page shows it. */
export type ChatMessage = {
  readonly message_id: number;
  readonly from_bot: boolean;
  readonly text?: string;
  readonly caption?: string;
  readonly photo?: { readonly url: string; readonly width: number; readonly height: number };
  readonly reply_markup?: {
    readonly inline_keyboard?: readonly (readonly { readonly text: string; readonly callback_data?: string }[])[];
  };
};

type View = { readonly seq: number; readonly messages: readonly ChatMessage[] };

/** The person. */
export type ChatClient = {
  write(text: string): Promise<void>;
  /** Presses the newest button with this label; rejects where there is none. */
  press(label: string): Promise<void>;
  /** Waits, by the server's long poll, until a message of the bot satisfies `isWanted`, and returns it. */
  until(isWanted: (message: ChatMessage) => boolean, what: string): Promise<ChatMessage>;
  messages(): Promise<readonly ChatMessage[]>;
  photo(message: ChatMessage): Promise<Uint8Array>;
};

const WAIT_MS_MAX = 60_000;

/** Returns a person at the page at `url`, who is the user `from`. */
export function createChatClient(url: string, from: number): ChatClient {
  const post = async (path: string, body: object): Promise<void> => {
    const response = await fetch(`${url}/simulate/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  const view = async (since: number, signal: AbortSignal): Promise<View> => {
    const response = await fetch(`${url}/simulate/chat?since=${since}&user=${from}`, { signal });
    return (await response.json()) as View;
  };
  const now = (): Promise<View> => view(0, AbortSignal.timeout(WAIT_MS_MAX));

  return {
    write: (text) => post("message", { text, from }),
    press: async (label) => {
      const { messages } = await now();
      const holder = messages.findLast((message) =>
        message.reply_markup?.inline_keyboard?.some((row) => row.some((button) => button.text === label)),
      );
      if (holder === undefined) throw new Error(`no button "${label}" in the chat`);
      await post("press", { message_id: holder.message_id, label, from });
    },
    until: async (isWanted, what) => {
      const signal = AbortSignal.timeout(WAIT_MS_MAX);
      let since = 0;
      let last: View | null = null;
      for (;;) {
        try {
          last = await view(since, signal);
        } catch (cause) {
          const seen = last?.messages.slice(-6).map((message) => message.text ?? message.caption ?? "(picture)");
          throw new Error(
            `${what} did not come within ${WAIT_MS_MAX / 1_000} s; the chat ends with:\n${seen?.join("\n---\n")}`,
            { cause },
          );
        }
        const found = last.messages.findLast((message) => message.from_bot && isWanted(message));
        if (found !== undefined) return found;
        since = last.seq;
      }
    },
    messages: async () => (await now()).messages,
    photo: async (message) => {
      const response = await fetch(new URL(message.photo?.url ?? "", `${url}/`));
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}
