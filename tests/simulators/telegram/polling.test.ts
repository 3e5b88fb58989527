// getUpdates: order, confirming, waiting, and what happens when two programs poll one bot.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Update } from "../../../src/simulators/telegram/api.ts";
import { Refusal } from "../../../src/simulators/telegram/refusal.ts";
import {
  CONFLICT_PAUSE_MS,
  type Poll,
  UPDATE_KEPT_MS,
  UpdateQueue,
} from "../../../src/simulators/telegram/update-queue.ts";
import { createFakeClock } from "./fake-clock.ts";
import { OWNER, startStage } from "./support.ts";

const CONFLICT = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";

function startQueue() {
  const clock = createFakeClock();
  const queue = new UpdateQueue(clock, { nextUpdateId: 100, updates: [], allowed: null }, () => {});
  const push = () => queue.push({ message: { message_id: 1, date: 1, chat: { id: 1, type: "private" } } })?.update_id;
  const poll = (wanted: Partial<Poll> = {}, signal = new AbortController().signal) =>
    queue.poll({ offset: 0, limit: 100, timeoutSeconds: 0, allowed: undefined, ...wanted }, signal);
  const ids = async (wanted: Partial<Poll> = {}) => (await poll(wanted)).map(({ update_id }) => update_id);
  return { clock, queue, push, poll, ids };
}

/** Follows a poll without waiting for it: what it has come to so far. */
function outcomeOf(poll: Promise<Update[]>): { now: () => Promise<string> } {
  let outcome = "waiting";
  poll.then(
    (updates) => {
      outcome = `answered ${updates.length}`;
    },
    (thrown: unknown) => {
      outcome = thrown instanceof Refusal ? `refused ${thrown.code}` : "failed";
    },
  );
  return {
    now: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return outcome;
    },
  };
}

test("updates come in order, numbered one by one, until an offset confirms them", async () => {
  const { push, ids } = startQueue();
  expect([push(), push(), push()]).toEqual([100, 101, 102]);

  expect(await ids()).toEqual([100, 101, 102]);
  expect(await ids({ limit: 2 })).toEqual([100, 101]);
  expect(await ids({ offset: 101 })).toEqual([101, 102]);
  expect(await ids()).toEqual([101, 102]);
  expect(await ids({ offset: 103 })).toEqual([]);
  expect(push()).toBe(103);
});

test("however pushes and polls follow each other, an update is given until it is confirmed, never after, in order", () => {
  const act = fc.oneof(
    fc.constant({ type: "push" } as const),
    fc.record({
      type: fc.constant("poll" as const),
      offsetStep: fc.integer({ min: 0, max: 4 }),
      limit: fc.integer({ min: 1, max: 5 }),
    }),
  );
  return fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
      const { push, ids } = startQueue();
      let confirmedUpTo = 100;
      let nextId = 100;
      for (const step of acts) {
        if (step.type === "push") {
          expect(push()).toBe(nextId);
          nextId += 1;
        } else {
          confirmedUpTo = Math.min(nextId, confirmedUpTo + step.offsetStep);
          const expected = Array.from({ length: nextId - confirmedUpTo }, (_, index) => confirmedUpTo + index);
          expect(await ids({ offset: confirmedUpTo, limit: step.limit })).toEqual(expected.slice(0, step.limit));
        }
      }
    }),
  );
});

test("a negative offset keeps only the last ones", async () => {
  const { push, ids } = startQueue();
  for (let count = 0; count < 5; count += 1) push();

  expect(await ids({ offset: -2 })).toEqual([103, 104]);
  expect(await ids()).toEqual([103, 104]);
});

test("an update is forgotten after a day", async () => {
  const { clock, push, ids } = startQueue();
  push();
  clock.advance(UPDATE_KEPT_MS);
  push();
  expect(await ids()).toEqual([100, 101]);

  clock.advance(1);

  expect(await ids()).toEqual([101]);
});

test("a waiting poll is answered by the next update, or empty when its time is over", async () => {
  const { clock, push, poll } = startQueue();
  const first = outcomeOf(poll({ timeoutSeconds: 30 }));
  expect(await first.now()).toBe("waiting");
  push();
  expect(await first.now()).toBe("answered 1");

  const second = outcomeOf(poll({ offset: 101, timeoutSeconds: 30 }));
  clock.advance(29_999);
  expect(await second.now()).toBe("waiting");
  clock.advance(1);

  expect(await second.now()).toBe("answered 0");
  expect(clock.waiting()).toBe(0);
});

