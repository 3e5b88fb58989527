// The messages of reports and settings in every posture and overlay: complete, within the limits, and exact where a
// person decides by them.
import fc from "fast-check";
import { expect, test } from "vitest";
import { COMMANDS, commandsFor } from "../../../src/bot/commands/about.ts";
import { commandHelpView, healthView, helpView, startView } from "../../../src/bot/views/about.ts";
import { CHART_KINDS, captionOf, chartButtons } from "../../../src/bot/views/captions.ts";
import { flattenQuestion, flatVerified, notFlat } from "../../../src/bot/views/flatten.ts";
import { dailyView, pnlView, tradesCsv, tradesView } from "../../../src/bot/views/results.ts";
import {
  bold,
  CAPTION_UNITS_MAX,
  clip,
  ENTITIES_MAX,
  lines,
  rich,
  TEXT_UNITS_MAX,
} from "../../../src/bot/views/rich.ts";
import { askView, GROUPS, groupsView, historyView, keysView, parametersView } from "../../../src/bot/views/settings.ts";
import {
  contractView,
  ordersView,
  positionsView,
  riskView,
  sparkline,
  statusView,
  whyView,
  zscoreView,
} from "../../../src/bot/views/status.ts";
import type { View } from "../../../src/bot/views/view.ts";
import type { DeskSnapshot, Posture, RoundTripRow, Status } from "../../../src/trading/desk.ts";
import { createFakeClock, FAKE_START_MS } from "../../support/fake-clock.ts";
import { createFakeDesk, longOne } from "../../support/fake-desk.ts";

const BASE = createFakeDesk(createFakeClock()).snapshot();

function snapOf(changes: Partial<Status> = {}, more: Partial<DeskSnapshot> = {}): DeskSnapshot {
  return { ...BASE, status: { ...BASE.status, ...changes }, ...more };
}

const trip = (tradeId: number, netCents: number, more: Partial<RoundTripRow> = {}): RoundTripRow => ({
  tradeId,
  tradeDate: "2026-11-24",
  contract: "MESZ6",
  side: "long",
  quantity: 1,
  signalAtMs: FAKE_START_MS - 86_400_000,
  entryAtMs: FAKE_START_MS - 86_400_000,
  exitAtMs: FAKE_START_MS - 86_340_000,
  entryPriceTicks: 20_000,
  exitPriceTicks: 20_010.5,
  reason: "zexit",
  grossCents: netCents + 114,
  feesCents: 114,
  netCents,
  zEntry: -2.1,
  zExit: -0.4,
  maeCents: -100,
  mfeCents: 900,
  ...more,
});

const TRIPS = [trip(1, 4_136), trip(2, -3_864, { side: "short", reason: "stop" }), trip(3, 2_261)];

const STATES: readonly (readonly [string, Partial<Status>])[] = [
  ["quiet", {}],
  ["long", longOne(FAKE_START_MS)],
  ["long, link down", { ...longOne(FAKE_START_MS), link: "down" }],
  ["market closed", { marketOpen: false }],
  [
    "before the first data",
    {
      contract: null,
      hours: null,
      marketOpen: null,
      lastTicks: null,
      bidTicks: null,
      askTicks: null,
      quoteAgeMs: null,
      z: null,
      meanTicks: null,
      sdTicks: null,
      windowFilled: 0,
      reconciled: false,
      link: "connecting",
    },
  ],
  ["unreconciled", { reconciled: false, link: "syncing", questions: ["SHORT 2 MES at the broker is not ours"] }],
  [
    "an average between ticks",
    {
      position: {
        ...(longOne(FAKE_START_MS).position as NonNullable<Status["position"]>),
        position: -3,
        averageTicks: 20_049.333,
        markTicks: null,
      },
    },
  ],
];
const POSTURES: readonly Posture[] = ["trading", "paused", "halted", "flattening"];

