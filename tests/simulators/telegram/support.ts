// A Bot API server for one test, and the two ways to talk to it: as a bot and as a person. No port is shared.
import { onTestFinished } from "vitest";
import { wallClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import {
  type BotApiOptions,
  type BotApiServer,
  DEMO_TOKEN,
  startBotApiServer,
} from "../../../src/simulators/telegram/index.ts";

export const OWNER = { id: 100_200_300, name: "Anna" };

/** Is a Bot API answer as it came. */
export type Answer = {
  status: number;
  headers: Headers;
  ok: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into JSON of any shape.
  result: any;
  error_code: number | undefined;
  description: string | undefined;
  parameters: { retry_after?: number; migrate_to_chat_id?: number } | undefined;
};

/** Is a started server with both sides of it. */
export type Stage = {
  server: BotApiServer;
  /** Calls a method as the bot; a FormData goes as multipart, an object as JSON. */
  bot(method: string, parameters?: object | FormData, token?: string): Promise<Answer>;
  /** Acts on the control side; the body's fields as they are documented there. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into JSON of any shape.
  person(path: string, body?: object): Promise<any>;
  /** Returns the chat as a person sees it. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into JSON of any shape.
  chat(query?: string): Promise<any>;
};

/** Starts a server without flood limits (a test of them turns them on) that ends with the test. */
export async function startStage(options: Partial<BotApiOptions> = {}): Promise<Stage> {
  const server = await startBotApiServer({
    port: 0,
    clock: wallClock,
    owner: OWNER,
    banner: "DEMO",
    flood: false,
    log: silentLog,
    ...options,
  });
  onTestFinished(() => server.close());
  return stageOf(server);
}

/** Returns both sides of a server that is closed by the test itself. */
export function stageOf(server: BotApiServer): Stage {
  return {
    server,
    bot: async (method, parameters = {}, token = DEMO_TOKEN) => {
      const isForm = parameters instanceof FormData;
      const response = await fetch(`${server.url}/bot${token}/${method}`, {
        method: "POST",
        ...(isForm
          ? { body: parameters }
          : { body: JSON.stringify(parameters), headers: { "Content-Type": "application/json" } }),
      });
      const body = (await response.json()) as Omit<Answer, "status" | "headers">;
      return { ...body, status: response.status, headers: response.headers };
    },
    person: async (path, body) => {
      const response = await fetch(`${server.url}/simulate/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body ?? {}),
      });
      return response.json();
    },
    chat: async (query = "") => (await fetch(`${server.url}/simulate/chat?${query}`)).json(),
  };
}

/** Returns the head of a PNG of a size: all that this server reads of a picture. */
export function pngOf(width: number, height: number): Buffer {
  const png = Buffer.alloc(64);
  Buffer.from("89504e470d0a1a0a0000000d49484452", "hex").copy(png);
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  return png;
}

/** Returns a form of fields and files. */
export function formOf(
  fields: Record<string, string>,
  files: Record<string, { bytes: Buffer; name: string }>,
): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  for (const [name, file] of Object.entries(files)) form.set(name, new Blob([new Uint8Array(file.bytes)]), file.name);
  return form;
}
