// The order of the handlers, the lane of the stops, and that no message of the demo hides what it is.
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/bot/commands/about.ts";
import { createHandlers, MIDDLEWARE_ORDER } from "../../src/bot/handlers.ts";
import { ANNA, startStage, TOM } from "./stage.ts";

test("the middleware is built in the fixed order", () => {
  const nothing = (): void => {};
  const handlers = createHandlers({
    room: { dialogues: { storage: {} } } as never,
    serverTime: { nowMs: () => 0, skewMs: () => null },
    answerPress: nothing,
    deleteMessage: nothing,
    onPaired: nothing,
    tellOwners: nothing,
    seenNotice: nothing,
  });

  expect(handlers.map((handler) => handler.name)).toEqual(MIDDLEWARE_ORDER);
  expect(MIDDLEWARE_ORDER).toEqual([
    "recorder",
    "auth",
    "dedupe and age",
    "emergency",
    "one at a time",
    "conversations",
    "commands",
    "hint",
  ]);
});

test("a stop does not wait behind a slow handler of the same chat; an ordinary command does", async () => {
  let release: () => void = () => {};
  const { telegram, desk, until, rest } = await startStage({
    before: ({ desk: one }) => {
      const { changeConfig } = one;
      one.changeConfig = async (...change) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return changeConfig(...change);
      };
    },
  });
  telegram.say("/set window 90", ANNA.id);
  await until(() => telegram.messages.length === 1);
  telegram.press("Apply", ANNA.id);
  await until(() => telegram.pressAnswers.length === 1);

  telegram.say("/pnl", ANNA.id);
  telegram.say("/halt", ANNA.id);
  await until(() => desk.commands.length === 1);
  await rest();
  const meanwhile = telegram.texts(ANNA.id).filter((text) => text.includes("net ·") || text.includes("Day +"));
  release();
  await until(() => telegram.texts(ANNA.id).some((text) => text.includes("Day +$41.01 net")));

  expect(desk.commands[0]).toBe("halt: by command");
  expect(meanwhile).toEqual([]);
});

test("a desk that fails is said to the person, and the next command works", async () => {
  const { telegram, desk, until } = await startStage();
  const { halt } = desk;
  desk.halt = async () => {
    throw new Error("the journal is full");
  };
  telegram.say("/halt", ANNA.id);
  await until(() => telegram.messages.length === 1);
  desk.halt = halt;

  telegram.say("/halt", ANNA.id);
  await until(() => desk.commands.length === 1);

  expect(telegram.texts(ANNA.id)[0]).toContain("Not known whether that was done.");
});

test("a person who asks too often is dropped in silence, but never a stop", async () => {
  const { telegram, desk, until, rest } = await startStage();
  for (let count = 0; count < 30; count += 1) telegram.say("/why", TOM.id);
  await rest();

  telegram.say("/halt", TOM.id);
  await until(() => desk.commands.length === 1);
  await until(() => telegram.texts(TOM.id).length === 21);
  await rest();

  expect(telegram.texts(TOM.id).filter((text) => text.includes("Why no trade"))).toHaveLength(20);
});

test("a message's figures are renewed every two seconds at most", async () => {
  const { telegram, until, pass } = await startStage();
  telegram.say("/why", ANNA.id);
  await until(() => telegram.messages.length === 1);

  telegram.press("Refresh", ANNA.id);
  telegram.press("Refresh", ANNA.id);
  await until(() => telegram.pressAnswers.length === 2);
  await pass(3_000);
  telegram.press("Refresh", ANNA.id);
  await until(() => telegram.last(ANNA.id).edits === 2);

  expect(telegram.pressAnswers).toEqual(["", "Just updated", ""]);
  expect(telegram.messages).toHaveLength(1);
});

