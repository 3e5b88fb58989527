// The long poll through everything that a network and a chat server do.
import { expect, test } from "vitest";
import { ANNA, startStage } from "./stage.ts";

const CONFLICT = {
  code: 409,
  description: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
};
const UNAUTHORIZED = { code: 401, description: "Unauthorized" };

test("a chat server that cannot be reached delays nothing: start resolves and the poll begins when it can", async () => {
  const { telegram, desk, until } = await startStage({
    before: (stage) => stage.telegram.fail("getMe", "network", "network", { code: 502, description: "Bad Gateway" }),
  });

  telegram.say("/status", ANNA.id);
  await until(() => telegram.messages.length === 1);

  expect(telegram.count("getMe")).toBe(4);
  expect(desk.control.map(({ reachable }) => reachable)).toEqual([false, true]);
});

test("a hanging getMe does not hold the start", async () => {
  const { telegram } = await startStage({ before: (stage) => stage.telegram.fail("getMe", "hang") });

  expect(telegram.count("getMe")).toBe(1);
});

test("five minutes of another poller lose nothing, and are told once", async () => {
  const { telegram, desk, pass, until } = await startStage();
  telegram.fail("getUpdates", ...Array.from({ length: 8 }, () => CONFLICT));
  telegram.endPoll();
  await until(() => telegram.texts(ANNA.id).length === 1);

  telegram.say("/halt", ANNA.id);
  await pass(330_000);
  await until(() => desk.commands.length === 1);

  expect(telegram.texts(ANNA.id).filter((text) => text.includes("Another program polls"))).toHaveLength(1);
  expect(telegram.texts(ANNA.id)[0]).toContain("Commands may not arrive here");
}, 20_000);

test("the waits for another poller grow from 5 to 60 seconds", async () => {
  const { telegram, clock, pass } = await startStage();
  const atMs: number[] = [];
  telegram.failures.set("getUpdates", {
    shift: () => {
      atMs.push(clock.nowMs());
      return CONFLICT;
    },
  } as never);
  telegram.endPoll();

  await pass(140_000);

  expect(atMs.slice(1).map((moment, index) => Math.round((moment - (atMs[index] ?? 0)) / 1_000))).toEqual([
    5, 10, 20, 40, 60,
  ]);
}, 20_000);

test("a refused token is asked about each minute, and the poll goes on when it is good again", async () => {
  const { telegram, desk, pass, until } = await startStage();
  telegram.fail("getUpdates", UNAUTHORIZED);
  telegram.fail("getMe", UNAUTHORIZED, UNAUTHORIZED);
  telegram.endPoll();

  await pass(190_000);
  telegram.say("/halt", ANNA.id);
  await until(() => desk.commands.length === 1);

  expect(telegram.count("getMe")).toBe(4);
}, 20_000);

test("a poll that never answers is given up after 45 seconds and begun anew", async () => {
  const { telegram, desk, pass, until } = await startStage();
  telegram.fail("getUpdates", "hang");
  telegram.endPoll();
  await until(() => (telegram.failures.get("getUpdates") ?? []).length === 0);

  telegram.say("/halt", ANNA.id);
  await pass(44_000);
  const early = desk.commands.length;
  await pass(4_000);

  expect([early, desk.commands.length]).toEqual([0, 1]);
});

test("the desk is told at the first failure that commands can't arrive, and at the first good poll that they can", async () => {
  const { telegram, desk, pass, until } = await startStage();
  telegram.fail("getUpdates", ...Array.from({ length: 6 }, () => "network" as const));
  telegram.endPoll();

  await pass(80_000);
  await until(() => desk.control.length === 3);

  expect(desk.control).toEqual([
    { reachable: true, detail: "polling" },
    { reachable: false, detail: expect.stringMatching(/^backing off: /) },
    { reachable: true, detail: expect.stringMatching(/^back after 1m/) },
  ]);
}, 20_000);

test("a webhook is removed without dropping what waits", async () => {
  const { telegram } = await startStage({
    before: (stage) => {
      const { fetch: plain } = stage.telegram;
      Object.assign(stage.telegram, {
        fetch: async (url: string, init: RequestInit) => {
          const response = await plain(url, init);
          return url.endsWith("getWebhookInfo")
            ? Object.assign(response, { json: async () => ({ ok: true, result: { url: "https://x.example" } }) })
            : response;
        },
      });
    },
  });

  expect(telegram.calls.find((call) => call.method === "deleteWebhook")?.payload).toEqual({
    drop_pending_updates: false,
  });
});

test("a stop confirms what was handled, so that it is not told again", async () => {
  const stage = await startStage();
  const updateId = stage.telegram.say("/halt", ANNA.id);
  await stage.until(() => stage.desk.commands.length === 1);

  await stage.stop();

  expect(stage.telegram.calls.at(-1)?.payload).toMatchObject({ offset: updateId + 1, timeout: 0 });
});

test("no call and no log line holds the token", async () => {
  const lines: string[] = [];
  const write = (fields: object, message: string): void => void lines.push(JSON.stringify(fields) + message);
  const log = { debug: write, info: write, warn: write, error: write, child: () => log };
  const { telegram, until } = await startStage({ log, before: (stage) => stage.telegram.fail("getMe", "network") });

  telegram.say("/health", ANNA.id);
  await until(() => telegram.messages.length === 1);

  expect([...lines, ...telegram.calls.map((call) => JSON.stringify(call.payload))].join("\n")).not.toContain(
    "canary-token",
  );
});
