// Every notice as a message: no hole, no overlong line of figures, complete first line, and the exact words of the ones
// that a person acts on.
import { expect, test } from "vitest";
import { digestView, FIRST_TELLING, foldedFillsView, noticeView } from "../../../src/bot/views/notices.ts";
import { TEXT_UNITS_MAX } from "../../../src/bot/views/rich.ts";
import type { EntryReason, Notice, NoticeClass, QueuedNotice, RoundTrip } from "../../../src/trading/desk.ts";
import { createFakeClock, FAKE_START_MS } from "../../support/fake-clock.ts";
import { createFakeDesk, QUIET_TODAY } from "../../support/fake-desk.ts";

const SNAP = createFakeDesk(createFakeClock()).snapshot();

const REASON: EntryReason = {
  z: -2.08,
  thresholdZ: -2,
  closeTicks: 20_049,
  meanTicks: 20_073.6,
  sdTicks: 11.84,
  window: 60,
  samplingMs: 5_000,
};

const TRADE: RoundTrip = {
  tradeId: 4,
  tradeDate: "2026-11-25",
  contract: "MESZ6",
  side: "buy",
  quantity: 1,
  signalAtMs: FAKE_START_MS - 580_000,
  entryAtMs: FAKE_START_MS - 580_000,
  exitAtMs: FAKE_START_MS,
  entryPriceTicks: 20_049,
  exitPriceTicks: 20_068,
  reason: "zexit",
  grossCents: 2_375,
  feesCents: 114,
  netCents: 2_261,
  zEntry: -2.08,
  zExit: -0.48,
  maeCents: -1_375,
  mfeCents: 2_750,
};

/** One of each event; the compiler asks for those that are missing. */
const NOTICES: { readonly [E in Notice["event"]]: Extract<Notice, { event: E }> } = {
  entry_sent: { event: "entry_sent", side: "buy", quantity: 1, reason: REASON },
  entry_filled: {
    event: "entry_filled",
    side: "buy",
    quantity: 1,
    priceTicks: 20_049,
    reason: REASON,
    stopTicks: 19_889,
    targetTicks: 20_289,
    exitNearTicks: 20_067.7,
    exitZ: -0.5,
    latestExitAtMs: FAKE_START_MS + 7_200_000,
    slippageTicks: 1,
    feeCents: 57,
  },
  exit_filled: { event: "exit_filled", trade: TRADE, today: QUIET_TODAY },
  order_rejected: {
    event: "order_rejected",
    orderRef: "QS1-ab12-261125-1-X",
    code: 201,
    text: "Order rejected - reason: <b>margin</b>",
    onExit: true,
  },
  entry_denied: { event: "entry_denied", side: "sell", gate: { name: "max_spread", open: false, detail: "3 t > 2 t" } },
  halted: {
    event: "halted",
    control: "daily_loss",
    detail: "Today −$501.49 net ≤ −$500.00",
    doing: ["entries stopped", "exit sent"],
    today: QUIET_TODAY,
  },
  paused: { event: "paused", untilMs: FAKE_START_MS + 1_800_000, reason: "3 losses in a row", by: "risk" },
  resumed: { event: "resumed", by: "timer" },
  armed: { event: "armed", by: "anna" },
  flattening: { event: "flattening", by: "anna", position: 1, orders: 2 },
  flat_confirmed: { event: "flat_confirmed", netCents: 636, posture: "paused" },
  not_flat: { event: "not_flat", seconds: 20, position: 1, detail: "The exit order is not filled yet." },
  position_mismatch: { event: "position_mismatch", ours: 1, brokers: 0, detail: "Entries are stopped." },
  order_in_doubt: {
    event: "order_in_doubt",
    orderRef: "QS1-ab12-261125-1-E",
    detail: "No answer for 5 s; the broker is asked.",
  },
  gateway_down: { event: "gateway_down", detail: "connection reset", position: -1 },
  gateway_up: { event: "gateway_up", downMs: 100_000, differences: ["a fill that came meanwhile"] },
  data_stale: { event: "data_stale", ageMs: 11_000 },
  data_fresh: { event: "data_fresh", goneMs: 42_000 },
  warmed_up: { event: "warmed_up", bars: 60 },
  session_opened: { event: "session_opened", tradeDate: "2026-11-25" },
  daily_summary: {
    event: "daily_summary",
    tradeDate: "2026-11-25",
    today: QUIET_TODAY,
    blocked: [{ name: "pause", count: 2 }],
    exits: [{ name: "zexit", count: 3 }],
    gatewayDownCount: 2,
    gatewayDownMs: 100_000,
  },
  roll_due: { event: "roll_due", localSymbol: "MESZ6", daysLeft: 5 },
  config_changed: {
    event: "config_changed",
    revision: 42,
    by: "anna",
    changes: [{ path: "strategy.window", old: "60 bars", new: "90 bars" }],
  },
  started: { event: "started", version: "0.1.0", afterCrash: true, posture: "trading" },
  stopped: { event: "stopped", reason: "SIGINT", position: 1, orders: 2 },
  told: { event: "told", name: "disk_low", lines: ["200 MiB are free.", "Entries stop at 256 MiB."] },
};

