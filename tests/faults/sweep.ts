// `npm run faults`: the bot under every fault of a list at every moment of a trade, and under pairs of them: some three hundred
// runs, too many for the tests. Prints what each invariant says; exit code 1 where one is broken.
import { runBot } from "./bot-run.ts";
import { breaks } from "./judge.ts";

const HELP = `usage: npm run faults -- [--only TEXT] [--list]

Runs the bot between the simulated gateway and the local Bot API server, on a clock of its own, under each fault at each
moment of a trade that a person ends by /flatten, and judges ledger, journal and chat. Takes some ten minutes.

  --only TEXT  only runs whose name contains it, such as reset@order2
  --list       names the runs and does nothing`;

const RUN_MS = 100_000;
const FLATTEN = [
  { atMs: 30_000, path: "message", body: { text: "/flatten" } },
  { atMs: 32_000, path: "press", body: { label: "Flatten now" } },
] as const;
/** The entry is at 15.5 s; what comes before it is no part of the trade. */
const FROM_MS = 10_000;

/** Faults of the line, of the broker's link and of the data. */
const FAULTS: Readonly<Record<string, object>> = {
  reset: { fault: "drop_connection" },
  silence_both: { fault: "silence", direction: "both", reach: "everybody", forMs: 40_000 },
  silence_out: { fault: "silence", direction: "out", forMs: 40_000 },
  silence_in: { fault: "silence", direction: "in", forMs: 40_000 },
  link_kept: { fault: "link_lost", forMs: 20_000, restored: "data_kept" },
  link_data_lost: { fault: "link_lost", forMs: 20_000, restored: "data_lost" },
  restart: { fault: "restart", forMs: 20_000, idsBack: 4 },
  late: { fault: "delay", delayMs: 2_000, forMs: 30_000 },
  stale: { fault: "stale_data", forMs: 20_000 },
};

const after = (message: string, atMessage: number): object => ({ message, atMessage, afterMs: FROM_MS });
/** Moments of a trade: its three orders, their news, the two changes after the fill, the flatten. */
const MOMENTS: Readonly<Record<string, object>> = {
  order1: after("placeOrder", 1),
  order2: after("placeOrder", 2),
  order3: after("placeOrder", 3),
  status: after("orderStatus", 1),
  fill: after("execDetails", 1),
  fee: after("commissionReport", 1),
  change1: after("placeOrder", 4),
  change2: after("placeOrder", 5),
  cancel1: after("cancelOrder", 1),
  cancel2: after("cancelOrder", 2),
  exit: after("placeOrder", 6),
  exit_fill: after("execDetails", 2),
};

const at = (message: string, atMessage: number, fault: object): object => ({ ...fault, ...after(message, atMessage) });
const from = (afterMs: number, fault: object): object => ({ ...fault, afterMs });
const lose = (message: string, count: number, afterMs = FROM_MS): object => ({
  fault: "drop_message",
  message,
  count,
  afterMs,
});
const hold = (message: string, count: number, forMs: number): object => ({
  fault: "hold_message",
  message,
  count,
  forMs,
  afterMs: FROM_MS,
});

