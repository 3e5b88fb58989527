// The acts that move money or risk: confirmations, the life of a flatten, late commands, doubled updates, stops first.
import { expect, test } from "vitest";
import { longOne } from "../support/fake-desk.ts";
import { ANNA, BEN, GROUP, STRANGER, startStage, TOM } from "./stage.ts";

test("/flatten asks first, shows each step in one message, and says flat only when the broker has", async () => {
  const { telegram, desk, clock, until } = await startStage({
    before: (stage) => stage.desk.set(longOne(stage.clock.nowMs())),
  });
  telegram.say("/flatten", ANNA.id);
  await until(() => telegram.messages.length === 1);
  const question = telegram.last(ANNA.id).text;

  telegram.press("Flatten now", ANNA.id);
  await until(() => telegram.last(ANNA.id).text.includes("FLATTENING"));
  const progress = telegram.last(ANNA.id).text;
  desk.set({ position: null, orders: [], posture: "paused" });
  desk.emit({ type: "anomaly", detail: "an effect by the way" });
  await until(() => telegram.last(ANNA.id).text.includes("2 orders gone"));
  const beforeWord = telegram.last(ANNA.id).text;
  desk.emit({ type: "flat_confirmed", netCents: 636 });
  await until(() => telegram.last(ANNA.id).text.includes("verified"));

  expect(question).toContain("⚠️ PAPER · FLATTEN?");
  expect(question).toContain("Position LONG 1 MES Z6, now +$11.25 · 2 working orders");
  expect(question).toContain("Cancels 2 orders, sells 1 at market.");
  expect(progress).toContain("✓ entries off");
  expect(beforeWord).not.toContain("FLAT –");
  expect(telegram.last(ANNA.id).text).toContain("Result +$6.36 net · entries off, /resume when ready");
  expect(telegram.messages).toHaveLength(1);
  expect(clock.nowMs()).toBeGreaterThan(0);
});

test("where our book and the broker's differ, the question to flatten promises no side", async () => {
  const { telegram, until } = await startStage({
    before: (stage) =>
      stage.desk.set({ ...longOne(stage.clock.nowMs()), questions: ["the broker says -1, our fills say 1"] }),
  });

  telegram.say("/flatten", ANNA.id);
  await until(() => telegram.messages.length === 1);

  expect(telegram.last(ANNA.id).text).toContain("The books differ: the broker says -1, our fills say 1.");
  expect(telegram.last(ANNA.id).text).not.toContain("sells 1");
});

test("a flatten that does not get flat says NOT FLAT with what is in the way, and can be acknowledged", async () => {
  const { telegram, desk, until } = await startStage({
    before: (stage) => stage.desk.set(longOne(stage.clock.nowMs())),
  });
  telegram.say("/flatten", ANNA.id);
  await until(() => telegram.messages.length === 1);
  telegram.press("Flatten now", ANNA.id);
  await until(() => telegram.last(ANNA.id).text.includes("FLATTENING"));

  const noticeId = desk.tell(
    { event: "not_flat", seconds: 20, position: 1, detail: "The exit order is not filled yet." },
    "critical",
  );
  await until(() => telegram.texts(ANNA.id).filter((text) => text.includes("NOT FLAT after 20 s")).length === 2);
  telegram.press("Acknowledge", ANNA.id);
  await until(() => desk.commands.includes(`acknowledge ${noticeId}`));

  expect(telegram.texts(ANNA.id)[0]).toContain("Our book: LONG 1 · 2 working orders");
  expect(desk.commands).toEqual(["flatten", `acknowledge ${noticeId}`]);
});

test("while the link is down the answer says that it is NOT flat, and whom to call", async () => {
  const { telegram, until } = await startStage({
    before: ({ desk, clock }) => {
      const { settings } = desk.snapshot();
      desk.setSnapshot({ settings: { ...settings, ibkr: { ...settings.ibkr, tradeDeskPhone: "+1 312 555 0100" } } });
      desk.set({ ...longOne(clock.nowMs()), link: "down", linkSinceMs: clock.nowMs() });
    },
  });

  telegram.say("/flatten", ANNA.id);
  await until(() => telegram.messages.length === 1);

  expect(telegram.last(ANNA.id).text).toMatch(/LINK DOWN since .* CT: NOT flat\./);
  expect(telegram.last(ANNA.id).text).toContain("+1 312 555 0100");
});

