// The chat server in the test's own process, behind the bot's `fetch`: it keeps messages, hands out updates to a long poll,
// and fails as told. No sockets and no time of its own.
import { DateTime } from "luxon";
import type { Clock } from "../../src/clock.ts";

/** Is one call that the bot made. */
export type Call = { readonly method: string; readonly payload: Readonly<Record<string, unknown>> };

/** Is a message as a person sees it now. */
export type Shown = {
  id: number;
  chat: number;
  text: string;
  buttons: { text: string; data: string }[];
  isPhoto: boolean;
  edits: number;
  isSilent: boolean;
};

/** How a call fails: an answer of the server, no answer, or a broken line. */
export type Failure =
  | { readonly code: number; readonly description: string; readonly parameters?: object }
  | "network"
  | "hang";

/** Is the server with its levers. */
export class FakeTelegram {
  readonly calls: Call[] = [];
  readonly messages: Shown[] = [];
  readonly pressAnswers: string[] = [];
  /** Failures to come, by method, in order. */
  readonly failures = new Map<string, Failure[]>();
  readonly #clock: Clock;
  #updates: { update_id: number }[] = [];
  #nextUpdate = 100;
  #nextMessage = 1;
  #wake: () => void = () => {};
  commands: Record<string, unknown[]> = {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes the next calls of a method fail. */
  fail(method: string, ...failures: Failure[]): void {
    this.failures.set(method, [...(this.failures.get(method) ?? []), ...failures]);
  }

  /** Sends text as a person; `agoMs` dates it in the past. */
  say(text: string, from: number, options: { chat?: number; agoMs?: number; more?: object } = {}): number {
    return this.push({
      message: {
        message_id: this.#nextMessage++,
        date: Math.floor((this.#clock.nowMs() - (options.agoMs ?? 0)) / 1_000),
        chat: chatOf(options.chat ?? from),
        from: { id: from, is_bot: false, first_name: `user${from}` },
        text,
        ...options.more,
      },
    });
  }

  /** Presses the newest button of that label in a chat. */
  press(label: string, from: number, chat: number = from): number {
    const message = [...this.messages]
      .reverse()
      .find((one) => one.chat === chat && one.buttons.some((button) => button.text === label));
    const button = message?.buttons.find((one) => one.text === label);
    if (message === undefined || button === undefined) throw new Error(`there is no button "${label}" in chat ${chat}`);
    return this.pressData(button.data, message.id, from, chat);
  }

  /** Presses a button by what it carries. */
  pressData(data: string, messageId: number, from: number, chat: number = from): number {
    return this.push({
      callback_query: {
        id: String(this.#nextUpdate),
        from: { id: from, is_bot: false, first_name: `user${from}` },
        chat_instance: "1",
        data,
        message: { message_id: messageId, date: Math.floor(this.#clock.nowMs() / 1_000), chat: chatOf(chat) },
      },
    });
  }

  /** Hands out an update, several at once when the poll is not waiting. */
  push(update: object, updateId: number = this.#nextUpdate): number {
    this.#nextUpdate = Math.max(this.#nextUpdate, updateId) + 1;
    this.#updates.push({ update_id: updateId, ...update });
    this.#wake();
    return updateId;
  }

  /** Answers the waiting poll with nothing, so that the next one begins. */
  endPoll(): void {
    this.#wake();
  }

  /** Returns the texts that a chat shows now, oldest first. */
  texts(chat: number): readonly string[] {
    return this.messages.filter((message) => message.chat === chat).map((message) => message.text);
  }

  last(chat: number): Shown {
    const message = this.messages.filter((one) => one.chat === chat).at(-1);
    if (message === undefined) throw new Error(`chat ${chat} is empty`);
    return message;
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  /** Is what the bot is given as `fetch`. */
  readonly fetch = (async (url: string, init: { body?: unknown; signal?: AbortSignal }) => {
    const method = url.split("/").at(-1) ?? "";
    const payload = await readPayload(init.body);
    this.calls.push({ method, payload });
    const failure = this.failures.get(method)?.shift();
    if (failure === "network") throw new TypeError("fetch failed");
    if (failure === "hang")
      return new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    if (failure !== undefined)
      return this.#answer({
        ok: false,
        error_code: failure.code,
        description: failure.description,
        parameters: failure.parameters ?? {},
      });
    return this.#answer(await this.#perform(method, payload, init.signal));
  }) as unknown as typeof fetch;

  #answer(body: object): object {
    const date = DateTime.fromMillis(this.#clock.nowMs(), { zone: "utc" }).toHTTP();
    return { headers: new Headers({ date: date ?? "" }), json: async () => body };
  }

  async #perform(
    method: string,
    payload: Readonly<Record<string, unknown>>,
    signal: AbortSignal | undefined,
  ): Promise<object> {
    const ok = (result: unknown): object => ({ ok: true, result });
    const chat = Number(payload["chat_id"]);
    switch (method) {
      case "getMe":
        return ok({ id: 1, is_bot: true, first_name: "Scalper", username: "scalper_bot" });
      case "getWebhookInfo":
        return ok({ url: "" });
      case "getUpdates":
        return this.#poll(payload, signal);
      case "sendMessage":
      case "sendPhoto":
      case "sendDocument": {
        const message: Shown = {
          id: this.#nextMessage++,
          chat,
          text: String(payload["text"] ?? payload["caption"] ?? ""),
          buttons: buttonsOf(payload),
          isPhoto: method === "sendPhoto",
          edits: 0,
          isSilent: payload["disable_notification"] === true,
        };
        this.messages.push(message);
        return ok({ message_id: message.id, date: 0, chat: chatOf(chat) });
      }
      case "editMessageText":
      case "editMessageReplyMarkup": {
        const message = this.messages.find((one) => one.chat === chat && one.id === Number(payload["message_id"]));
        if (message === undefined)
          return { ok: false, error_code: 400, description: "Bad Request: message to edit not found" };
        if (payload["text"] !== undefined) message.text = String(payload["text"]);
        message.buttons = buttonsOf(payload);
        message.edits += 1;
        return ok({ message_id: message.id, date: 0, chat: chatOf(chat) });
      }
      case "editMessageMedia": {
        const message = this.messages.find((one) => one.chat === chat && one.id === Number(payload["message_id"]));
        if (message === undefined)
          return { ok: false, error_code: 400, description: "Bad Request: message to edit not found" };
        message.text = (JSON.parse(String(payload["media"])) as { caption: string }).caption;
        message.buttons = buttonsOf(payload);
        message.edits += 1;
        return ok({ message_id: message.id, date: 0, chat: chatOf(chat) });
      }
      case "answerCallbackQuery":
        this.pressAnswers.push(String(payload["text"] ?? ""));
        return ok(true);
      case "getMyCommands":
        return ok(this.commands[JSON.stringify(payload["scope"] ?? "default")] ?? []);
      case "setMyCommands":
        this.commands[JSON.stringify(payload["scope"] ?? "default")] = payload["commands"] as unknown[];
        return ok(true);
      default:
        return ok(true);
    }
  }

  async #poll(payload: Readonly<Record<string, unknown>>, signal: AbortSignal | undefined): Promise<object> {
    const offset = Number(payload["offset"] ?? 0);
    this.#updates = this.#updates.filter((update) => update.update_id >= offset);
    if (this.#updates.length === 0 && Number(payload["timeout"] ?? 0) > 0) {
      await new Promise<void>((resolve, reject) => {
        const cancel = this.#clock.after(Number(payload["timeout"]) * 1_000, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
        signal?.addEventListener("abort", () => reject(new Error("aborted")));
      });
    }
    return { ok: true, result: this.#updates.slice(0, 100) };
  }
}

function chatOf(id: number): object {
  return id > 0 ? { id, type: "private", first_name: `user${id}` } : { id, type: "supergroup", title: "Desk" };
}

function buttonsOf(payload: Readonly<Record<string, unknown>>): { text: string; data: string }[] {
  const markup = (
    typeof payload["reply_markup"] === "string" ? JSON.parse(payload["reply_markup"]) : payload["reply_markup"]
  ) as { inline_keyboard?: { text: string; callback_data: string }[][] } | undefined;
  return (markup?.inline_keyboard ?? []).flat().map((button) => ({ text: button.text, data: button.callback_data }));
}

async function readPayload(body: unknown): Promise<Readonly<Record<string, unknown>>> {
  if (typeof body === "string") return JSON.parse(body) as Record<string, unknown>;
  if (body === undefined || body === null) return {};
  let text = "";
  for await (const chunk of body as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString("latin1");
  const fields: Record<string, unknown> = {};
  for (const [, name = "", value = ""] of text.matchAll(/name="([^"]+)"\r\n\r\n([^\r]*)\r\n/g)) {
    fields[name] = Buffer.from(value, "latin1").toString("utf8");
  }
  return fields;
}
