// Brings up everything that `npm start` is made of, in order, and tears it down in the reverse one.
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { type Bot, createBot } from "../bot/index.ts";
import type { StartOptions } from "../cli.ts";
import { type Cancel, type Clock, wallClock } from "../clock.ts";
import { withUser, writeConfigFile } from "../config/edit.ts";
import type { Settings, User } from "../config/schema.ts";
import { livenessProblems } from "../dashboard/health.ts";
import { type Dashboard, startDashboard } from "../dashboard/server.ts";
import { startDeadMan } from "../dead-man.ts";
import { printJournalProblem } from "../journal/journal.ts";
import { errorFields, keepSecret, type Log } from "../log.ts";
import { createSecondChannel } from "../second-channel.ts";
import { createIbGateway } from "../trading/ib/index.ts";
import { type Schedule, startSchedule, startScheduleOn } from "../trading/schedule.ts";
import { VERSION } from "../version.ts";
import { type Assembly, assemble } from "./assemble.ts";
import { DEMO_ACCOUNT, DEMO_OWNER, DEMO_TOKEN, type Demo, startDemo } from "./demo.ts";
import { BAD_INPUT, badInput, ExitError, LOCKED } from "./exit.ts";
import type { Mode } from "./mode.ts";
import { nextLocalMinute } from "./next-minute.ts";
import { createRefusals } from "./refusals.ts";

const TELEGRAM_API_ROOT = "https://api.telegram.org";
const FLATTEN_ON_STOP_MS_MAX = 20_000;
const PAIRING_CODE_MAX = 1_000_000_000;
const PORT_TRIES_MAX = 20;

/** What is up so far; torn down in the reverse order. */
export type Parts = {
  demo: Demo | null;
  assembly: Assembly | null;
  dashboard: Dashboard | null;
  bot: Bot | null;
  schedule: Schedule | null;
  deadMan: Cancel | null;
  /** True from the moment at which the broker is asked for: before, there is nothing to report or announce. */
  isConnected: boolean;
};

/** Returns parts of which nothing is up. */
export const noParts = (): Parts => ({
  demo: null,
  assembly: null,
  dashboard: null,
  bot: null,
  schedule: null,
  deadMan: null,
  isConnected: false,
});

/** Starts everything, noting in `parts` what is up, so that a failure half-way can be torn down. */
export async function bringUp(
  mode: Mode,
  options: StartOptions,
  lock: Parameters<typeof assemble>[0]["lock"],
  parts: Parts,
  log: Log,
  onFault: (fault: Error) => void,
): Promise<void> {
  const { settings, dataDir } = mode;
  const demo = mode.broker === "simulated" ? await startDemo(mode, options, log) : null;
  parts.demo = demo;
  const clock: Clock = demo?.clock ?? wallClock;
  const badge = demo !== null ? "DEMO" : settings.ibkr.live ? "LIVE" : "PAPER";

  let refuse: (control: string, detail: string) => void = () => {};
  const gateway = createIbGateway({
    host: demo === null ? settings.ibkr.host : "127.0.0.1",
    port: demo?.gateway.port ?? settings.ibkr.port,
    clientId: settings.ibkr.clientId,
    account: demo === null ? settings.ibkr.account : DEMO_ACCOUNT,
    live: settings.ibkr.live,
    timesRealTime: demo?.timesRealTime ?? 1,
    wall: wallClock,
    clock,
    random: Math.random,
    log: log.child({ room: "ib" }),
    onRefused: (control, detail) => refuse(control, detail),
  });
  const assembled = await assemble({
    dataDir,
    settings,
    config: { text: mode.config.text, save: (text) => writeConfigFile(mode.config.path, text) },
    badge,
    marketLabel: () => demo?.label() ?? null,
    startsTrading: badge !== "LIVE",
    gateway,
    clock,
    wall: wallClock,
    version: VERSION,
    log: log.child({ room: "trading" }),
    ...(lock === undefined ? {} : { lock }),
    onFault,
  });
  if (!assembled.ok)
    throw new ExitError(assembled.error.type === "locked" ? LOCKED : BAD_INPUT, printJournalProblem(assembled.error));
  const assembly = assembled.value;
  parts.assembly = assembly;
  refuse = createRefusals({ session: assembly.session, wall: wallClock, log });

  await assembly.begin();
  parts.dashboard = settings.dashboard.enabled ? await openDashboard(assembly, options, mode, log) : null;
  const chat = chatOf(mode, demo);
  const targets = settings.notices.secondChannel;
  for (const secret of [...targets, settings.notices.deadManUrl ?? ""]) keepSecret(secret);
  const secondChannel = createSecondChannel({ targets, wall: wallClock, log: log.child({ room: "second channel" }) });
  parts.bot = createBot({
    token: chat.token,
    apiRoot: chat.apiRoot,
    desk: assembly.desk,
    wall: wallClock,
    users: chat.users,
    alertChats: chat.alertChats,
    groups: chat.groups,
    theme: settings.telegram.theme,
    stateFile: join(dataDir, "bot.json"),
    log: log.child({ room: "bot" }),
    isDemo: demo !== null,
    onUntold: (text) => void secondChannel.tell(text),
    ...(chat.pairing === null
      ? {}
      : { pairing: { code: chat.pairing }, onPaired: (user: User) => savePaired(mode, user, log) }),
  });
  printAddresses(mode, demo, parts.dashboard, assembly, chat);
  if (chat.pairing !== null) {
    say(
      `\nNobody is on the allow-list yet. Send this code to your bot within 10 minutes to become its owner: ${chat.pairing}\n`,
    );
  }

  demo?.waitFor(() => assembly.session.idle());
  if (demo !== null && demo.endMs !== null) tellEnd(assembly, demo, demo.endMs);
  assembly.connect();
  parts.isConnected = true;
  await parts.bot.start();
  parts.schedule = schedule(assembly, settings, demo, log);
  parts.deadMan = feedDeadMan(settings, assembly, parts.bot, log);
}