test("a button works once", async () => {
  const { telegram, desk, until, rest } = await startStage();
  telegram.say("/flatten", ANNA.id);
  await until(() => telegram.messages.length === 1);
  const [button] = telegram.last(ANNA.id).buttons;

  telegram.pressData(button?.data ?? "", telegram.last(ANNA.id).id, ANNA.id);
  telegram.pressData(button?.data ?? "", telegram.last(ANNA.id).id, ANNA.id);
  await until(() => telegram.pressAnswers.length === 2);
  await rest();

  expect(desk.commands).toEqual(["flatten"]);
  expect(telegram.pressAnswers).toEqual(["", "Expired, nothing done"]);
  expect(desk.notes.filter(({ type }) => type === "confirmed")).toMatchObject([
    { fields: { verb: "flatten", userId: ANNA.id } },
  ]);
});

test.each([
  [59_000, ["flatten"]],
  [61_000, []],
])("a confirmation pressed after %d ms leads to %j", async (waitMs, commands) => {
  const { telegram, desk, pass, until, rest } = await startStage();
  telegram.say("/flatten", ANNA.id);
  await until(() => telegram.messages.length === 1);

  await pass(waitMs);
  telegram.press("Flatten now", ANNA.id);
  await until(() => telegram.pressAnswers.length === 1);
  await rest();

  expect(desk.commands).toEqual(commands);
});

test("in a group another listed person is told whose button it is, and the button keeps working for its owner", async () => {
  const { telegram, desk, until } = await startStage();
  telegram.say("/flatten@scalper_bot", ANNA.id, { chat: GROUP });
  await until(() => telegram.texts(GROUP).length === 1);

  telegram.press("Flatten now", BEN.id, GROUP);
  await until(() => telegram.pressAnswers.length === 1);
  telegram.press("Flatten now", STRANGER, GROUP);
  telegram.press("Flatten now", ANNA.id, GROUP);
  await until(() => desk.commands.length === 1);

  expect(telegram.pressAnswers).toEqual(["Only @anna can confirm this", ""]);
});

test("a button of before a restart is void", async () => {
  const first = await startStage();
  first.telegram.say("/flatten", ANNA.id);
  await first.until(() => first.telegram.messages.length === 1);
  await first.stop();

  const second = await startStage({ from: first });
  second.telegram.press("Flatten now", ANNA.id);
  await second.until(() => second.telegram.pressAnswers.length === 1);

  expect(second.desk.commands).toEqual([]);
  expect(second.telegram.pressAnswers).toEqual(["Expired, nothing done"]);
});

test("/resume is refused with the reason while halted, and asks for one tap while paused", async () => {
  const { telegram, desk, until } = await startStage({
    before: ({ desk: one }) => one.set({ posture: "halted", postureReason: "daily loss" }),
  });
  telegram.say("/resume", TOM.id);
  await until(() => telegram.texts(TOM.id).length === 1);
  const refused = telegram.last(TOM.id).text;
  desk.set({ posture: "paused" });

  telegram.say("/resume", TOM.id);
  await until(() => telegram.texts(TOM.id).length === 2);
  telegram.press("Resume now", TOM.id);
  await until(() => telegram.last(TOM.id).text.includes("Entries are allowed again."));

  expect(telegram.last(TOM.id).text).toMatch(/^🟢 PAPER · TRADING/);
  expect(refused).toContain("/resume does not clear a halt");
  expect(desk.commands).toEqual(["resume"]);
});

test("an arm that the desk refuses says so and why", async () => {
  const { telegram, desk, until } = await startStage({
    before: ({ desk: one }) => one.set({ posture: "halted", postureReason: "daily loss" }),
  });
  telegram.say("/arm", ANNA.id);
  await until(() => telegram.texts(ANNA.id).length === 1);
  desk.refuseNext = "The daily loss limit holds until 17:00 CT.";

  telegram.press("Arm", ANNA.id);
  await until(() => telegram.last(ANNA.id).text.includes("Not done"));

  expect(telegram.last(ANNA.id).text).toContain("The daily loss limit holds until 17:00 CT.");
});

