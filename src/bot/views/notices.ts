// Every notice as a message: what happened, the figures, what the bot does now, what a person can do. Pure; one case a
// notice, and the compiler asks for each.
import type { DeskSnapshot, EntryReason, Notice, QueuedNotice } from "../../trading/desk.ts";
import { printCount, printDurationShort, printNumber } from "../../units.ts";
import { tripLines } from "./results.ts";
import { bold, clip, lines, type Rich, rich } from "./rich.ts";
import { type Button, run, type View } from "./view.ts";
import {
  amount,
  counted,
  dayName,
  marketLine,
  money,
  move,
  personName,
  positionText,
  postureEmoji,
  postureWord,
  price,
  time,
  zText,
} from "./words.ts";

/** Says how a message differs from a first telling. */
export type Telling = {
  /** True where an earlier run, or an earlier hour, told it already. */
  readonly isRepeat: boolean;
  /** How late it is, in milliseconds; 0 = in time. */
  readonly delayMs: number;
  /** How many of the same kind it stands for. */
  readonly count: number;
};

/** Is a notice told the first time, in time. */
export const FIRST_TELLING: Telling = { isRepeat: false, delayMs: 0, count: 1 };

/** A notice later than this says so. */
export const DELAY_MS_MIN = 60_000;

type Body = {
  /** Leads the first line. */
  readonly emoji: string;
  /** The subject, after the badge; complete on its own. */
  readonly subject: string;
  readonly lines: readonly (string | Rich | null)[];
  readonly buttons: readonly Button[];
};

/** Returns the message of a notice. Critical ones carry the button that says they were seen. */
export function noticeView(snap: DeskSnapshot, queued: QueuedNotice, telling: Telling): View {
  const body = bodyOf(snap, queued.notice);
  const marks = [
    telling.count > 1 ? `(×${telling.count})` : "",
    telling.isRepeat ? "(repeat)" : "",
    telling.delayMs >= DELAY_MS_MIN ? `(delayed ${printDurationShort(telling.delayMs)})` : "",
  ].filter((mark) => mark !== "");
  const text = lines(
    rich(body.emoji === "" ? "" : `${body.emoji} `, bold([snap.badge, body.subject].join(" · "))),
    ...body.lines,
    [time(snap, queued.atMs), ...marks, `#${queued.noticeId}`].join(" "),
  );
  const acknowledge: Button = { label: "Acknowledge", press: { type: "acknowledge", noticeId: queued.noticeId } };
  const rows = [
    ...(body.buttons.length > 0 ? [body.buttons] : []),
    ...(queued.class === "critical" ? [[acknowledge]] : []),
  ];
  return { text: clip(text), buttons: rows };
}

/** Returns one message for several fills in quick succession. */
export function foldedFillsView(snap: DeskSnapshot, fills: readonly QueuedNotice[]): View {
  const shown = fills.map((queued) => {
    const { emoji, subject } = bodyOf(snap, queued.notice);
    return `${emoji === "" ? "•" : emoji} ${subject} #${queued.noticeId}`;
  });
  const last = fills.at(-1);
  const text = lines(
    bold(`${snap.badge} · ${counted(fills.length, "fill")} in short order`),
    ...shown,
    last === undefined ? null : `until ${time(snap, last.atMs)}`,
  );
  return { text: clip(text), buttons: [[run("Status", "/status"), run("Trades", "/trades")]] };
}

/** Returns one message that names each of many old notices; none is dropped in silence. */
export function digestView(snap: DeskSnapshot, old: readonly QueuedNotice[]): View {
  const text = lines(
    bold(`${snap.badge} · ${counted(old.length, "older notice")}, told late`),
    ...old.map(
      (queued) => `${time(snap, queued.atMs, "minute")} ${bodyOf(snap, queued.notice).subject} #${queued.noticeId}`,
    ),
  );
  return { text: clip(text), buttons: [[run("Status", "/status")]] };
}