describe("two pollers", () => {
  test("a poll that has to wait ends the one that waits", async () => {
    const { poll, push } = startQueue();
    const older = outcomeOf(poll({ timeoutSeconds: 30 }));

    const newer = outcomeOf(poll({ timeoutSeconds: 30 }));

    expect([await older.now(), await newer.now()]).toEqual(["refused 409", "waiting"]);
    push();
    expect(await newer.now()).toBe("answered 1");
  });

  test("a poll without a wait leaves the waiting one alone", async () => {
    const { poll } = startQueue();
    const waiting = outcomeOf(poll({ timeoutSeconds: 30 }));

    expect(await poll()).toEqual([]);

    expect(await waiting.now()).toBe("waiting");
  });

  test("a second conflict within three seconds is answered three seconds later", async () => {
    const { clock, poll } = startQueue();
    const first = outcomeOf(poll({ timeoutSeconds: 30 }));
    const second = outcomeOf(poll({ timeoutSeconds: 30 }));
    const third = outcomeOf(poll({ timeoutSeconds: 30 }));
    expect([await first.now(), await second.now(), await third.now()]).toEqual(["refused 409", "waiting", "waiting"]);

    clock.advance(CONFLICT_PAUSE_MS);

    expect([await second.now(), await third.now()]).toEqual(["refused 409", "waiting"]);
  });

  test("over HTTP the older program reads the conflict in the server's words", async () => {
    const { bot, person } = await startStage();
    const older = bot("getUpdates", { timeout: 30 });
    // The older poll is waiting once a poll that doesn't wait has been answered after it on the same server.
    await bot("getUpdates", { timeout: 0 });
    const newer = bot("getUpdates", { timeout: 30 });

    const ended = await Promise.race([older, newer]);
    await person("message", { text: "hello" });
    const answers = await Promise.all([older, newer]);

    expect(ended).toMatchObject({ status: 409, error_code: 409, description: CONFLICT });
    expect(answers.filter(({ ok }) => ok).map(({ result }) => result.length)).toEqual([1]);
  });
});

test("a poll whose client is gone loses nothing", async () => {
  const { poll, push, ids } = startQueue();
  const client = new AbortController();
  const abandoned = outcomeOf(poll({ timeoutSeconds: 30 }, client.signal));

  client.abort();
  push();

  expect(await abandoned.now()).toBe("answered 0");
  expect(await ids()).toEqual([100]);
});

test("allowed_updates is remembered, works on later updates only, and [] means the default", async () => {
  const { bot, person } = await startStage();
  await person("message", { text: "one" });
  await bot("getUpdates", { allowed_updates: ["callback_query"] });
  expect(await person("message", { text: "two" })).toMatchObject({ update_id: null });
  expect((await bot("getWebhookInfo")).result).toMatchObject({
    pending_update_count: 1,
    allowed_updates: ["callback_query"],
  });

  await bot("getUpdates", { allowed_updates: "[]" });
  await person("message", { text: "three" });

  const texts = (await bot("getUpdates")).result.map(({ message }: Update) => message?.text);
  expect(texts).toEqual(["one", "three"]);
});

test.each([
  ["/start now", { type: "bot_command", offset: 0, length: 6 }],
  ["see https://example.com", { type: "url", offset: 4, length: 19 }],
  ["hi @anna_b", { type: "mention", offset: 3, length: 7 }],
])("a person's %j reaches the bot with its entity", async (text, entity) => {
  const { bot, person } = await startStage();

  const update = await person("message", { text, date: 1_700_000_000 });

  expect((await bot("getUpdates")).result).toEqual([
    {
      update_id: update.update_id,
      message: {
        message_id: 1,
        from: { id: OWNER.id, is_bot: false, first_name: "Anna", language_code: "en" },
        chat: { id: OWNER.id, type: "private", first_name: "Anna" },
        date: 1_700_000_000,
        text,
        entities: [entity],
      },
    },
  ]);
});

test("an edited message is an update of its own; the first one keeps its text", async () => {
  const { bot, person } = await startStage();
  await person("message", { text: "before" });

  await person("edit", { message_id: 1, text: "after" });

  const updates: Update[] = (await bot("getUpdates")).result;
  expect(updates.map(({ message, edited_message }) => message?.text ?? edited_message?.text)).toEqual([
    "before",
    "after",
  ]);
  expect(updates[1]?.edited_message?.edit_date).toBeDefined();
});
