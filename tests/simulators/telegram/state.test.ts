// What survives a restart, and what starting can be refused for.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { wallClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { type BotApiServer, startBotApiServer } from "../../../src/simulators/telegram/index.ts";
import { UPDATE_IDS_SKIPPED } from "../../../src/simulators/telegram/state-file.ts";
import { formOf, OWNER, pngOf, stageOf, startStage } from "./support.ts";

const chat_id = OWNER.id;

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bot-api-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const start = (stateFile: string): Promise<BotApiServer> =>
  startBotApiServer({ port: 0, clock: wallClock, owner: OWNER, banner: "", flood: false, log: silentLog, stateFile });

test("messages, files, pins, commands and waiting updates are there after a restart, and numbering goes on", async () => {
  const stateFile = join(newFolder(), "chat.json");
  const first = await start(stateFile);
  const before = stageOf(first);
  const { update_id } = await before.person("message", { text: "/start" });
  const photo = formOf({ chat_id: String(chat_id) }, { photo: { bytes: pngOf(60, 40), name: "p.png" } });
  const sent = (await before.bot("sendPhoto", photo)).result;
  await before.bot("pinChatMessage", { chat_id, message_id: sent.message_id, disable_notification: true });
  await before.bot("setMyCommands", { commands: [{ command: "start", description: "Begin" }] });
  const viewBefore = await before.chat();
  await first.close();

  const second = await start(stateFile);
  onTestFinished(() => second.close());
  const after = stageOf(second);

  const view = await after.chat();
  expect(view.messages).toEqual(viewBefore.messages);
  expect(view).toMatchObject({ pinned: { message_id: sent.message_id }, commands: [{ command: "start" }] });
  expect((await fetch(second.url + view.messages[1].photo.url)).status).toBe(200);
  expect((await after.bot("getUpdates")).result).toMatchObject([{ update_id, message: { text: "/start" } }]);
  expect(await after.person("message", { text: "next" })).toMatchObject({
    update_id: update_id + 1,
    message: { message_id: 3 },
  });
});

test("after a kill no update id is given twice", async () => {
  const stateFile = join(newFolder(), "chat.json");
  const first = await start(stateFile);
  const { update_id } = await stageOf(first).person("message", { text: "one" });
  // What a kill leaves: the file as it was at the start, before the message was saved.
  const atStart = readFileSync(stateFile, "utf8");
  await first.close();
  writeFileSync(stateFile, atStart);

  const second = await start(stateFile);
  onTestFinished(() => second.close());

  const next = await stageOf(second).person("message", { text: "two" });
  expect(JSON.parse(atStart).isClean).toBe(false);
  expect(next.update_id).toBe(update_id + UPDATE_IDS_SKIPPED);
});

test("a damaged state file is moved aside, and the chat begins anew", async () => {
  const folder = newFolder();
  const stateFile = join(folder, "chat.json");
  writeFileSync(stateFile, '{"version":1,"people":');

  const server = await start(stateFile);
  onTestFinished(() => server.close());

  expect((await stageOf(server).chat()).messages).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.startsWith("chat.json.damaged-"))).toHaveLength(1);
});

test("without a state file nothing is written", async () => {
  const folder = newFolder();
  const server = await startBotApiServer({ port: 0, clock: wallClock, owner: OWNER, banner: "", log: silentLog });

  await server.close();

  expect(existsSync(join(folder, "chat.json"))).toBe(false);
});

test("a port that is taken is told by type and number", async () => {
  const { server } = await startStage();
  const again = startBotApiServer({ port: server.port, clock: wallClock, owner: OWNER, banner: "", log: silentLog });

  await expect(again).rejects.toMatchObject({ type: "port_busy", port: server.port });
});

test("closing ends the polls that wait", async () => {
  const server = await startBotApiServer({ port: 0, clock: wallClock, owner: OWNER, banner: "", log: silentLog });
  const { bot } = stageOf(server);
  const poll = bot("getUpdates", { timeout: 50 }).catch(() => "cut off");
  await bot("getMe");

  await server.close();

  expect(await poll).toSatisfy((ended) => ended === "cut off" || (ended as { status: number }).status === 500);
});
