// The conversation about settings, as messages: groups, parameters, the question, the preview, the result, the history. Pure.

import type { Preview } from "../../config/edit.ts";
import { printValue } from "../../config/edit.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { FIELDS, type Field } from "../../config/schema.ts";
import type { ConfigChangeRow, DeskSnapshot } from "../../trading/desk.ts";
import { bold, lines, type Rich, rich } from "./rich.ts";
import { type Button, deed, PREVIEW_MS, plain, refresh, run, type View } from "./view.ts";
import { asOf, personName, positionText, reportLine, time } from "./words.ts";

/** Is a group of settings as the chat shows it: the sections of the file whose keys can be changed here. */
export type Group = { readonly id: string; readonly label: string; readonly fields: readonly Field[] };

const LABELS: Readonly<Record<string, string>> = {
  strategy: "Strategy",
  risk: "Risk",
  session: "Session",
  contract: "Contract",
  telegram: "Chat",
};

/** Holds the groups in the order in which they are offered. */
export const GROUPS: readonly Group[] = Object.entries(LABELS)
  .map(([id, label]) => ({
    id,
    label,
    fields: FIELDS.filter((field) => field.section === id && field.where === "chat"),
  }))
  .filter((group) => group.fields.length > 0);

/** Returns the first step: which group. */
export function groupsView(snap: DeskSnapshot): View {
  const buttons = GROUPS.map((group) => pick(group.label, `group:${group.id}`));
  return {
    text: lines(
      reportLine(snap, `Settings r${snap.revision}`),
      "Which part do you want to change?",
      "Account, port and live trading are only changed in the file.",
    ),
    buttons: [buttons.slice(0, 3), buttons.slice(3), [pick("Cancel", "cancel")]],
  };
}

/** Returns the second step: the parameters of a group with their values. */
export function parametersView(snap: DeskSnapshot, group: Group): View {
  const rows: Button[][] = [];
  for (let from = 0; from < group.fields.length; from += 3) {
    rows.push(group.fields.slice(from, from + 3).map((field) => pick(nameOf(field), `field:${field.path}`)));
  }
  return {
    text: lines(
      reportLine(snap, group.label),
      ...group.fields.map((field) => rich(bold(nameOf(field)), `: ${printValue(field, snap.settings)}`)),
      "Which one?",
    ),
    buttons: [...rows, [pick("◀ Back", "back"), pick("Cancel", "cancel")]],
  };
}

/** Returns the question for a value; `problem` says what was wrong with the last answer. */
export function askView(snap: DeskSnapshot, field: Field, problem: string | null): View {
  return {
    text: lines(
      problem === null ? null : rich("✗ ", bold(problem)),
      `Send ${nameOf(field)} (${field.range}). Now ${printValue(field, snap.settings)}. /cancel to leave.`,
      field.help,
    ),
    buttons: [[pick("Cancel", "cancel")]],
  };
}

/** Returns old → new with what it means; only `name` may apply it. */
export function previewView(
  snap: DeskSnapshot,
  preview: Preview,
  options: { name: string; note: string | null; buttons: readonly (readonly Button[])[] },
): View {
  return {
    text: lines(
      options.note === null ? null : bold(options.note),
      bold(`${snap.badge} · Change settings? r${snap.revision} → r${preview.nextRevision}`),
      ...preview.lines.map((line) => rich(bold(line.shortName ?? line.path), `: ${line.old} → ${line.new}`)),
      ...preview.effects,
      ...preview.lines.map((line) => `${line.shortName ?? line.path} acts ${WHEN[line.takesEffect]}.`),
      openPositionLine(snap),
      preview.raisesRisk ? bold("Risk: higher than now.") : "Risk: not raised.",
      `Valid 5 min, for @${options.name} only.`,
    ),
    buttons: options.buttons,
  };
}

const WHEN: Readonly<Record<Field["takesEffect"], string>> = {
  now: "at once",
  nextPosition: "from the next position",
  nextTradeDate: "from the next trade date",
  restart: "at the next start",
};

function openPositionLine(snap: DeskSnapshot): string | null {
  const held = snap.status.position;
  return held === null
    ? null
    : `Position: ${positionText(held.position)} open; its stop, target and exit rule keep r${snap.revision}.`;
}

/** Are the buttons of a preview in the dialogue. */
export const DIALOGUE_BUTTONS: readonly (readonly Button[])[] = [
  [pick("Apply", "apply", PREVIEW_MS)],
  [pick("Change value", "again", PREVIEW_MS), pick("Cancel", "cancel", PREVIEW_MS)],
];

/** Returns the result of an applied change. */
export function appliedView(snap: DeskSnapshot, revision: number, by: string, changes: readonly string[]): View {
  return {
    text: lines(
      rich("✅ ", bold(`${snap.badge} · Applied r${revision}`)),
      ...changes,
      `${time(snap, snap.nowMs)} by @${by}`,
    ),
    buttons: [[run("Undo", "/undo")]],
  };
}

/** Returns the problems that forbid a change, in full words. */
export function problemsText(problems: readonly ConfigProblem[]): string {
  return problems.map((problem) => `${problem.key === null ? "" : `${problem.key}: `}${problem.message}`).join("; ");
}

/** Returns the list of what /set can change. */
export function keysView(snap: DeskSnapshot, problem: string | null): View {
  const group = (one: Group): readonly (string | Rich)[] => [
    bold(one.label),
    ...one.fields.map((field) => `  ${nameOf(field)}: ${printValue(field, snap.settings)}`),
  ];
  return {
    text: lines(
      reportLine(snap, `Settings r${snap.revision}`),
      problem === null ? null : rich("✗ ", bold(problem)),
      ...GROUPS.flatMap(group),
      "Change one: /set window 90",
    ),
    buttons: [[run("Step by step", "/config")]],
  };
}

/** A page of /history has so many revisions. */
export const HISTORY_MAX = 8;

/** Returns who changed what, the newest first; `page` counts from 0. */
export function historyView(snap: DeskSnapshot, rows: readonly ConfigChangeRow[], count: number, page: number): View {
  const newest = [...rows].reverse();
  const pages = Math.max(1, Math.ceil(newest.length / count));
  const at = Math.min(Math.max(0, page), pages - 1);
  const turn: Button[] = [
    ...(at > 0 ? [refresh("◀ Newer", `/history ${count} ${at - 1}`)] : []),
    ...(at < pages - 1 ? [refresh("Older ▶", `/history ${count} ${at + 1}`)] : []),
  ];
  return {
    text: lines(
      reportLine(snap, "Changes"),
      ...newest
        .slice(at * count, (at + 1) * count)
        .flatMap((row) => [
          rich(bold(`r${row.revision}`), ` ${time(snap, row.atMs)} by ${personName(row.by)}`),
          ...row.changes.map((change) => `  ${change.path}: ${change.old} → ${change.new}`),
        ]),
      rows.length === 0 ? "No setting was changed from here yet." : `Page ${at + 1} of ${pages}`,
      asOf(snap),
    ),
    buttons: [...(turn.length > 0 ? [turn] : []), ...(rows.length > 0 ? [[run("Undo last", "/undo")]] : [])],
  };
}

/** Returns a short message of the dialogue. */
export const saying = (text: string): View => plain(rich(text));

/** Returns what a person calls a setting. */
export function nameOf(field: Field): string {
  return field.shortName ?? field.path;
}

function pick(label: string, what: string, aliveMs: number = PREVIEW_MS): Button {
  return deed(label, { verb: "pick", what }, aliveMs);
}