const queued = (notice: Notice, noticeClass: NoticeClass = "trade"): QueuedNotice => ({
  noticeId: 1_838,
  atMs: FAKE_START_MS,
  class: noticeClass,
  dedupeKey: null,
  notice,
  tried: false,
});

const textOf = (notice: Notice, noticeClass?: NoticeClass): string =>
  noticeView(SNAP, queued(notice, noticeClass), FIRST_TELLING).text.text;

test.each(Object.values(NOTICES).map((notice) => [notice.event, notice] as const))(
  "%s reads well: badge first, no hole, its time and number last",
  (_, notice) => {
    const shown = noticeView(SNAP, queued(notice), FIRST_TELLING);
    const all = shown.text.text.split("\n");

    expect(shown.text.text).not.toMatch(/undefined|NaN|null|Infinity|\[object/);
    expect(shown.text.text.length).toBeLessThan(TEXT_UNITS_MAX / 4);
    expect(all[0]).toMatch(/^(\S+ )?PAPER · \S/);
    expect((all[0] ?? "").length).toBeLessThanOrEqual(50);
    expect(all.at(-1)).toBe("09:00:00 CT #1838");
    // Money never has the ASCII minus, which clients break lines at.
    expect(shown.text.text).not.toMatch(/-\$/);
    for (const row of shown.buttons) {
      expect(row.length).toBeLessThanOrEqual(3);
      for (const button of row) expect(button.label.length).toBeLessThanOrEqual(20);
    }
  },
);

test.each(Object.values(NOTICES).map((notice) => [notice.event, notice] as const))(
  "%s can be acknowledged where it is critical",
  (_, notice) => {
    const labels = noticeView(SNAP, queued(notice, "critical"), FIRST_TELLING)
      .buttons.flat()
      .map((button) => button.label);

    expect(labels).toContain("Acknowledge");
  },
);

test("an entry says why, its stop and target in points, ticks and dollars, and when it leaves", () => {
  expect(textOf(NOTICES.entry_filled)).toBe(
    [
      "🟢 PAPER · BOUGHT 1 MES Z6 @ 5,012.25",
      "Why: z −2.08 ≤ −2.00",
      "  price 5,012.25, mean 5,018.50",
      "  sd 2.96 pt, 60 bars of 5s",
      "Stop 4,972.25  −40.00 pt (160 t, −$200.00)",
      "Target 5,072.25  +60.00 pt (240 t, +$300.00)",
      "Exit when z ≥ −0.50 (≈ 5,017.00 now)",
      "Latest exit 11:00 CT",
      "Slippage 1 t (−$1.25) · fee $0.57",
      "09:00:00 CT #1838",
    ].join("\n"),
  );
});

test("an exit says what it brought after fees, why, and how the day stands", () => {
  expect(textOf(NOTICES.exit_filled)).toBe(
    [
      "🟢 PAPER · SOLD 1 MES Z6 @ 5,017.00 · +$22.61",
      "Reason: z back to −0.48 (exit ±0.50)",
      "Gross +$23.75 · fees −$1.14",
      "Held 9m 40s · best +$27.50, worst −$13.75",
      "Today +$41.01 net, 3 trades (2 W)",
      "Loss streak 0",
      "09:00:00 CT #1838",
    ].join("\n"),
  );
});

test("a sold entry counts stop and target the other way round", () => {
  const short = { ...NOTICES.entry_filled, side: "sell", stopTicks: 20_209, targetTicks: 19_809, exitZ: 0.5 } as const;

  expect(textOf(short)).toContain("Stop 5,052.25  −40.00 pt (160 t, −$200.00)");
  expect(textOf(short)).toContain("Exit when z ≤ 0.50");
});

test("words from outside are text and no markup", () => {
  const shown = noticeView(SNAP, queued(NOTICES.order_rejected), FIRST_TELLING);

  expect(shown.text.text).toContain("<b>margin</b>");
  expect(shown.text.entities).toHaveLength(1);
});

test("a repeat, a delay and a count are said", () => {
  const shown = noticeView(SNAP, queued(NOTICES.data_stale), { isRepeat: true, delayMs: 240_000, count: 14 });

  expect(shown.text.text).toContain("09:00:00 CT (×14) (repeat) (delayed 4m) #1838");
});

test("folded fills and digests name each notice and keep the limits, however many there are", () => {
  const many = Array.from({ length: 400 }, (_, index) => ({
    ...queued(NOTICES.entry_filled),
    noticeId: 2_000 + index,
  }));

  for (const shown of [foldedFillsView(SNAP, many.slice(0, 50)), digestView(SNAP, many.slice(0, 50))]) {
    for (const { noticeId } of many.slice(0, 50)) expect(shown.text.text).toContain(`#${noticeId}`);
  }
  expect(digestView(SNAP, many).text.text.length).toBeLessThanOrEqual(TEXT_UNITS_MAX);
});
