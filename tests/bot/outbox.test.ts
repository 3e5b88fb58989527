// Unsent notices: told in order, critical first, folded but never dropped, and repeated until a person has seen them.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Notice } from "../../src/trading/desk.ts";
import { QUIET_TODAY } from "../support/fake-desk.ts";
import type { Failure } from "./fake-telegram.ts";
import { ANNA, BEN, type Stage, startStage, TOM, VERA } from "./stage.ts";

const PAUSED: Notice = { event: "paused", untilMs: null, reason: "test", by: "ben" };
const HALTED: Notice = {
  event: "halted",
  control: "daily_loss",
  detail: "Today −$501.49 net ≤ −$500.00",
  doing: ["entries stopped"],
  today: QUIET_TODAY,
};
const filled = (priceTicks: number): Notice => ({
  event: "entry_filled",
  side: "buy",
  quantity: 1,
  priceTicks,
  reason: null,
  stopTicks: priceTicks - 160,
  targetTicks: priceTicks + 240,
  exitNearTicks: null,
  exitZ: -0.5,
  latestExitAtMs: 1_795_626_000_000,
  slippageTicks: 1,
  feeCents: 57,
});

const tellings = (stage: Stage, noticeId: number, chat: number = ANNA.id): readonly string[] =>
  stage.telegram.texts(chat).filter((text) => text.endsWith(`#${noticeId}`));

test("each step is recorded before it happens: trying, then the message, then sent", async () => {
  const stage = await startStage();

  const id = stage.desk.tell(PAUSED, "control");
  await stage.until(() => stage.desk.steps.length === 2);

  expect(stage.desk.steps).toEqual([`trying ${id}`, `sent ${id}`]);
  expect(stage.telegram.last(ANNA.id).text).toContain("🟡 PAPER · PAUSED until /resume");
});