/** All is well while the journal is written, the chat server answers, and the broker is there when its market is open. */
function feedDeadMan(settings: Settings, assembly: Assembly, bot: Bot, log: Log): Cancel | null {
  const url = settings.notices.deadManUrl;
  if (url === null) return null;
  const problems = (): readonly string[] => {
    const snapshot = assembly.desk.snapshot();
    const { link, marketOpen } = snapshot.status;
    return [
      ...livenessProblems(snapshot),
      ...(link === "up" || marketOpen === false ? [] : [`link_${link}`]),
      ...(bot.isPolling() ? [] : ["chat"]),
    ];
  };
  return startDeadMan({ url, problems, wall: wallClock, log: log.child({ room: "dead man" }) });
}

/** A recording that has ended says so in the chat; the closed market alone would look like a fault. */
function tellEnd(assembly: Assembly, demo: Demo, endMs: number): void {
  demo.clock.at(endMs + 1, () => {
    assembly.session.receive({
      type: "told",
      class: "session",
      event: "recording_ended",
      lines: [
        `The market stays closed from here: ${demo.label()}.`,
        "The bot goes on answering. Stop it and start it again to play the recording from its beginning, in a folder of its own.",
      ],
    });
  });
}

/** Ends in order what is up: the person is told what stays open, the notices go out, the journal is closed. */
export async function tearDown(parts: Parts, settings: Settings, reason: string, log: Log): Promise<void> {
  const { assembly, bot, dashboard, schedule: knocks, demo } = parts;
  const attempt = async (what: string, act: () => Promise<void>): Promise<void> => {
    await act().catch((thrown: unknown) => log.error(errorFields(thrown), what));
  };
  knocks?.stop();
  parts.deadMan?.();
  if (assembly !== null && parts.isConnected) {
    if (settings.session.onStop === "flatten") await attempt("flattening at the end", () => flattenAtEnd(assembly));
    await attempt("reporting what is open", async () => printEnd(assembly));
    await attempt("announcing the end", () => assembly.announceStop(reason));
  }
  if (bot !== null) await attempt("stopping the bot", () => bot.stop());
  if (dashboard !== null) await attempt("stopping the local HTTP server", () => dashboard.close());
  if (assembly !== null) await attempt("closing the journal", () => assembly.close());
  if (demo !== null) await attempt("stopping the simulated market", () => demo.stop());
  if (assembly !== null && parts.isConnected) say("The journal is closed. A restart goes on from here.");
}

async function flattenAtEnd(assembly: Assembly): Promise<void> {
  const { desk } = assembly;
  if (desk.snapshot().status.position === null) return;
  say("session.onStop is flatten: closing the position …");
  const done = new Promise<void>((resolve) => {
    const stop = desk.observe((caused) => {
      if (caused.type !== "flat_confirmed") return;
      stop();
      resolve();
    });
    wallClock.after(FLATTEN_ON_STOP_MS_MAX, resolve);
  });
  await desk.flatten({ person: { id: 0, name: "program end" }, updateId: null });
  await done;
}

/** What a person must know who leaves: what is open, and what protects it. */
function printEnd(assembly: Assembly): void {
  const { status, contractName } = assembly.desk.snapshot();
  const { position, orders } = status;
  if (position === null && orders.length === 0) {
    say("Flat, no working orders.");
    return;
  }
  const held =
    position === null
      ? "Flat"
      : `${position.position > 0 ? "LONG" : "SHORT"} ${Math.abs(position.position)} ${contractName}`;
  say(`${held}; ${orders.length} working order${orders.length === 1 ? "" : "s"} rest at the broker and stay there:`);
  for (const order of orders) say(`  ${order.leg ?? "foreign"} ${order.side} ${order.quantity} ${order.orderRef}`);
}

