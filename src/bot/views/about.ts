// Who you are, what there is, how the program is: /start, /help, /health, /version, /id and short answers. Pure.
import type { Role } from "../../config/schema.ts";
import type { DeskSnapshot } from "../../trading/desk.ts";
import { printCount, printDurationShort } from "../../units.ts";
import { bold, code, lines, type Rich, rich } from "./rich.ts";
import { plain, refresh, run, type View } from "./view.ts";
import { asOf, headLine, marketLine, reportLine, time } from "./words.ts";

/** Returns the greeting. It never starts trading. */
export function startView(snap: DeskSnapshot, name: string, role: Role): View {
  return {
    text: lines(
      headLine(snap),
      snap.marketLabel === null ? null : `The market here is simulated: ${snap.marketLabel}.`,
      `Hello ${name}, you are ${role} here.`,
      "/status says what is true now, /why why there is no trade, /help what there is.",
      "/flatten closes everything.",
      asOf(snap),
    ),
    buttons: [
      [run("Status", "/status"), run("Why", "/why"), run("P&L", "/pnl")],
      [run("Chart", "/chart today"), run("Pause", "/pause")],
      [run("Flatten", "/flatten")],
    ],
  };
}

/** Is what /help says of a command. */
export type CommandWords = {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  readonly usage: string;
  readonly example: string;
  readonly does: string;
  readonly role: Role;
};

/** Returns the list of the commands that this person may use. */
export function helpView(snap: DeskSnapshot, commands: readonly CommandWords[], role: Role): View {
  const groups = [...new Set(commands.map((command) => command.group))];
  const inGroup = (group: string): readonly (string | Rich)[] => [
    bold(group),
    ...commands
      .filter((command) => command.group === group)
      .map((command) => `/${command.name} – ${command.description}`),
  ];
  return {
    text: lines(
      reportLine(snap, `Help for ${role}`),
      marketLine(snap),
      ...groups.flatMap(inGroup),
      "More on one: /help flatten",
    ),
    buttons: [[run("Status", "/status"), run("Why", "/why")]],
  };
}

/** Returns what one command is for. */
export function commandHelpView(snap: DeskSnapshot, command: CommandWords): View {
  return plain(
    lines(
      bold(`${snap.badge} · /${command.name} – ${command.description}`),
      rich("Type ", code(command.usage)),
      rich("For example ", code(command.example)),
      command.does,
      `Who: ${command.role}${command.role === "owner" ? "" : " or higher"}`,
    ),
  );
}

/** Is what the channel knows of itself, for /health. */
export type ChannelHealth = {
  readonly polling: string;
  readonly waiting: number;
  /** This machine's clock against the chat's, in milliseconds; null until an answer told. */
  readonly skewMs: number | null;
};

/** A clock off by more than this is named a warning. */
const SKEW_MS_MAX = 5_000;

/** Returns links, clocks and queues. */
export function healthView(snap: DeskSnapshot, channel: ChannelHealth): View {
  const { health, status } = snap;
  const skew =
    channel.skewMs === null
      ? "n/a (no answer yet)"
      : `${printCount(Math.round(Math.abs(channel.skewMs) / 1_000))} s${Math.abs(channel.skewMs) > SKEW_MS_MAX ? " – warning: this machine's clock is off" : ""}`;
  const age = status.quoteAgeMs === null ? "n/a (no quote yet)" : printDurationShort(status.quoteAgeMs);
  return {
    text: lines(
      reportLine(snap, health.journalProblem === null ? "Health" : "Health: journal trouble"),
      health.journalProblem === null ? null : bold(health.journalProblem),
      `Gateway ${status.link} since ${time(snap, status.linkSinceMs)}`,
      `Last quote ${age} old · ${status.reconciled ? "reconciled" : "not reconciled"}`,
      `Chat ${channel.polling} · ${printCount(channel.waiting)} messages waiting`,
      `Chat clock differs by ${skew}`,
      `Journal fsync ${health.journalSyncMs.toFixed(1)} ms, most ${health.journalSyncMsMax.toFixed(1)} ms`,
      `Journal record ${printCount(health.journalSeq)} · ${printCount(health.noticesWaiting)} notices waiting`,
      `Loop lag ${health.loopLagMs.toFixed(0)} ms · memory ${health.memoryMiB.toFixed(0)} MiB`,
      `Up ${printDurationShort(Math.max(0, snap.nowMs - snap.startedAtMs))}`,
      asOf(snap),
    ),
    buttons: [[refresh("Refresh", "/health")]],
  };
}

/** Returns the versions. */
export function versionView(snap: DeskSnapshot): View {
  return plain(
    lines(
      bold(`${snap.badge} · Version ${snap.version}`),
      `Engine ${snap.engineVersion} · Node ${snap.nodeVersion}`,
      `Settings r${snap.revision} · started ${time(snap, snap.startedAtMs)}`,
    ),
  );
}

/** Returns the ids that a configuration needs. */
export function idView(snap: DeskSnapshot, ids: { userId: number; chatId: number; topicId: number | null }): View {
  return plain(
    lines(
      bold(`${snap.badge} · Your ids`),
      rich("user ", code(String(ids.userId))),
      rich("chat ", code(String(ids.chatId))),
      ids.topicId === null ? null : rich("topic ", code(String(ids.topicId))),
    ),
  );
}