/** Returns a notice's subject alone, for the second channel and for logs. */
export function noticeSubject(snap: DeskSnapshot, notice: Notice): string {
  return `${snap.badge} · ${bodyOf(snap, notice).subject}`;
}

function bodyOf(snap: DeskSnapshot, notice: Notice): Body {
  const name = snap.contractName;
  switch (notice.event) {
    case "entry_sent": {
      const verb = notice.side === "buy" ? "BUYING" : "SELLING";
      return body("", `${verb} ${notice.quantity} ${name}`, [
        ...reasonLines(snap, notice.reason),
        "Sent with its stop and target; not filled yet.",
      ]);
    }
    case "entry_filled":
      return entryFilled(snap, notice);
    case "exit_filled": {
      const { trade, today } = notice;
      const verb = trade.side === "buy" ? "SOLD" : "BOUGHT";
      return body(
        trade.netCents >= 0 ? "🟢" : "🟠",
        `${verb} ${trade.quantity} ${name} @ ${price(snap, trade.exitPriceTicks)} · ${money(trade.netCents)}`,
        [
          ...tripLines(snap, trade),
          `Today ${money(today.netCents)} net, ${counted(today.trades, "trade")} (${today.wins} W)`,
          `Loss streak ${today.lossStreak}`,
        ],
        [run("Chart", "/chart today"), run("P&L", "/pnl")],
      );
    }
    case "order_rejected":
      return body(
        notice.onExit ? "⚠️" : "❌",
        notice.onExit ? "EXIT ORDER REJECTED" : "Order rejected",
        [
          `The broker refused ${notice.orderRef}`,
          `Code ${notice.code}: ${notice.text}`,
          notice.onExit ? "It was to reduce risk: another one is sent." : "No position came of it.",
        ],
        [run("Orders", "/orders"), run("Position", "/positions")],
      );
    case "entry_denied":
      return body(
        "",
        `Entry denied · ${notice.gate.name.replaceAll("_", " ")}`,
        [
          `A ${notice.side === "buy" ? "long" : "short"} signal was stopped by our own check.`,
          notice.gate.detail === "" ? null : notice.gate.detail,
        ],
        [run("Why", "/why")],
      );
    case "halted":
      return body(
        "🔴",
        `HALTED · ${notice.control.replaceAll("_", " ")}`,
        [
          notice.detail,
          ...notice.doing.map((done) => `Now: ${done}`),
          `Today ${money(notice.today.netCents)} net, open ${money(notice.today.openCents)}`,
          "Entries stay off until /arm. Stops and exits go on.",
        ],
        [run("Why", "/why"), run("Chart", "/chart today")],
      );
    case "paused":
      return body(
        "🟡",
        notice.untilMs === null ? "PAUSED until /resume" : `PAUSED until ${time(snap, notice.untilMs, "minute")}`,
        [
          `By ${personName(notice.by)}${notice.reason === "" ? "" : `: ${notice.reason}`}`,
          "No new entries. Position, stop and target are untouched.",
        ],
        [run("Resume", "/resume")],
      );
    case "resumed":
      return body("🟢", "TRADING · resumed", [`By ${personName(notice.by)}. Entries are allowed again.`]);
    case "armed":
      return body("🟢", "ARMED · halt cleared", [`By ${personName(notice.by)}.`], [run("Why", "/why")]);
    case "flattening":
      return body("⚠️", "FLATTENING", [
        `By ${personName(notice.by)}`,
        `Position ${positionText(notice.position)} · ${counted(notice.orders, "working order")} of ours`,
        "Entries are off; flat is said when the broker says so.",
      ]);
    case "flat_confirmed":
      return body(
        "✅",
        "FLAT – verified",
        [
          `Result ${money(notice.netCents)} net`,
          "The broker reports position 0 and no open orders of ours.",
          `Now ${postureWord(notice.posture)}`,
        ],
        [run("Status", "/status")],
      );
    case "not_flat":
      return body(
        "❌",
        `NOT FLAT after ${notice.seconds} s`,
        [`Our book: ${positionText(notice.position)} ${name}`, notice.detail, phoneLine(snap)],
        [run("Retry", "/flatten"), run("Orders", "/orders")],
      );
    case "position_mismatch":
      return body(
        "⚠️",
        "POSITION MISMATCH",
        [`Ours ${positionText(notice.ours)}, broker's ${positionText(notice.brokers)}`, notice.detail],
        [run("Position", "/positions"), run("Flatten", "/flatten")],
      );
    case "order_in_doubt":
      return body(
        "⚠️",
        "ORDER IN DOUBT",
        [notice.orderRef, notice.detail, "No new entries until it is known."],
        [run("Orders", "/orders")],
      );
    case "gateway_down":
      return body(
        "⚠️",
        "LINK DOWN",
        [
          notice.detail,
          `Position ${positionText(notice.position)}${notice.position === 0 ? "" : "; its stop and target stay at the broker"}`,
          "No entries until it is back; it keeps trying.",
          notice.position === 0 ? null : phoneLine(snap),
        ],
        [run("Status", "/status")],
      );
    case "gateway_up":
      return body("🟢", `Link back after ${printDurationShort(notice.downMs)}`, [
        notice.differences.length === 0
          ? "Reconciled with the broker: no differences."
          : "Reconciled with the broker. It differed in:",
        ...notice.differences.map((difference) => `• ${difference}`),
      ]);
    case "data_stale":
      return body("⚠️", `DATA STALE for ${printDurationShort(notice.ageMs)}`, [
        "No quote came in open hours.",
        "No entries until quotes are fresh.",
      ]);
    case "data_fresh":
      return body("🟢", "Data fresh again", [`Quotes were gone for ${printDurationShort(notice.goneMs)}.`]);
    case "warmed_up":
      return body("", "Warm-up done", [
        `The window is full: ${counted(notice.bars, "bar")}. Entries are possible now.`,
      ]);
    case "session_opened":
      return body("🟢", `Session ${dayName(notice.tradeDate)} open`, [marketLine(snap)]);
    case "daily_summary":
      return dailySummary(snap, notice);
    case "roll_due":
      return body(
        "⚠️",
        `Roll due · ${notice.localSymbol}`,
        [
          `${counted(notice.daysLeft, "day")} to the last trade date.`,
          "No position is carried over; the next contract is taken when flat.",
        ],
        [run("Contract", "/contract")],
      );
    case "config_changed":
      return body(
        "",
        `Settings r${notice.revision}`,
        [
          ...notice.changes.map((change) => `${change.path}: ${change.old} → ${change.new}`),
          `By ${personName(notice.by)}`,
        ],
        [run("History", "/history")],
      );
    case "started":
      return body(
        postureEmoji(notice.posture),
        `${notice.afterCrash ? "RESTARTED after a crash" : "Started"} · ${postureWord(notice.posture)}`,
        [
          marketLine(snap),
          `Version ${notice.version}`,
          notice.afterCrash
            ? "The last run did not end by itself; state is read from the journal and checked with the broker."
            : null,
        ],
        [run("Status", "/status")],
      );
    case "stopped":
      return body(notice.position === 0 ? "" : "⚠️", "Stopped", [
        `Reason: ${notice.reason}`,
        notice.position === 0
          ? "No position is open."
          : `${positionText(notice.position)} stays open with ${counted(notice.orders, "order")} of ours at the broker.`,
      ]);
    case "told":
      return body("", notice.name.replaceAll("_", " "), notice.lines);
    default:
      return notice satisfies never;
  }
}