test("a critical notice overtakes what waits, and the rest keeps its order", async () => {
  const stage = await startStage();
  const first = [1, 2, 3, 4].map((_, index) => stage.desk.tell({ ...PAUSED, reason: `r${index}` }, "control"));

  const critical = stage.desk.tell(HALTED, "critical");
  await stage.until(() => stage.telegram.texts(ANNA.id).length === 5);
  const order = stage.telegram.texts(ANNA.id).map((text) => Number(/#(\d+)$/.exec(text)?.[1]));

  expect(order.indexOf(critical)).toBeLessThan(3);
  expect(order.filter((id) => id !== critical)).toEqual(first);
});

test("more than five fills in ten seconds become one message that names each", async () => {
  const stage = await startStage();

  const ids = [0, 1, 2, 3, 4, 5, 6, 7].map((index) => stage.desk.tell(filled(20_000 + index), "trade"));
  await stage.until(() => stage.desk.steps.filter((step) => step.startsWith("sent")).length === 8);

  expect(stage.telegram.texts(ANNA.id)).toHaveLength(2);
  expect(stage.telegram.texts(ANNA.id)[1]).toContain("7 fills in short order");
  for (const id of ids.slice(1)) expect(stage.telegram.texts(ANNA.id)[1]).toContain(`#${id}`);
});

test("the same key is told once a minute, with a count", async () => {
  const stage = await startStage();

  stage.desk.tell({ event: "data_stale", ageMs: 11_000 }, "control", "data_stale");
  await stage.until(() => stage.telegram.texts(ANNA.id).length === 1);
  for (let count = 0; count < 14; count += 1)
    stage.desk.tell({ event: "data_stale", ageMs: 12_000 }, "control", "data_stale");
  await stage.pass(50_000);
  const early = stage.telegram.texts(ANNA.id).length;
  await stage.pass(15_000);

  expect(early).toBe(1);
  expect(stage.telegram.texts(ANNA.id)).toHaveLength(2);
  expect(stage.telegram.last(ANNA.id).text).toContain("(×14)");
});

test("what waits for its minute is told before the word that it is over", async () => {
  const stage = await startStage();
  const down: Notice = { event: "gateway_down", detail: "no answer", position: -1 };
  stage.desk.tell(down, "critical", "gateway_down:held");
  await stage.until(() => stage.telegram.texts(ANNA.id).length === 1);
  const again = stage.desk.tell(down, "critical", "gateway_down:held");
  await stage.pass(10_000);
  expect(tellings(stage, again)).toEqual([]);

  const up = stage.desk.tell({ event: "gateway_up", downMs: 12_000, differences: [] }, "link");
  await stage.pass(5_000);

  const order = stage.telegram.texts(ANNA.id).map((text) => Number(/#(\d+)$/.exec(text)?.[1]));
  expect(order.slice(1)).toEqual([again, up]);
});

test("what is switched off is not told, and a critical notice cannot be", async () => {
  const stage = await startStage({
    before: ({ desk }) => {
      const { settings } = desk.snapshot();
      desk.setSnapshot({
        settings: { ...settings, notices: { ...settings.notices, overrides: { paused: "off", halted: "off" } } },
      });
    },
  });

  const off = stage.desk.tell(PAUSED, "control");
  stage.desk.tell(HALTED, "critical");
  await stage.until(() => stage.telegram.texts(ANNA.id).length === 1);

  expect(stage.desk.steps).toContain(`dead ${off}: switched off in the settings`);
  expect(stage.telegram.last(ANNA.id)).toMatchObject({ isSilent: true, text: expect.stringContaining("HALTED") });
});

test.each([
  ["on", "control", PAUSED, false],
  ["silent", "session", { event: "warmed_up", bars: 60 }, true],
] as const)("a class that is %s is told so", async (_, noticeClass, notice, isSilent) => {
  const stage = await startStage();

  stage.desk.tell(notice, noticeClass);
  await stage.until(() => stage.telegram.texts(ANNA.id).length === 1);

  expect(stage.telegram.last(ANNA.id).isSilent).toBe(isSilent);
});

test("through network trouble, 5xx and a flood wait the order is kept and nothing is told twice", async () => {
  const stage = await startStage();
  stage.telegram.fail(
    "sendMessage",
    "network",
    { code: 502, description: "Bad Gateway" },
    { code: 429, description: "Too Many Requests: retry after 5", parameters: { retry_after: 5 } },
    "network",
  );

  const ids = ["a", "b", "c"].map((reason) => stage.desk.tell({ ...PAUSED, reason }, "control"));
  await stage.until(() => stage.desk.steps.filter((step) => step.startsWith("sent")).length === 3);

  expect(stage.telegram.texts(ANNA.id).map((text) => Number(/#(\d+)$/.exec(text)?.[1]))).toEqual(ids);
});

test("where no answer came the next try says that it may be a repeat; after a refusal it does not", async () => {
  const stage = await startStage();
  stage.telegram.fail("sendMessage", "network");
  const unanswered = stage.desk.tell(PAUSED, "control");
  await stage.until(() => stage.desk.steps.includes(`sent ${unanswered}`));
  stage.telegram.fail("sendMessage", { code: 502, description: "Bad Gateway" });
  const refused = stage.desk.tell(PAUSED, "control");
  await stage.until(() => stage.desk.steps.includes(`sent ${refused}`));

  expect(tellings(stage, unanswered)).toEqual([expect.stringMatching(/ \(repeat\) #\d+$/)]);
  expect(tellings(stage, refused)).toEqual([expect.not.stringContaining("(repeat)")]);
});

test("a flood wait is obeyed to the second", async () => {
  const stage = await startStage();
  stage.telegram.fail("sendMessage", {
    code: 429,
    description: "Too Many Requests: retry after 20",
    parameters: { retry_after: 20 },
  });

  stage.desk.tell(PAUSED, "control");
  await stage.pass(19_000);
  const early = stage.telegram.count("sendMessage");
  await stage.pass(3_000);

  expect(early).toBe(1);
  expect(stage.telegram.texts(ANNA.id)).toHaveLength(1);
});

test("where the markup is refused the text goes out plain, once", async () => {
  const stage = await startStage();
  stage.telegram.fail("sendMessage", { code: 400, description: "Bad Request: can't parse entities: x" });

  stage.desk.tell(PAUSED, "control");
  await stage.until(() => stage.telegram.texts(ANNA.id).length === 1);

  expect(
    stage.telegram.calls
      .filter((call) => call.method === "sendMessage")
      .map((call) => (call.payload["entities"] as unknown[]).length > 0),
  ).toEqual([true, false]);
});

test("a critical notice of a chat that blocked the bot goes to the next owner", async () => {
  const stage = await startStage();
  stage.telegram.fail("sendMessage", { code: 403, description: "Forbidden: bot was blocked by the user" });

  const id = stage.desk.tell(HALTED, "critical");
  await stage.until(() => tellings(stage, id, BEN.id).length === 1);

  expect(stage.desk.steps).toEqual([`trying ${id}`, `sent ${id}`]);
});

test("an ordinary notice of a blocked chat is recorded as dead with the reason", async () => {
  const stage = await startStage();
  stage.telegram.fail("sendMessage", { code: 403, description: "Forbidden: bot was blocked by the user" });

  const id = stage.desk.tell(PAUSED, "control");
  await stage.until(() => stage.desk.steps.length === 2);

  expect(stage.desk.steps[1]).toBe(`dead ${id}: Forbidden: bot was blocked by the user`);
});

test("after a restart what may have been sent says (repeat), and how late it is", async () => {
  const first = await startStage();
  first.telegram.fail("sendMessage", "hang");
  const id = first.desk.tell(PAUSED, "control");
  await first.until(() => first.desk.steps.includes(`trying ${id}`));
  await first.stop();
  await first.pass(240_000);

  const second = await startStage({ from: first });
  await second.until(() => second.telegram.texts(ANNA.id).length === 1);

  expect(second.telegram.last(ANNA.id).text).toMatch(/\(repeat\) \(delayed 4m.*\) #1838$/);
});

test("what is older than an hour is told in one digest that names each; critical ones are told in full", async () => {
  const first = await startStage({ alertChats: [] });
  const old = ["a", "b", "c"].map((reason) => first.desk.tell({ ...PAUSED, reason }, "control"));
  const critical = first.desk.tell(HALTED, "critical");
  await first.stop();
  await first.pass(3_700_000);

  const second = await startStage({ from: { ...first } });
  await second.until(() => second.telegram.texts(ANNA.id).length === 2);

  expect(second.telegram.texts(ANNA.id)[0]).toContain(`#${critical}`);
  expect(second.telegram.texts(ANNA.id)[1]).toContain("3 older notices, told late");
  for (const id of old) expect(second.telegram.texts(ANNA.id)[1]).toContain(`#${id}`);
}, 20_000);

test("an unseen critical notice is repeated after 2, 5 and 15 minutes, the last time to everybody", async () => {
  const stage = await startStage();
  const id = stage.desk.tell(HALTED, "critical");
  await stage.until(() => stage.telegram.texts(ANNA.id).length === 1);

  const counts: number[] = [];
  for (const waitMs of [125_000, 180_000, 600_000]) {
    await stage.pass(waitMs);
    counts.push(tellings(stage, id).length);
  }

  expect(counts).toEqual([2, 3, 4]);
  for (const person of [BEN, TOM, VERA]) expect(tellings(stage, id, person.id)).toHaveLength(1);
}, 20_000);

test("an acknowledged one is repeated no more, also after a restart", async () => {
  const first = await startStage();
  const id = first.desk.tell(HALTED, "critical");
  await first.until(() => first.telegram.texts(ANNA.id).length === 1);
  first.telegram.press("Acknowledge", ANNA.id);
  await first.until(() => first.desk.commands.length === 1);
  await first.stop();

  const second = await startStage({ from: first });
  await second.pass(1_000_000);

  expect(first.desk.commands).toEqual([`acknowledge ${id}`]);
  expect(tellings(second, id)).toHaveLength(1);
}, 20_000);

test("NOT FLAT is repeated each minute until it is flat", async () => {
  const stage = await startStage();
  const id = stage.desk.tell(
    { event: "not_flat", seconds: 20, position: 1, detail: "The exit order is not filled yet." },
    "critical",
  );
  await stage.until(() => stage.telegram.texts(ANNA.id).length === 1);

  await stage.pass(185_000);
  const before = tellings(stage, id).length;
  stage.desk.tell({ event: "flat_confirmed", netCents: 636, posture: "paused" }, "critical");
  await stage.pass(300_000);

  expect(before).toBe(4);
  expect(tellings(stage, id)).toHaveLength(4);
}, 20_000);

test("a group that became a supergroup is written to under its new id", async () => {
  const stage = await startStage({ alertChats: [-5] });
  const parameters = { migrate_to_chat_id: -1_005 };
  const description = "Bad Request: group chat was upgraded to a supergroup chat";
  stage.telegram.fail("sendMessage", { code: 400, description, parameters });

  stage.desk.tell(PAUSED, "control");
  stage.desk.tell(HALTED, "critical");
  await stage.until(() => stage.telegram.texts(-1_005).length === 2);

  expect(stage.telegram.texts(-5)).toEqual([]);
});

test("through any sequence of failures every notice arrives once and in order", async () => {
  const failure = fc.constantFrom<Failure>(
    "network",
    { code: 500, description: "Internal Server Error: restart" },
    { code: 429, description: "Too Many Requests: retry after 3", parameters: { retry_after: 3 } },
    { code: 400, description: "Bad Request: can't parse entities: x" },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(failure, { maxLength: 6 }), fc.integer({ min: 1, max: 5 }), async (failures, count) => {
      const stage = await startStage();
      // A second refusal of the same plain text would be final, which is another rule's test.
      const markup = failures.findIndex((one) => typeof one === "object" && one.code === 400);
      const kept = failures.filter((one, index) => !(typeof one === "object" && one.code === 400) || index === markup);
      stage.telegram.fail("sendMessage", ...kept);

      const ids = Array.from({ length: count }, (_, index) =>
        stage.desk.tell({ ...PAUSED, reason: `r${index}` }, "control"),
      );
      await stage.until(() => stage.desk.steps.filter((step) => step.startsWith("sent")).length === count);

      expect(stage.telegram.texts(ANNA.id).map((text) => Number(/#(\d+)$/.exec(text)?.[1]))).toEqual(ids);
      await stage.stop();
    }),
    { numRuns: 15 },
  );
}, 30_000);

test("a critical notice that the chat server does not take for a minute goes the other way, once", async () => {
  const other: string[] = [];
  const stage = await startStage({ onUntold: (text) => other.push(text) });
  stage.telegram.fail("sendMessage", ...Array<Failure>(100).fill("network"));

  stage.desk.tell(PAUSED, "control");
  stage.desk.tell(HALTED, "critical");
  await stage.pass(59_000);
  const early = other.length;
  await stage.pass(62_000);

  expect(early).toBe(0);
  expect(other).toHaveLength(1);
  expect(other[0]).toContain("HALTED · daily loss");
  expect(other[0]).toContain("(the chat has not taken this)");
}, 20_000);

test("a critical notice that was told in time does not go the other way", async () => {
  const other: string[] = [];
  const stage = await startStage({ onUntold: (text) => other.push(text) });

  stage.desk.tell(HALTED, "critical");
  await stage.pass(70_000);

  expect(stage.telegram.texts(ANNA.id)[0]).toContain("HALTED · daily loss");
  expect(other).toEqual([]);
}, 20_000);

test("a critical notice that no chat can be given goes the other way at once", async () => {
  const other: string[] = [];
  const stage = await startStage({ onUntold: (text) => other.push(text) });
  const blocked: Failure = { code: 403, description: "Forbidden: bot was blocked by the user" };
  stage.telegram.fail("sendMessage", ...Array<Failure>(10).fill(blocked));

  stage.desk.tell(HALTED, "critical");
  await stage.pass(10_000);

  expect(other).toHaveLength(1);
}, 20_000);
