// The commands that steer: pause, halt and flatten go easily, resume and arm only deliberately.
import type { Answer, DeskSnapshot } from "../../trading/desk.ts";
import { MINUTE_MS, parseDuration } from "../../units.ts";
import { type Call, type Reply, view } from "../context.ts";
import { flattenQuestion } from "../views/flatten.ts";
import { bold, lines, rich } from "../views/rich.ts";
import { gateName } from "../views/status.ts";
import { type Button, deed, plain, run, type View } from "../views/view.ts";
import { headLine, isLinkDown, money, PAUSE_MS_MAX, positionText, time } from "../views/words.ts";
import type { Command } from "./command.ts";

/** A reason of /halt is kept up to so many letters. */
const REASON_UNITS_MAX = 200;

const base = { group: "Steer", isEmergency: false } as const;

/** Holds them in the order of the help. */
export const STEER: readonly Command[] = [
  {
    ...base,
    name: "pause",
    kind: "stop",
    isEmergency: true,
    role: "viewer",
    description: "Stop new entries",
    usage: "/pause [30m|2h|1h30m|today]",
    example: "/pause 30m",
    does: "Stops new entries until then, or until /resume. Position, stop and target are untouched.",
    run: async (call) => {
      const until = pauseEnd(call.room.desk.snapshot(), call.rest);
      if (until.type === "wrong") return view(plain(rich(until.text)));
      const answer = await call.room.desk.pause(call.caller.origin, until.atMs);
      return answered(call, answer, until.note === null ? [] : [until.note], [
        [run("Resume", "/resume"), run("Status", "/status")],
      ]);
    },
  },
  {
    ...base,
    name: "resume",
    kind: "risk",
    role: "trader",
    description: "Allow entries again",
    usage: "/resume",
    example: "/resume",
    does: "Checks again and allows entries after one tap; refused while halted, unlinked or unreconciled.",
    run: async (call) => view(resumeQuestion(call.room.desk.snapshot())),
  },
  {
    ...base,
    name: "flatten",
    kind: "flatten",
    isEmergency: true,
    role: "trader",
    description: "Close everything now",
    usage: "/flatten",
    example: "/flatten",
    does: "After one tap: entries off, orders cancelled, position closed at market; flat is said when the broker says so.",
    run: async (call) => view(flattenQuestion(call.room.desk.snapshot(), call.late)),
  },
  {
    ...base,
    name: "halt",
    kind: "stop",
    isEmergency: true,
    role: "viewer",
    description: "Stop entries until re-armed",
    usage: "/halt [reason]",
    example: "/halt news at noon",
    does: "Stops entries until an owner says /arm. Stops and exits go on.",
    run: async (call) => {
      const reason = call.rest === "" ? "by command" : call.rest.slice(0, REASON_UNITS_MAX);
      const answer = await call.room.desk.halt(call.caller.origin, reason);
      return answered(
        call,
        answer,
        ["Stops and exits go on."],
        [[run("Why", "/why"), run("Status", "/status")], [run("Flatten too", "/flatten")]],
      );
    },
  },
  {
    ...base,
    name: "arm",
    kind: "risk",
    role: "owner",
    description: "Clear a halt after checks",
    usage: "/arm",
    example: "/arm",
    does: "Shows what halted and what must be true, and clears the halt after one tap.",
    run: async (call) => view(armQuestion(call.room.desk.snapshot())),
  },
];

/** Returns the message of an answer from the desk, with state first. */
function answered(call: Call, answer: Answer, more: readonly string[], buttons: readonly (readonly Button[])[]): Reply {
  return view(answerView(call.room.desk.snapshot(), answer, call.late, answer.accepted ? more : [], buttons));
}

/** Returns what the desk answered, as a message. */
export function answerView(
  snap: DeskSnapshot,
  answer: Answer,
  late: string | null,
  more: readonly string[],
  buttons: readonly (readonly Button[])[],
): View {
  return {
    text: lines(
      headLine(snap),
      late,
      answer.repeated ? "Already done; nothing was done twice." : null,
      answer.accepted ? null : rich("✗ ", bold("Not done")),
      ...answer.lines,
      ...more,
    ),
    buttons,
  };
}

