// The bot over real HTTP against the local Bot API server: what a person at the chat page would see.
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type BotOptions, createBot } from "../../src/bot/index.ts";
import { wallClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { startBotApiServer } from "../../src/simulators/telegram/index.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createFakeDesk, type FakeDesk, longOne } from "../support/fake-desk.ts";
import { temporaryFolder } from "./stage.ts";

const OWNER = { id: 21, name: "anna", role: "owner" } as const;

type Message = {
  message_id: number;
  from_bot: boolean;
  text?: string;
  caption?: string;
  pinned: boolean;
  photo?: { width: number; height: number };
  reply_markup?: { inline_keyboard: { text: string }[][] };
};
type Chat = {
  seq: number;
  messages: Message[];
  commands: { command: string }[];
  replyKeyboard: { text: string }[][] | null;
};

type Page = {
  readonly desk: FakeDesk;
  post(path: string, body: object): Promise<unknown>;
  /** Waits for a chat that is so, through the page's own long poll. */
  see(isSo: (chat: Chat) => boolean): Promise<Chat>;
};

async function openPage(options: Partial<BotOptions> = {}): Promise<Page> {
  const server = await startBotApiServer({
    port: 0,
    clock: wallClock,
    owner: { id: OWNER.id, name: "Anna" },
    banner: "SIMULATION",
    log: silentLog,
  });
  const clock = createFakeClock();
  const desk = createFakeDesk(clock);
  desk.setSnapshot({ badge: "DEMO", marketLabel: "synthetic market, seed 7, ×10" });
  const bot = createBot({
    token: server.token,
    apiRoot: server.url,
    desk,
    wall: wallClock,
    users: [OWNER],
    alertChats: [],
    groups: [],
    theme: "dark",
    stateFile: join(temporaryFolder(), "bot.json"),
    log: silentLog,
    isDemo: true,
    ...options,
  });
  onTestFinished(async () => {
    await bot.stop();
    await server.close();
  });
  await bot.start();
  const post = async (path: string, body: object): Promise<unknown> => {
    const response = await fetch(`${server.url}/simulate/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return response.json();
  };
  const see = async (isSo: (chat: Chat) => boolean): Promise<Chat> => {
    let since = "";
    for (let turn = 0; turn < 200; turn += 1) {
      const chat = (await (await fetch(`${server.url}/simulate/chat${since}`)).json()) as Chat;
      if (isSo(chat)) return chat;
      since = `?since=${chat.seq}`;
    }
    throw new Error("the chat never was so");
  };
  return { desk, post, see };
}

const says = (part: string) => (chat: Chat) =>
  chat.messages.some((message) => (message.text ?? message.caption ?? "").includes(part));

test("from /start by a key below the text box to a flatten that ends verified", async () => {
  const { desk, post, see } = await openPage();
  desk.set(longOne(desk.snapshot().nowMs));

  await post("message", { text: "/start" });
  const started = await see((chat) => says("you are owner here")(chat) && chat.replyKeyboard !== null);
  await post("message", { text: "Flatten" });
  await see(says("FLATTEN?"));
  await post("press", { label: "Flatten now" });
  await see(says("FLATTENING"));
  desk.set({ position: null, orders: [], posture: "paused" });
  desk.emit({ type: "flat_confirmed", netCents: 636 });
  const flat = await see(says("FLAT – verified"));

  expect(started.commands.map(({ command }) => command)).toContain("flatten");
  expect(flat.messages.filter((message) => message.from_bot && /FLAT/.test(message.text ?? ""))).toHaveLength(1);
}, 30_000);

test("settings are changed in conversation and taken back by a button", async () => {
  const { desk, post, see } = await openPage();

  await post("message", { text: "/config" });
  await see(says("Which part do you want to change?"));
  await post("press", { label: "Strategy" });
  await see(says("Which one?"));
  await post("press", { label: "window" });
  await see(says("Send window"));
  await post("message", { text: "ninety" });
  await see(says("ninety"));
  await post("message", { text: "90" });
  await see(says("60 bars → 90 bars"));
  await post("press", { label: "Apply" });
  await see(says("Applied r42"));
  await post("press", { label: "Undo" });
  await see(says("90 bars → 60 bars"));

  expect(desk.commands).toEqual(["set strategy.window=90"]);
}, 30_000);

test("a chart arrives as a picture of full size, and the status card is pinned", async () => {
  const { post, see } = await openPage({ alertChats: [OWNER.id] });

  await post("message", { text: "/chart equity" });
  const chat = await see(
    (one) =>
      one.messages.some((message) => message.photo !== undefined) && one.messages.some((message) => message.pinned),
  );
  const photo = chat.messages.find((message) => message.photo !== undefined);
  await post("press", { label: "Drawdown" });
  const changed = await see(says("Drawdown"));

  expect(photo?.photo).toMatchObject({ width: 2_000, height: 1_200 });
  expect(photo?.caption).toContain("synthetic market, seed 7, ×10");
  expect(changed.messages.filter((message) => message.photo !== undefined)).toHaveLength(1);
}, 30_000);
