// Typed commands from end to end: who is answered, with what, and what is obeyed.
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/bot/commands/about.ts";
import { ANNA, GROUP, STRANGER, startStage, TOM, VERA } from "./stage.ts";

test("/status answers with the state, the figures and their time", async () => {
  const { telegram, until } = await startStage();

  telegram.say("/status", ANNA.id);
  await until(() => telegram.messages.length === 1);

  expect(telegram.last(ANNA.id).text.split("\n")).toEqual([
    "🟢 PAPER · TRADING · MES Z6",
    "FLAT · last 5,014.50",
    "z −1.32 (enter ±2.00) · window 60/60",
    "Today +$41.01 net, 3 trades (2 W)",
    "Daily limit: $541.01 left of $500 + gains",
    "Losses in a row 0/3 · Gateway OK",
    expect.stringMatching(/^as of 09:00:0\d CT · r41 · up /),
  ]);
});

test.each(
  COMMANDS.filter((command) => !["chart", "config", "undo"].includes(command.name)).map((command) => command.name),
)("/%s answers an owner with text that has no hole", async (name) => {
  const { telegram, until } = await startStage();

  telegram.say(`/${name}`, ANNA.id);
  await until(() => telegram.messages.length > 0);

  expect(telegram.last(ANNA.id).text).not.toMatch(/undefined|NaN|\[object/);
});

test.each([
  ["/Pause 30", "pause"],
  ["/pause 1h30m", "pause"],
  ["/pause@scalper_bot", "pause"],
  ["Pause", "pause"],
  ["/halt news at noon", "halt: news at noon"],
])("%s from a viewer is obeyed at once", async (text, command) => {
  const { telegram, desk, until } = await startStage();

  telegram.say(text, VERA.id);
  await until(() => telegram.messages.length > 0);

  expect(desk.commands).toEqual([command]);
});

test("/pause 30 ends half an hour later by the market's clock", async () => {
  const { telegram, desk, clock, until } = await startStage();
  const nowMs = clock.nowMs();

  telegram.say("/pause 30", ANNA.id);
  await until(() => telegram.messages.length > 0);

  expect((desk.snapshot().status.pausedUntilMs ?? 0) - nowMs).toBeLessThan(1_801_000);
  expect(telegram.last(ANNA.id).text).toContain("No new entries.");
});

test.each(["/pause 45 h 9", "/pause never", "/pause 0m", "/pause 25h"])(
  "%s is refused and changes nothing",
  async (text) => {
    const { telegram, desk, until } = await startStage();

    telegram.say(text, ANNA.id);
    await until(() => telegram.messages.length > 0);

    expect(desk.commands).toEqual([]);
    expect(telegram.last(ANNA.id).text).toContain("is not a pause");
  },
);

test.each([
  ["/resume", VERA.id, "traders and owners"],
  ["/flatten", VERA.id, "traders and owners"],
  ["/arm", TOM.id, "owners"],
  ["/config", TOM.id, "owners"],
  ["/set window 90", VERA.id, "owners"],
])("%s from user %d is refused: it is for %s", async (text, from, whom) => {
  const { telegram, desk, until } = await startStage();

  telegram.say(text, from);
  await until(() => telegram.messages.length > 0);

  expect(telegram.last(from).text).toContain(`is for ${whom}`);
  expect(desk.commands).toEqual([]);
});

test.each([
  ["/buy 1", "There is no /buy."],
  ["/statsu", "Did you mean /status?"],
  ["/flaten", "Did you mean /flatten?"],
])("%s is answered with %s", async (text, says) => {
  const { telegram, until } = await startStage();

  telegram.say(text, ANNA.id);
  await until(() => telegram.messages.length > 0);

  expect(telegram.last(ANNA.id).text).toContain(says);
});

test("plain text gets one hint and is never an action", async () => {
  const { telegram, desk, until } = await startStage();

  telegram.say("flatten please", ANNA.id);
  await until(() => telegram.messages.length > 0);

  expect(telegram.last(ANNA.id).text).toContain("Plain text does nothing here.");
  expect(desk.commands).toEqual([]);
});

test("a command for another bot is ignored", async () => {
  const { telegram, desk, rest } = await startStage();

  telegram.say("/halt@other_bot", ANNA.id);
  await rest();

  expect([desk.commands, telegram.messages]).toEqual([[], []]);
});

test("a stranger gets silence: for commands, presses and in a listed group", async () => {
  const { telegram, desk, until, clock, rest } = await startStage({ alertChats: [] });

  telegram.say("/status", STRANGER);
  telegram.say("/halt", STRANGER, { chat: GROUP });
  telegram.pressData("c1:/halt", 1, STRANGER);
  await until(() => desk.notes.filter((note) => note.type === "denied").length === 3);
  clock.advance(5_000);
  await rest();

  expect(desk.commands).toEqual([]);
  expect(telegram.texts(STRANGER)).toEqual([]);
  expect(telegram.texts(GROUP)).toEqual([]);
  expect(telegram.count("answerCallbackQuery")).toBe(0);
});

test("unknown users are told to the owners once an hour, with their count", async () => {
  const { telegram, desk, until } = await startStage();

  for (let count = 0; count < 4; count += 1) telegram.say("/status", STRANGER);
  await until(() => desk.notes.filter((note) => note.type === "denied").length === 4);
  await until(() => telegram.messages.length > 0);

  expect(telegram.texts(ANNA.id).filter((text) => text.includes("unknown users"))).toHaveLength(1);
});

test("a listed user is served in a listed group and nowhere else", async () => {
  const { telegram, until, rest } = await startStage();

  telegram.say("/status", ANNA.id, { chat: -999 });
  telegram.say("/status@scalper_bot", ANNA.id, { chat: GROUP });
  await until(() => telegram.texts(GROUP).length > 0);
  await rest();

  expect(telegram.texts(-999)).toEqual([]);
});

test("the person who sends the console's code becomes owner, and nobody after", async () => {
  const paired: unknown[] = [];
  const { telegram, until, rest } = await startStage({
    users: [],
    alertChats: [],
    pairing: { code: "482913" },
    onPaired: (user) => void paired.push(user),
  });

  telegram.say("482913", 77);
  await until(() => telegram.texts(77).length > 0);
  telegram.say("482913", 78);
  await rest();

  expect(paired).toEqual([{ id: 77, name: "user77", role: "owner" }]);
  expect(telegram.texts(77)[0]).toContain("you are owner here");
  expect(telegram.texts(78)).toEqual([]);
});

test("after five wrong codes the right one is worth nothing", async () => {
  const { telegram, desk, until, rest } = await startStage({ users: [], alertChats: [], pairing: { code: "482913" } });

  for (let code = 100_000; code < 100_005; code += 1) telegram.say(String(code), 77);
  telegram.say("482913", 77);
  await until(() => desk.notes.filter((note) => note.type === "denied").length === 6);
  await rest();

  expect(telegram.texts(77)).toEqual([]);
});

test("a message that looks like a bot token is deleted and warned about", async () => {
  const { telegram, until } = await startStage();

  telegram.say("123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi", ANNA.id);
  await until(() => telegram.messages.length > 0);

  expect(telegram.count("deleteMessage")).toBe(1);
  expect(telegram.last(ANNA.id).text).toContain("looked like a bot token");
});

test("each listed person's menu has the commands of their role, and is written only where it differs", async () => {
  const first = await startStage();
  await first.until(() => first.telegram.count("setMyCommands") >= 4);
  const names = (id: number): string[] =>
    (first.telegram.commands[JSON.stringify({ type: "chat", chat_id: id })] as { command: string }[]).map(
      ({ command }) => command,
    );

  const written = first.telegram.count("setMyCommands");
  const second = await startStage({ from: first });
  await second.until(() => second.telegram.count("getMyCommands") >= 12);

  expect(names(VERA.id)).not.toContain("flatten");
  expect(names(TOM.id)).toContain("flatten");
  expect(names(TOM.id)).not.toContain("config");
  expect(names(ANNA.id)).toContain("config");
  expect(first.telegram.count("setMyCommands")).toBe(written);
});