function body(
  emoji: string,
  subject: string,
  all: readonly (string | Rich | null)[],
  buttons: readonly Button[] = [],
): Body {
  return { emoji, subject, lines: all.filter((line) => line !== "" && line !== null), buttons };
}

function entryFilled(snap: DeskSnapshot, notice: Extract<Notice, { event: "entry_filled" }>): Body {
  const verb = notice.side === "buy" ? "BOUGHT" : "SOLD";
  const side = notice.side === "buy" ? 1 : -1;
  const level = (label: string, ticks: number | null): string =>
    ticks === null
      ? `${label} none at the broker`
      : `${label} ${price(snap, ticks)}  ${move(snap, (ticks - notice.priceTicks) * side, notice.quantity)}`;
  const near = notice.exitNearTicks === null ? "" : ` (≈ ${price(snap, Math.round(notice.exitNearTicks))} now)`;
  const slip =
    notice.slippageTicks === null
      ? "Slippage n/a"
      : `Slippage ${printNumber(notice.slippageTicks, 0)} t (${money(-notice.slippageTicks * snap.tickValueCents * notice.quantity)})`;
  return body(
    "🟢",
    `${verb} ${notice.quantity} ${snap.contractName} @ ${price(snap, notice.priceTicks)}`,
    [
      ...(notice.reason === null
        ? ["Adopted: it was at the broker and is ours now."]
        : reasonLines(snap, notice.reason)),
      level("Stop", notice.stopTicks),
      level("Target", notice.targetTicks),
      `Exit when z ${side > 0 ? "≥" : "≤"} ${printNumber(notice.exitZ, 2)}${near}`,
      `Latest exit ${time(snap, notice.latestExitAtMs, "minute")}`,
      `${slip} · fee ${amount(notice.feeCents)}`,
    ],
    [run("Position", "/positions"), run("Chart", "/chart today"), run("Why", "/why")],
  );
}