/** What goes wrong with orders, executions, questions and hands. */
const TROUBLES: Readonly<Record<string, readonly object[]>> = {
  exit_rejected: [at("cancelOrder", 1, { fault: "reject_next_order", leg: "entry" })],
  exit_rejected_thrice: [at("cancelOrder", 1, { fault: "reject_next_order", leg: "entry", count: 3 })],
  exit_swallowed: [at("cancelOrder", 1, { fault: "swallow_order" })],
  exit_fill_missing: [at("cancelOrder", 1, { fault: "drop_execution" })],
  exit_fill_early: [at("cancelOrder", 1, { fault: "fill_before_ack" })],
  cancels_lost: [lose("cancelOrder", 2)],
  cancel_lost: [lose("cancelOrder", 1)],
  cancels_late: [hold("cancelOrder", 2, 4_000)],
  stop_fills_at_cancel: [at("cancelOrder", 1, { fault: "price_jump", ticks: 200 })],
  target_fills_at_cancel: [at("cancelOrder", 1, { fault: "price_jump", ticks: -300 })],
  stop_fill_missing: [from(20_000, { fault: "drop_execution" }), from(22_000, { fault: "price_jump", ticks: 200 })],
  target_fill_missing: [from(20_000, { fault: "drop_execution" }), from(22_000, { fault: "price_jump", ticks: -300 })],
  stop_fill_twice: [from(20_000, { fault: "repeat_execution" }), from(22_000, { fault: "price_jump", ticks: 200 })],
  changes_lost: [{ fault: "drop_message", message: "placeOrder", atMessage: 4, count: 2, afterMs: FROM_MS }],
  changes_swallowed: [at("execDetails", 1, { fault: "swallow_order", count: 2 })],
  open_orders_lost: [lose("openOrder", 8)],
  statuses_lost: [lose("orderStatus", 8)],
  order_news_lost: [lose("openOrder", 8), lose("orderStatus", 8)],
  fill_late: [hold("execDetails", 1, 6_000)],
  size_corrected: [at("commissionReport", 1, { fault: "correct_execution", contracts: 1 })],
  corrected_after_exit: [at("commissionReport", 2, { fault: "correct_execution", ticks: 4 })],
  ends_of_orders_lost: [lose("openOrderEnd", 3)],
  ends_of_executions_lost: [lose("execDetailsEnd", 3)],
  ends_of_positions_lost: [lose("positionEnd", 3)],
  times_lost: [lose("currentTime", 4)],
  closed_by_hand: [from(31_500, { fault: "order_by_hand", action: "BUY" })],
  added_by_hand: [from(25_000, { fault: "order_by_hand", action: "SELL" })],
  reversed_by_hand: [from(25_000, { fault: "order_by_hand", action: "BUY", quantity: 2 })],
  position_shifted: [from(25_000, { fault: "position_shift", contracts: 1 })],
};
/** Comes with each of them, so that faults are met in pairs too. */
const BESIDE: Readonly<Record<string, readonly object[]>> = {
  "": [],
  "+reset@exit": [at("placeOrder", 6, { fault: "drop_connection" })],
  "+reset@25s": [from(25_000, { fault: "drop_connection" })],
  "+link_lost@31s": [from(31_000, { fault: "link_lost", forMs: 15_000 })],
};

type Run = { readonly name: string; readonly lines: readonly object[] };
const RUNS: readonly Run[] = [
  ...Object.entries(FAULTS).flatMap(([fault, line]) =>
    Object.entries(MOMENTS).map(([moment, when]) => ({ name: `${fault}@${moment}`, lines: [{ ...line, ...when }] })),
  ),
  ...Object.entries(TROUBLES).flatMap(([trouble, lines]) =>
    Object.entries(BESIDE).map(([beside, more]) => ({ name: `${trouble}${beside}`, lines: [...lines, ...more] })),
  ),
];

async function sweep(runs: readonly Run[]): Promise<number> {
  const broken = new Map<string, number>();
  let bad = 0;
  for (const [index, { name, lines }] of runs.entries()) {
    process.stderr.write(`\r${index + 1} of ${runs.length}: ${name}`.padEnd(70));
    await runBot({ script: null, lines, forMs: RUN_MS, deeds: FLATTEN }, (evidence) => {
      const found = breaks(evidence, { positionMax: 1, isChatUp: true });
      if (found.length === 0) return;
      bad += 1;
      process.stdout.write(`\r${name}\n${found.map((what) => `    ${what}\n`).join("")}`);
      for (const invariant of new Set(found.map((what) => what.split(":", 1)[0] as string)))
        broken.set(invariant, (broken.get(invariant) ?? 0) + 1);
    });
  }
  process.stderr.write(`\r${" ".repeat(70)}\r`);
  process.stdout.write(`\n${runs.length} runs, ${runs.length - bad} sound, ${bad} not.\n`);
  for (const [invariant, times] of [...broken].toSorted()) process.stdout.write(`  ${invariant.padEnd(12)} ${times}\n`);
  return bad === 0 ? 0 : 1;
}

async function main(argv: readonly string[]): Promise<number> {
  const [option, text, ...more] = argv;
  if (option === "--help" || option === "-h") {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  if (option === "--list" && text === undefined) {
    for (const { name } of RUNS) process.stdout.write(`${name}\n`);
    return 0;
  }
  const isOnly = option === "--only" && text !== undefined && more.length === 0;
  const runs = isOnly ? RUNS.filter(({ name }) => name.includes(text)) : RUNS;
  if ((option !== undefined && !isOnly) || runs.length === 0) {
    const what =
      runs.length === 0 ? `no run's name contains ${JSON.stringify(text)}; see --list` : `what is ${option}?`;
    process.stderr.write(`faults: ${what}\n\n${HELP}\n`);
    return 2;
  }
  return sweep(runs);
}

process.exitCode = await main(process.argv.slice(2));