function resumeQuestion(snap: DeskSnapshot): View {
  const { status } = snap;
  if (status.posture === "halted") {
    return {
      text: lines(headLine(snap), "HALTED: /resume does not clear a halt. An owner can with /arm."),
      buttons: [[run("Arm", "/arm"), run("Why", "/why")]],
    };
  }
  if (status.posture === "trading")
    return { text: lines(headLine(snap), "Entries are allowed already."), buttons: [[run("Why", "/why")]] };
  if (status.posture === "flattening")
    return {
      text: lines(headLine(snap), "It is still closing; /resume is possible when it is flat."),
      buttons: [[run("Status", "/status")]],
    };
  if (isLinkDown(status)) {
    return {
      text: lines(
        headLine(snap),
        `Not done: LINK DOWN since ${time(snap, status.linkSinceMs)}. Try again when it is back.`,
      ),
      buttons: [[run("Status", "/status")]],
    };
  }
  if (!status.reconciled) {
    return {
      text: lines(headLine(snap), "Not done: not yet reconciled with the broker. Try again in a moment."),
      buttons: [[run("Why", "/why")]],
    };
  }
  const opens =
    status.marketOpen === false && status.hours !== null
      ? `The market is closed: entries from ${time(snap, status.hours.fromMs, "minute")}.`
      : null;
  return {
    text: lines(headLine(snap), "Allow entries again?", ...positionAndDay(snap), opens, "Valid for 60 s."),
    buttons: [[deed("Resume now", { verb: "resume" })], [deed("Cancel", { verb: "dismiss" })]],
  };
}

function armQuestion(snap: DeskSnapshot): View {
  const { status } = snap;
  if (status.posture !== "halted")
    return {
      text: lines(headLine(snap), "Not halted: there is nothing to arm."),
      buttons: [[run("Status", "/status")]],
    };
  const shut = status.gates.filter((gate) => !gate.open && gate.name !== "posture");
  return {
    text: lines(
      headLine(snap),
      bold("Clear the halt?"),
      `Halted: ${status.postureReason === "" ? "no reason was given" : status.postureReason}`,
      ...positionAndDay(snap),
      ...shut.map((gate) => `✗ ${gateName(gate.name)}: ${gate.detail}`),
      isLinkDown(status) ? "✗ link: down" : "✓ link",
      status.reconciled ? "✓ reconciled with the broker" : "✗ not reconciled with the broker",
      "It is refused while the cause persists. Valid for 60 s.",
    ),
    buttons: [[deed("Arm", { verb: "arm" })], [deed("Cancel", { verb: "dismiss" })]],
  };
}

function positionAndDay(snap: DeskSnapshot): readonly string[] {
  const { position, today } = snap.status;
  return [
    `Position ${positionText(position?.position ?? 0)} · today ${money(today.netCents)} net, losses in a row ${today.lossStreak}`,
  ];
}

type PauseEnd =
  | { readonly type: "end"; readonly atMs: number | null; readonly note: string | null }
  | { readonly type: "wrong"; readonly text: string };

/** A bare number is minutes, as people write it: "/pause 30". */
function pauseEnd(snap: DeskSnapshot, typed: string): PauseEnd {
  const text = typed.trim().toLowerCase();
  if (text === "") return { type: "end", atMs: null, note: null };
  if (text === "today") {
    const { hours, marketOpen } = snap.status;
    if (marketOpen === true && hours !== null) return { type: "end", atMs: hours.toMs, note: null };
    return { type: "end", atMs: null, note: "The end of the trading day is not known now, so it is until /resume." };
  }
  const span = parseDuration(/^\d+$/.test(text) ? `${text}m` : text);
  if (!span.ok || span.value < MINUTE_MS || span.value > PAUSE_MS_MAX)
    return {
      type: "wrong",
      text: `"${typed.slice(0, 40)}" is not a pause: 1m to 24h such as 30m, 2h or 1h30m, or today. Nothing was changed; /pause alone stops entries until /resume.`,
    };
  return { type: "end", atMs: snap.nowMs + span.value, note: null };
}