function reasonLines(snap: DeskSnapshot, reason: EntryReason): readonly string[] {
  const sign = reason.thresholdZ < 0 ? "≤" : "≥";
  const every = reason.samplingMs === 0 ? "trades" : `bars of ${printDurationShort(reason.samplingMs)}`;
  return [
    `Why: z ${zText(reason.z)} ${sign} ${zText(reason.thresholdZ)}`,
    `  price ${price(snap, reason.closeTicks)}, mean ${price(snap, Math.round(reason.meanTicks))}`,
    `  sd ${printNumber(reason.sdTicks * snap.tickSize, 2)} pt, ${printCount(reason.window)} ${every}`,
  ];
}

function dailySummary(snap: DeskSnapshot, notice: Extract<Notice, { event: "daily_summary" }>): Body {
  const { today } = notice;
  const named = (counts: readonly { name: string; count: number }[]): string =>
    counts.map(({ name, count }) => `${name.replaceAll("_", " ")} ${count}`).join(", ");
  const rate = today.trades === 0 ? "" : ` (${printNumber((today.wins / today.trades) * 100, 0)}%)`;
  return body(
    "",
    `${dayName(notice.tradeDate)} · ${money(today.netCents)} net`,
    [
      marketLine(snap),
      `Gross ${money(today.grossCents)} · fees ${amount(today.feesCents)}`,
      `Trades ${today.trades}: ${today.wins} W, ${today.losses} L${rate}`,
      today.trades === 0
        ? null
        : `Best ${money(today.bestCents)} · worst ${money(today.worstCents)} · avg ${money(today.netCents / today.trades)}`,
      `Max drawdown ${money(-today.drawdownCents)}`,
      notice.exits.length === 0 ? null : `Exits: ${named(notice.exits)}`,
      notice.blocked.length === 0 ? null : `Blocked signals: ${named(notice.blocked)}`,
      notice.gatewayDownCount === 0
        ? "Gateway: no interruption"
        : `Gateway down ${notice.gatewayDownCount}× (${printDurationShort(notice.gatewayDownMs)})`,
    ],
    [run("Chart", "/chart today"), run("Trades", "/trades")],
  );
}

function phoneLine(snap: DeskSnapshot): string {
  const phone = snap.settings.ibkr.tradeDeskPhone;
  return `Sooner: close it in the broker's own app${phone === null ? "" : ` or call ${phone}`}.`;
}