test("in the demo every first line says DEMO, and /start, /status and charts say what the market is", async () => {
  const { telegram, until } = await startStage({
    isDemo: true,
    before: ({ desk }) => desk.setSnapshot({ badge: "DEMO", marketLabel: "synthetic market, seed 7, ×10" }),
  });
  const texts = [
    "/start",
    "/status",
    "/chart",
    "/buy",
    "hello",
    "/set window x",
    "/cancel",
    ...COMMANDS.filter(
      ({ name }) => !["halt", "flatten", "chart", "config", "status", "start", "cancel"].includes(name),
    ).map(({ name }) => `/${name}`),
  ];

  for (const [index, text] of texts.slice(0, 19).entries()) {
    telegram.say(text, ANNA.id);
    await until(() => telegram.texts(ANNA.id).length > index, text);
  }
  await until(() => telegram.messages.some((message) => message.isPhoto), "the picture");

  for (const message of telegram.messages) expect(message.text.split("\n")[0]).toContain("DEMO");
  const market = telegram.messages.filter((message) => message.text.includes("synthetic market, seed 7, ×10"));
  expect(market.some((message) => message.text.includes("you are owner here"))).toBe(true);
  expect(market.some((message) => message.isPhoto)).toBe(true);
  expect(market.some((message) => message.text.includes("window 60/60"))).toBe(true);
}, 20_000);

test("a chart is drawn off the handler and sent as a photo with its figures in words", async () => {
  const { telegram, desk, until } = await startStage();
  desk.points = Array.from({ length: 50 }, (_, index) => ({
    openAtMs: desk.snapshot().nowMs - (51 - index) * 5_000,
    closeAtMs: desk.snapshot().nowMs - (50 - index) * 5_000,
    closeTicks: 20_000 + index,
    z: null,
    meanTicks: null,
    sdTicks: null,
    blockedBy: null,
  }));

  telegram.say("/chart today light", ANNA.id);
  await until(() => telegram.messages.length === 1);

  expect(telegram.last(ANNA.id)).toMatchObject({
    isPhoto: true,
    text: expect.stringContaining("Net +$41.01, 3 trades, max drawdown −$21.14"),
  });
  expect(telegram.last(ANNA.id).buttons.map((button) => button.text)).toEqual([
    "z-score",
    "Equity",
    "Drawdown",
    "Week",
    "Refresh",
    "Dark",
    "Original",
  ]);
  expect(telegram.count("sendChatAction")).toBe(1);
});

test("a chart that a person asked for comes within seconds, however many notices keep coming", async () => {
  const { telegram, desk, pass } = await startStage();
  const notice = (index: number): void => {
    desk.tell({ event: "paused", untilMs: null, reason: `r${index}`, by: "ben" }, "control");
  };
  for (let index = 0; index < 10; index += 1) notice(index);
  await pass(1_000);

  telegram.say("/chart equity", ANNA.id);
  for (let second = 0; second < 6; second += 1) {
    notice(second);
    notice(-second);
    await pass(1_000);
  }

  expect(telegram.messages.some((message) => message.isPhoto)).toBe(true);
}, 20_000);

test("the status card is pinned once, edited as the figures change, and sent anew when it was deleted", async () => {
  const { telegram, desk, until, pass } = await startStage({ hasCard: true });
  await until(() => telegram.count("pinChatMessage") === 1);
  const card = telegram.last(ANNA.id);

  desk.set({ z: -1.5 });
  await pass(20_000);
  const edits = card.edits;
  telegram.messages.length = 0;
  desk.set({ z: -1.6 });
  await pass(100_000);
  await until(() => telegram.count("pinChatMessage") === 2, "the second pin");

  expect(edits).toBeGreaterThanOrEqual(1);
  expect(card.text).toContain("z −1.50");
}, 20_000);

test("a press under a chart puts the other chart in its place, and sends a new one where it was deleted", async () => {
  const { telegram, until, pass } = await startStage();
  telegram.say("/chart today", ANNA.id);
  await until(() => telegram.messages.length === 1);

  telegram.press("Equity", ANNA.id);
  await until(() => telegram.last(ANNA.id).text.includes("Equity"));
  const inPlace = telegram.messages.length;
  await pass(3_000);
  telegram.fail("editMessageMedia", { code: 400, description: "Bad Request: message to edit not found" });
  telegram.press("Drawdown", ANNA.id);
  await until(() => telegram.messages.length === 2);

  expect(inPlace).toBe(1);
  expect(telegram.last(ANNA.id).text).toContain("Drawdown");
});