async function openDashboard(assembly: Assembly, options: StartOptions, mode: Mode, log: Log): Promise<Dashboard> {
  const { host, port } = mode.settings.dashboard;
  const isAsked = options.httpPort !== null || (process.env["HTTP_PORT"] ?? "") !== "";
  for (let tried = 0; ; tried++) {
    const at = port === 0 ? 0 : port + tried;
    const started = await startDashboard({
      desk: assembly.desk,
      host,
      port: at,
      dataDir: mode.dataDir,
      pid: process.pid,
      log,
    });
    if (started.ok) {
      if (tried > 0) say(`Port ${port} is taken; health and metrics are at ${at}.`);
      return started.value;
    }
    if (isAsked || tried + 1 >= PORT_TRIES_MAX) {
      throw badInput(
        `Port ${at} for health and metrics is taken. Choose another with --http-port N (0 = a free one) or HTTP_PORT.`,
      );
    }
  }
}

type Chat = {
  readonly token: string;
  readonly apiRoot: string;
  readonly users: readonly User[];
  readonly alertChats: readonly number[];
  readonly groups: readonly number[];
  /** The one-time code, where nobody is listed. */
  readonly pairing: string | null;
};

function chatOf(mode: Mode, demo: Demo | null): Chat {
  const { settings, secrets } = mode;
  if (mode.chat === "local" && demo?.chat != null) {
    const owner: User = { ...DEMO_OWNER, role: "owner" };
    return {
      token: DEMO_TOKEN,
      apiRoot: demo.chat.url,
      users: [owner],
      alertChats: [owner.id],
      groups: [],
      pairing: null,
    };
  }
  const chatId = secrets.telegramChatId;
  const byChat: readonly User[] = chatId !== null && chatId > 0 ? [{ id: chatId, name: "owner", role: "owner" }] : [];
  const listed = settings.telegram.users;
  const users = [...listed, ...byChat.filter((user) => !listed.some((each) => each.id === user.id))];
  const groups = [...settings.telegram.groups, ...(chatId !== null && chatId < 0 ? [chatId] : [])];
  const privateChats = users.filter((user) => user.role !== "viewer").map((user) => user.id);
  const alertChats = [...new Set([...(chatId === null ? [] : [chatId]), ...privateChats])];
  const pairing = users.length === 0 ? String(randomInt(PAIRING_CODE_MAX / 10, PAIRING_CODE_MAX)) : null;
  return {
    token: secrets.telegramBotToken as string,
    apiRoot: secrets.telegramApiRoot ?? TELEGRAM_API_ROOT,
    users,
    alertChats,
    groups,
    pairing,
  };
}

async function savePaired(mode: Mode, user: User, log: Log): Promise<void> {
  const changed = withUser({ text: mode.config.text, settings: mode.settings }, user);
  if (!changed.ok) {
    log.error({ problems: changed.error.length }, "the paired owner could not be written to the configuration");
    return;
  }
  await writeConfigFile(mode.config.path, changed.value.nextText);
  say(`${user.name} (${user.id}) is the owner now and was written to ${mode.config.path}.`);
}

function schedule(assembly: Assembly, settings: Settings, demo: Demo | null, log: Log): Schedule {
  const { session } = assembly;
  const { timeZone } = settings.session;
  const summaryAtMinute = settings.telegram.dailySummaryAtMinute;
  if (demo === null) return startSchedule({ session, timeZone, summaryAtMinute, log });
  const nextAtMs = (afterMs: number): number => nextLocalMinute(afterMs, summaryAtMinute, timeZone);
  return startScheduleOn({ session, clock: demo.clock, nextAtMs });
}

function printAddresses(
  mode: Mode,
  demo: Demo | null,
  dashboard: Dashboard | null,
  assembly: Assembly,
  chat: Chat,
): void {
  const { settings } = mode;
  const market =
    demo === null
      ? `${settings.ibkr.live ? "LIVE: REAL MONEY" : "PAPER"} at ${settings.ibkr.host}:${settings.ibkr.port}`
      : `DEMO, no real money: ${demo.label()}`;
  const rows: (readonly [string, string])[] = [];
  if (demo?.chat != null) rows.push(["Chat page", `${demo.chat.url}/`]);
  else rows.push(["Chat", `Telegram by ${chat.apiRoot}`]);
  if (demo !== null) {
    rows.push(["Simulated gateway", `127.0.0.1:${demo.gateway.port} (TWS protocol)`]);
    if (demo.gateway.url !== null) {
      rows.push(["Market page", `${demo.gateway.url}/`]);
      rows.push(["Gateway control", `${demo.gateway.url}/simulate/state`]);
    }
  }
  if (dashboard !== null) rows.push(["Health", `http://${settings.dashboard.host}:${dashboard.port}/healthz`]);
  rows.push(["Data", mode.dataDir], ["Settings", mode.config.path]);
  say(`Quant Scalper ${VERSION} · ${market}`);
  for (const [name, value] of rows) say(`  ${name.padEnd(18)} ${value}`);
  for (const finding of assembly.findings) say(`  ! ${finding}`);
  if (demo?.chat != null) say("Open the chat page and press Start. Ctrl-C stops the bot.");
  else say("Ctrl-C stops the bot; stops and targets rest at the broker.");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