test("a flatten of eight hours ago pauses at once and asks again", async () => {
  const { telegram, desk, until } = await startStage({
    before: (stage) => stage.desk.set(longOne(stage.clock.nowMs())),
  });

  telegram.say("/flatten", ANNA.id, { agoMs: 8 * 3_600_000 });
  await until(() => telegram.messages.length === 1);

  expect(desk.commands).toEqual(["pause"]);
  expect(telegram.last(ANNA.id).text).toContain("/flatten was sent 8h ago; entries are paused now. Position LONG 1.");
});

test.each([
  ["/halt", ["halt: by command"]],
  ["/pause", ["pause"]],
])("a late %s is obeyed and said to be late", async (text, commands) => {
  const { telegram, desk, until } = await startStage();

  telegram.say(text, ANNA.id, { agoMs: 90_000 });
  await until(() => telegram.messages.length === 1);

  expect(desk.commands).toEqual(commands);
  expect(telegram.last(ANNA.id).text).toContain("(late: sent 1m 30s ago)");
});

test.each([
  [59_000, "Allow entries again?"],
  [61_000, "was not run. Do it now?"],
])("a /resume of %d ms ago is answered with %s", async (agoMs, says) => {
  const { telegram, until } = await startStage({ before: ({ desk }) => desk.set({ posture: "paused" }) });

  telegram.say("/resume", ANNA.id, { agoMs });
  await until(() => telegram.messages.length === 1);

  expect(telegram.last(ANNA.id).text).toContain(says);
});

test("of two hundred old messages the stops are obeyed first and the reports become one line", async () => {
  const { telegram, desk, until, clock, rest } = await startStage();

  for (let count = 0; count < 15; count += 1) telegram.say("/pnl", ANNA.id, { agoMs: 8 * 3_600_000 });
  telegram.say("/halt", ANNA.id, { agoMs: 8 * 3_600_000 });
  await until(() => telegram.texts(ANNA.id).some((text) => text.includes("older messages skipped")));
  clock.advance(5_000);
  await rest();

  expect(desk.commands).toEqual(["halt: by command"]);
  expect(telegram.texts(ANNA.id)).toHaveLength(2);
  expect(telegram.texts(ANNA.id)).toContain("15 older messages skipped: they waited more than 5 min.");
});

test("a wrong local clock makes nothing stale: the server's time counts", async () => {
  const { telegram, desk, until } = await startStage();

  telegram.say("/halt", ANNA.id);
  await until(() => desk.commands.length === 1);

  expect(telegram.texts(ANNA.id).join("")).not.toContain("late");
});

test("an update that is told twice is obeyed once", async () => {
  const { telegram, desk, until, rest } = await startStage();
  const update = {
    message: {
      message_id: 900,
      date: Math.floor(freshAtMs(telegram) / 1_000),
      chat: { id: ANNA.id, type: "private" },
      from: { id: ANNA.id, is_bot: false, first_name: "a" },
      text: "/halt",
    },
  };

  telegram.push(update, 700);
  await until(() => desk.commands.length === 1);
  telegram.push(update, 700);
  await rest();

  expect(desk.commands).toEqual(["halt: by command"]);
});

test("a press that comes before a stop in the same batch raises no risk after it", async () => {
  const { telegram, desk, until, rest } = await startStage({
    before: ({ desk: one }) => one.set({ posture: "paused" }),
  });
  telegram.say("/resume", ANNA.id);
  await until(() => telegram.messages.length === 1);
  telegram.fail("getUpdates", "network");

  telegram.press("Resume now", ANNA.id);
  telegram.say("/halt", ANNA.id);
  await until(() => desk.commands.length > 0);
  await rest();

  expect(desk.commands.at(-1)).toBe("halt: by command");
});

function freshAtMs(telegram: { calls: readonly unknown[] }): number {
  return 1_795_618_800_000 + telegram.calls.length;
}
