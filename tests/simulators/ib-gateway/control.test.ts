// The page's server and the control: who is answered, what is refused, what is streamed.
import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { silentLog } from "../../../src/log.ts";
import { type ControlTargets, FOLLOWERS_MAX, startControl } from "../../../src/simulators/ib-gateway/control.ts";
import { createMessageLog } from "../../../src/simulators/ib-gateway/message-log.ts";
import { handClock } from "./hand-clock.ts";
import { rawClient } from "./raw-client.ts";
import { type Rig, START_MS, startRig } from "./rig.ts";

/** The kernel takes some megabytes before a reader that is asleep is noticed at all. */
const VIEW_BYTES = 100_000;

const running: Rig[] = [];
afterEach(async () => {
  for (const rig of running.splice(0)) await rig.stop();
});

async function start(): Promise<{ rig: Rig; url: string }> {
  const rig = await startRig({ httpPort: 0 });
  running.push(rig);
  rig.market.tick(START_MS + 100, 20_000);
  await rig.step(250);
  return { rig, url: rig.server.url as string };
}

async function post(url: string, path: string, body: unknown): Promise<[number, unknown]> {
  const answer = await fetch(`${url}/simulate/${path}`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return [answer.status, await answer.json()];
}

/** Returns a control of nothing: whatever a test does not give fails it when asked for. */
function fakeControl(targets: Partial<ControlTargets>): ReturnType<typeof startControl> {
  const unused = (): never => {
    throw new Error("this is not asked for here");
  };
  return startControl(0, {
    wall: handClock().clock,
    log: silentLog,
    messages: createMessageLog(() => 0),
    view: unused,
    state: unused,
    addFault: unused,
    pause: unused,
    resume: unused,
    setSpeed: unused,
    step: unused,
    isPaused: unused,
    position: unused,
    lastTicks: unused,
    ...targets,
  });
}

/** Asks with headers that fetch does not let through. */
function ask(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.once("error", reject);
    asked.end();
  });
}

test.each([
  [{ host: "127.0.0.1:1" }, 200],
  [{ host: "localhost" }, 200],
  [{ host: "localhost", origin: "http://localhost:9" }, 200],
  [{ host: "rebound.example" }, 403],
  [{ host: "127.0.0.1", origin: "https://rebound.example" }, 403],
  [{ host: "127.0.0.1", origin: "null" }, 403],
  [{ host: "127.0.0.1.rebound.example" }, 403],
])("with %j the page answers %i, and so does the control", async (headers, status) => {
  const { url } = await start();

  for (const path of ["/", "/app.js", "/simulate/state", "/simulate/faults"])
    expect(await ask(url + path, headers), path).toBe(status);
});

test("the page may load nothing from elsewhere, and a path that is none is not found", async () => {
  const { url } = await start();

  const page = await fetch(url);
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'/);
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  expect(await page.text()).toContain("SIMULATION");
  for (const path of ["/../index.ts", "/page/index.html", "/package.json", "/simulate/secret"])
    expect((await fetch(url + path)).status).toBe(404);
});

test("a body that is no JSON, or too long, is refused and changes nothing", async () => {
  const { rig, url } = await start();
  const before = rig.server.state();

  expect((await post(url, "market", "{"))[0]).toBe(400);
  expect((await post(url, "fault", ""))[0]).toBe(400);
  expect((await fetch(`${url}/simulate/market`, { method: "POST", body: "x".repeat(70_000) })).status).toBe(413);
  expect(rig.server.state()).toEqual(before);
});

test("pause and resume keep the speed, full speed too", async () => {
  const { rig, url } = await start();
  const speeds: (number | "max")[] = [];
  for (const command of [
    { speed: 0.1 },
    { pause: true },
    { resume: true },
    { speed: "max" },
    { pause: true },
    { pause: true },
    { resume: true },
    { speed: 0 },
    { resume: true },
  ]) {
    expect(await post(url, "market", command)).toEqual([200, { done: true }]);
    speeds.push(rig.server.speed());
  }

  expect(speeds).toEqual([0.1, 0, 0.1, "max", 0, 0, "max", 0, "max"]);
});

test("a tenth of real time moves the market at all, and no faster than that", async () => {
  const { rig, url } = await start();
  const fromMs = rig.nowMs();
  const beganMs = performance.now();
  await post(url, "market", { speed: 0.1 });
  while (rig.nowMs() < fromMs + 20) await new Promise((resolve) => setImmediate(resolve));

  expect(performance.now() - beganMs).toBeGreaterThanOrEqual(190);
});

test("a position is set, not added to; setting it again changes nothing", async () => {
  const { rig, url } = await start();
  const held = (): number => (rig.server.state() as { positions: { position: number }[] }).positions[0]?.position ?? 0;

  await post(url, "market", { position: 2 });
  await post(url, "market", { position: 2 });
  expect(held()).toBe(2);
  await post(url, "market", { position: -1 });
  expect(held()).toBe(-1);
  await post(url, "market", { position: 0 });
  expect(held()).toBe(0);
});

test("a jump moves the next records, and one to a price of nothing is refused with the lowest allowed", async () => {
  const { rig, url } = await start();

  expect(await post(url, "market", { jumpTicks: 40 })).toEqual([200, { done: true }]);
  rig.market.tick(rig.nowMs() + 100, 20_000);
  await rig.step(250);
  expect(rig.server.state()).toMatchObject({ book: { lastTicks: 20_040 } });
  expect(await post(url, "market", { jumpTicks: -20_000 })).toEqual([
    400,
    { error: "the last price is 20040 ticks: jumpTicks may be -19640 at the lowest" },
  ]);
});