const VIEWS: readonly (readonly [string, (snap: DeskSnapshot) => View])[] = [
  ["status", statusView],
  ["positions", positionsView],
  ["orders", ordersView],
  ["zscore", (snap) => zscoreView(snap, [])],
  ["why", whyView],
  ["risk", riskView],
  ["contract", contractView],
  ["health", (snap) => healthView(snap, { polling: "polling", waiting: 3, skewMs: 7_000 })],
  ["start", (snap) => startView(snap, "anna", "owner")],
  ["help", (snap) => helpView(snap, commandsFor("owner"), "owner")],
  ["flatten question", (snap) => flattenQuestion(snap, null)],
  ["flat", (snap) => flatVerified(snap, 636, [])],
  ["not flat", (snap) => notFlat(snap, 20, "The exit is not filled.", 7)],
  ["pnl", (snap) => pnlView(snap, TRIPS, "all")],
  ["trades", (snap) => tradesView(snap, TRIPS, 2, 0)],
  ["daily", (snap) => dailyView(snap, TRIPS, "2026-11-24")],
  ["groups", groupsView],
  ["keys", (snap) => keysView(snap, null)],
  ["history", (snap) => historyView(snap, [], 8, 0)],
];

test.each(VIEWS)("%s is complete and within the limits in every posture and overlay", (_, view) => {
  for (const [state, changes] of STATES) {
    for (const posture of POSTURES) {
      for (const marketLabel of [null, "synthetic market, seed 7, ×10"]) {
        const shown = view(snapOf({ ...changes, posture }, { marketLabel }));

        expect(shown.text.text, `${state} ${posture}`).not.toMatch(/undefined|NaN|Infinity|\[object|-\$/);
        expect(shown.text.text.length).toBeLessThanOrEqual(TEXT_UNITS_MAX);
        expect(shown.text.entities.length).toBeLessThanOrEqual(ENTITIES_MAX);
        expect(shown.text.text.split("\n")[0]).toContain("PAPER");
        expect(shown.buttons.length).toBeLessThanOrEqual(8);
        for (const row of shown.buttons) expect(row.length).toBeLessThanOrEqual(3);
        for (const button of shown.buttons.flat()) {
          expect(button.label.length).toBeLessThanOrEqual(20);
          if (button.press.type === "run" || button.press.type === "refresh")
            expect(Buffer.byteLength(button.press.command)).toBeLessThanOrEqual(61);
        }
      }
    }
  }
});

test("the card of an open position has entry, mark, stop, target, time and what is left", () => {
  expect(statusView(snapOf(longOne(FAKE_START_MS))).text.text.split("\n")).toEqual([
    "🟢 PAPER · TRADING · MES Z6",
    "LONG 1 @ 5,012.25 → 5,014.50",
    "Unrealised +2.25 pt (9 t, +$11.25)",
    "Stop 4,972.25 · Target 5,072.25",
    "Exit at z ≥ −0.50 · in trade 6m, 1h 54m left",
    "z −1.32 (enter ±2.00) · window 60/60",
    "Today +$41.01 net, 3 trades (2 W)",
    "Daily limit: $541.01 left of $500 + gains",
    "Losses in a row 0/3 · Gateway OK",
    "as of 09:00:00 CT · r41 · up 0s",
  ]);
});

test("with the link down the first line says so and the figures are dated", () => {
  const text = statusView(snapOf({ link: "down", linkSinceMs: FAKE_START_MS - 180_000 })).text.text;

  expect(text).toMatch(/^⚠️ PAPER · TRADING · LINK DOWN · MES Z6/);
  expect(text).toContain("as of 08:57:00 CT, link down 3m");
});

test("/why puts the first shut gate in bold, then the others, then what is open", () => {
  const gates = [
    { name: "posture", open: true, detail: "TRADING" },
    { name: "spread", open: false, detail: "3 t > 2 t" },
  ];
  const shown = whyView(snapOf({ gates, lastBlocked: { atMs: FAKE_START_MS - 60_000, side: "buy", gate: "pause" } }));
  const [, first, second, third] = shown.text.text.split("\n");

  expect([first, second, third]).toEqual([
    "✗ spread: 3 t > 2 t",
    "✗ z −1.32: needs ≤ −2.00 or ≥ +2.00 (7 ticks away)",
    "✓ posture: TRADING",
  ]);
  expect(shown.text.entities.map(({ offset, length }) => shown.text.text.slice(offset, offset + length))).toContain(
    "✗ spread: 3 t > 2 t",
  );
  expect(shown.text.text).toContain("Last signal 08:59 CT (buy): blocked by pause");
});

test("profit and loss of all days adds up from the trades", () => {
  const text = pnlView(snapOf(), TRIPS, "all").text.text;

  expect(text).toContain("All +$25.33 net");
  expect(text).toContain("Gross +$28.75 · fees $3.42");
  expect(text).toContain("Trades 3: 2 W, 1 L (67%) · PF 1.66");
  expect(text).toContain("Best +$41.36 · worst −$38.64");
  expect(text).toContain("Max drawdown −$38.64");
});

test("the CSV has ASCII numbers and one line a trade", () => {
  const rows = tradesCsv(TRIPS).trimEnd().split("\n");

  expect(rows).toHaveLength(4);
  expect(rows[2]).toContain(",stop,-37.50,1.14,-38.64,");
});

test("each group of settings can be shown and each of its keys asked for", () => {
  for (const group of GROUPS) {
    const shown = parametersView(snapOf(), group);
    expect(shown.buttons.length).toBeLessThanOrEqual(8);
    for (const field of group.fields) expect(askView(snapOf(), field, null).text.text).toContain("/cancel to leave.");
  }
  expect(GROUPS.map((group) => group.label)).toEqual(["Strategy", "Risk", "Session", "Contract", "Chat"]);
});

test.each(CHART_KINDS)("the caption of %s repeats the figures in words", (kind) => {
  const caption = captionOf(snapOf({}, { marketLabel: "synthetic market, seed 7, ×10" }), kind, TRIPS);

  expect(caption.text.length).toBeLessThanOrEqual(300);
  expect(caption.text.length).toBeLessThanOrEqual(CAPTION_UNITS_MAX);
  expect(caption.text).toContain("synthetic market, seed 7, ×10");
  for (const button of chartButtons(kind, "dark").flat()) expect(button.label.length).toBeLessThanOrEqual(20);
});

test.each(COMMANDS.map((command) => [command.name, command] as const))(
  "/%s can be explained, and fits BotFather's limits",
  (_, command) => {
    expect(command.name).toMatch(/^[a-z0-9_]{1,32}$/);
    expect(command.description.length).toBeLessThanOrEqual(256);
    expect(commandHelpView(snapOf(), command).text.text).toContain(command.does);
  },
);

test("a viewer's help has no word of what only others may", () => {
  expect(commandsFor("viewer").map((command) => command.name)).toEqual([
    "status",
    "positions",
    "orders",
    "zscore",
    "why",
    "risk",
    "contract",
    "health",
    "version",
    "pnl",
    "trades",
    "daily",
    "chart",
    "pause",
    "halt",
    "history",
    "help",
    "start",
    "id",
    "cancel",
  ]);
});

test("cutting keeps every limit, ends at a line's end, and never leaves an entity outside the text", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: "grapheme", maxLength: 200 }), fc.boolean()), { maxLength: 150 }),
      fc.integer({ min: 10, max: 4_096 }),
      (parts, unitsMax) => {
        const whole = lines(...parts.map(([text, isBold]) => (isBold ? bold(text) : text)));

        const cut = clip(whole, unitsMax);

        expect(cut.text.length).toBeLessThanOrEqual(unitsMax);
        expect(cut.entities.length).toBeLessThanOrEqual(ENTITIES_MAX);
        for (const { offset, length } of cut.entities) expect(offset + length).toBeLessThanOrEqual(cut.text.length);
        if (whole.text.length <= unitsMax) expect(cut.text).toBe(whole.text);
      },
    ),
  );
});

test("4,097 letters in one line are cut to 4,096 with a sign that something is missing", () => {
  const cut = clip(rich("x".repeat(4_097)));

  expect(cut.text).toHaveLength(4_096);
  expect(cut.text.endsWith("\n…")).toBe(true);
});

test("a sparkline has one height a value", () => {
  expect(sparkline([-2, 0, 2])).toBe("▁▅█");
  expect(sparkline([1, 1])).toBe("▄▄");
});
