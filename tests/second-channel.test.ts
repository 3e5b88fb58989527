// Web hooks over real HTTP and commands in a real shell; what fails says why and never where.
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { wallClock } from "../src/clock.ts";
import type { Log } from "../src/log.ts";
import { createSecondChannel } from "../src/second-channel.ts";
import { createFakeClock } from "./support/fake-clock.ts";

const TEXT = 'HALTED · "daily loss" −$501.49\n(the chat has not taken this)';

type Logged = { readonly level: string; readonly fields: object; readonly message: string };

function keptLog(): { log: Log; lines: Logged[] } {
  const lines: Logged[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => log };
  return { log, lines };
}

async function hook(status: number): Promise<{ url: string; bodies: { type: string; body: string }[] }> {
  const bodies: { type: string; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
    request.on("end", () => {
      bodies.push({ type: `${request.method} ${request.headers["content-type"]}`, body });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/canary-path`, bodies };
}

test("a web hook gets the text as JSON, a command gets it on its standard input", async () => {
  const { url, bodies } = await hook(200);
  const file = join(mkdtempSync(join(tmpdir(), "second-channel-")), "told");
  const { log, lines } = keptLog();

  await createSecondChannel({ targets: [url, `cat > "${file}"`], wall: wallClock, log }).tell(TEXT);

  expect(bodies).toEqual([{ type: "POST application/json", body: JSON.stringify({ text: TEXT }) }]);
  expect(readFileSync(file, "utf8")).toBe(TEXT);
  expect(lines.map(({ level }) => level)).toEqual(["info", "info"]);
});

test("a target that fails does not keep the next from being told, and its address stays out of the log", async () => {
  const refusing = await hook(403);
  const taking = await hook(200);
  const { log, lines } = keptLog();
  const targets = [refusing.url, "http://127.0.0.1:1/canary-path", "exit 3 # canary-command", taking.url];

  await createSecondChannel({ targets, wall: wallClock, log }).tell(TEXT);

  expect(taking.bodies).toHaveLength(1);
  expect(lines.map(({ fields }) => fields)).toEqual([
    { target: 1, errorMessage: "it answered 403" },
    { target: 2, errorMessage: "the address can't be reached" },
    { target: 3, errorMessage: "it ended with code 3" },
    { target: 4 },
  ]);
  expect(JSON.stringify(lines)).not.toContain("canary");
});

test("a target that does not answer is given up after fifteen seconds", async () => {
  const clock = createFakeClock();
  const { log, lines } = keptLog();
  const ask: typeof fetch = (_url, init) =>
    new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("aborted"))));

  const told = createSecondChannel({ targets: ["https://example.org/hook"], wall: clock, log, ask }).tell(TEXT);
  clock.advance(15_000);
  await told;

  expect(lines).toMatchObject([{ level: "error", fields: { errorMessage: "no answer in time" } }]);
});