test("while a step is made the market can neither step again nor run by itself; a pause changes nothing", async () => {
  let finish: () => void = () => {};
  const acts: string[] = [];
  const control = await fakeControl({
    isPaused: () => true,
    pause: () => acts.push("pause"),
    resume: () => acts.push("resume"),
    setSpeed: () => acts.push("speed"),
    step: (byMs) => {
      acts.push(`step ${byMs}`);
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
  });
  const url = `http://127.0.0.1:${control.port}`;

  const step = post(url, "market", { step: 60_000 });
  while (acts.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const meanwhile = [];
  for (const command of [{ step: 1 }, { resume: true }, { speed: 5 }, { pause: true }])
    meanwhile.push((await post(url, "market", command))[0]);
  finish();

  expect(await step).toEqual([200, { done: true }]);
  expect(meanwhile).toEqual([400, 400, 400, 200]);
  expect(await post(url, "market", { resume: true })).toEqual([200, { done: true }]);
  expect(acts).toEqual(["step 60000", "pause", "resume"]);
  await control.stop();
});

test("a step is refused while the market runs", async () => {
  const { url } = await start();
  await post(url, "market", { speed: 1 });

  expect(await post(url, "market", { step: 1 })).toEqual([400, { error: "the market runs; pause it before stepping" }]);
});

test("a page is streamed the view and the decoded messages, those of one connection on request", async () => {
  const { rig, url } = await start();
  const client = await rawClient(rig.server.port);
  client.open("v100..178");
  await client.next();
  client.send(71, 2, 5, "");
  await client.nextOf(9);

  const told = await firstEvents(`${url}/simulate/events?barMs=15000`, 2);
  const none = await firstEvents(`${url}/simulate/events?connection=9`, 1);

  const view = JSON.parse(told[0]?.data ?? "null");
  expect(view).toMatchObject({
    contract: { localSymbol: "MESH6", tickSize: 0.25 },
    time: "Mon 5 Jan 2026 09:00:00 CST",
    clients: [{ clientId: 5, serverVersion: 178, messagesIn: 1, messagesOut: 5 }],
    book: { bidTicks: 20_000 },
    position: { position: 0 },
    account: { cashCents: 1_000_000 },
    chart: { barMs: 15_000 },
  });
  expect(view.clients[0].address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(told[1]?.event).toBe("messages");
  const { lines } = JSON.parse(told[1]?.data ?? "null") as { lines: { way: string; name: string }[] };
  expect(lines.map(({ way, name }) => `${way} ${name}`)).toEqual([
    expect.stringMatching(/^note comes from 127\.0\.0\.1:\d+$/),
    "note speaks version 178 (offers 100 to 178)",
    "in startApi",
    "out managedAccounts",
    "out nextValidId",
    "out error",
    "out error",
    "out error",
  ]);
  expect(none.map(({ event }) => event)).toEqual(["view"]);
  client.socket.destroy();
});

test.each([["barMs=7"], ["connection=x"], ["connection=0"]])("a stream with %s is refused", async (query) => {
  const { url } = await start();

  expect((await fetch(`${url}/simulate/events?${query}`)).status).toBe(400);
});

test("one page more than may follow is refused, and has room again when another has gone", async () => {
  const { url } = await start();
  const open = (): Promise<Response> => fetch(`${url}/simulate/events`);
  const answers = await Promise.all(Array.from({ length: FOLLOWERS_MAX }, open));

  expect((await open()).status).toBe(503);
  await answers[0]?.body?.cancel();
  for (;;) {
    const again = await open();
    await again.body?.cancel();
    if (again.status === 200) break;
  }
  for (const answer of answers.slice(1)) await answer.body?.cancel();
});

/** Returns the first events of a stream and leaves it. */
async function firstEvents(url: string, count: number): Promise<{ event: string; data: string }[]> {
  const answer = await fetch(url);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (text.split("\n\n").length <= count) text += (await reader?.read())?.value ?? "";
  await reader?.cancel();
  return text
    .split("\n\n")
    .slice(0, count)
    .map((block) => ({
      event: /^event: (.*)$/m.exec(block)?.[1] ?? "",
      data: /^data: (.*)$/m.exec(block)?.[1] ?? "",
    }));
}

test("a page that does not read is told nothing more until it does, and nothing piles up for it", async () => {
  const wall = handClock();
  let views = 0;
  const control = await fakeControl({
    wall: wall.clock,
    view: () => {
      views += 1;
      return { views, filling: "x".repeat(VIEW_BYTES) };
    },
  });
  const asleep = connect(control.port, "127.0.0.1");
  asleep.pause();
  asleep.write("GET /simulate/events HTTP/1.1\r\nHost: localhost\r\n\r\n");

  for (let turn = 0; turn < 4_000; turn += 1) {
    wall.move(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const whileAsleep = views;
  for (let turn = 0; turn < 1_000; turn += 1) {
    wall.move(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const stillAsleep = views;
  asleep.resume();
  while (views === stillAsleep) {
    wall.move(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
  asleep.destroy();
  await control.stop();

  expect(whileAsleep).toBeGreaterThan(0);
  expect(whileAsleep * VIEW_BYTES).toBeLessThan(64 * 1_048_576);
  expect(stillAsleep).toBe(whileAsleep);
});
