// The table of the keys: kind, limits, default, help and meaning of a change, in the order of the file. fields.ts makes
// the fields of it that everything else reads.
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../units.ts";
import type { CountUnit, Kind } from "./kinds.ts";
import type { Settings } from "./settings.ts";
import type { Shape } from "./shapes.ts";

/** Is what the table says of one key; `key` where the file has another name than the settings, `chat` the short name. */
export type Entry<T> = {
  readonly key?: string;
  readonly kind: Kind;
  readonly default: T;
  readonly help: string;
  readonly chat?: string;
  readonly nothing?: string;
  readonly risk?: "higher" | "lower" | "wider";
  readonly acts?: "nextPosition" | "nextTradeDate";
  readonly isSecret?: true;
};

/** The compiler asks for each setting once, with a default of its type. */
type Table = { readonly [S in keyof Settings]: { readonly [K in keyof Settings[S]]: Entry<Settings[S][K]> } };

const BARS: CountUnit = { one: "bar", many: "bars" };
const CONTRACTS: CountUnit = { one: "contract", many: "contracts" };
const LOSSES: CountUnit = { one: "loss", many: "losses" };
const TICKS: CountUnit = { one: "tick", many: "ticks" };
const DAYS: CountUnit = { one: "day", many: "days" };
const ORDERS: CountUnit = { one: "order", many: "orders" };
const PERCENT: CountUnit = { one: "%", many: "%" };
const MEBIBYTES: CountUnit = { one: "MiB", many: "MiB" };

const integer = (unit: CountUnit | null, min: number, max: number): Kind => ({ type: "integer", unit, min, max });
const decimal = (unit: string, decimals: number, min: number, max: number): Kind => ({
  type: "decimal",
  unit,
  decimals,
  min,
  max,
});
const usd = (min: number, max: number): Kind => ({ type: "money", minCents: min * 100, maxCents: max * 100 });
const duration = (minMs: number, maxMs: number): Kind => ({ type: "duration", minMs, maxMs });
const choice = (...choices: readonly string[]): Kind => ({ type: "choice", choices });
const text = (what: string, pattern: string): Kind => ({ type: "text", what, pattern });
const shape = (name: Shape["name"], what: string): Kind => ({ type: "shape", shape: { name, what } });
const BOOLEAN: Kind = { type: "boolean" };
const PORT = integer(null, 0, 65_535);
const NOTICE = choice("on", "silent", "off");
const HOST = text(
  "a host name or address such as 127.0.0.1",
  "^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$|^::1?$",
);
const URL_PATTERN = "^https?://[^\\s/$.?#][^\\s]{0,480}$";
const PATH_PATTERN = "^[^\\p{Cc}]{1,240}$";
const RATE = shape("rateLimit", "limits such as {minute: 4, hour: 40, day: 400} with minute ≤ hour ≤ day");

/** Holds every key, section by section. */
export const TABLE: Table = {
  ibkr: {
    host: { kind: HOST, default: "127.0.0.1", help: "where IB Gateway or TWS listens" },
    port: {
      kind: integer(null, 1, 65_535),
      default: 4002,
      help: "4002 Gateway paper, 7497 TWS paper; 4001 and 7496 are live and refused unless live: true",
    },
    clientId: {
      kind: integer(null, 1, 999_999),
      default: 1,
      help: "never changed by the program; broker error 326 means that somebody else has it",
    },
    account: {
      kind: text('an account such as "DU1234567"', "^[A-Z]{1,4}[0-9]{3,12}$"),
      nothing: "auto",
      default: null,
      help: "auto = the one account that the gateway reports, only if it is a paper account (begins with D)",
    },
    live: { kind: BOOLEAN, default: false, risk: "higher", help: "one of the three things that live trading needs" },
    allowForeign: {
      kind: BOOLEAN,
      default: false,
      risk: "higher",
      help: "true = entries go on beside orders in the same contract that are not ours",
    },
    resetZone: { kind: { type: "timeZone" }, default: "America/New_York", help: "the zone of resetWindows" },
    resetWindows: {
      kind: { type: "weekWindows" },
      default: [
        { fromDay: null, fromMinute: 1_425, toDay: null, toMinute: 45 },
        { fromDay: 5, fromMinute: 1_380, toDay: 6, toMinute: 180 },
      ],
      help: "the broker's restarts: no orders inside, flat 15 min before; [] = none",
    },
    tradeDeskPhone: {
      kind: text("a phone number", "^[0-9+() ./-]{3,40}$"),
      nothing: "",
      default: null,
      help: "shown when a flatten cannot reach the broker",
    },
  },
  contract: {
    symbol: {
      kind: text("a symbol such as MES", "^[A-Z][A-Z0-9]{0,7}$"),
      default: "MES",
      help: "built in: MES ES MNQ NQ M2K RTY MYM YM; any other with custom",
    },
    expiry: {
      kind: { type: "month" },
      nothing: "auto",
      default: null,
      chat: "contract",
      acts: "nextPosition",
      help: "YYYYMM, listed and not past, or auto = front month",
    },
    rollDaysBefore: {
      kind: integer(DAYS, 1, 30),
      default: 8,
      risk: "lower",
      help: "calendar days before the last trade date: auto moves on (when flat), YYYYMM takes no more entries",
    },
    flatDaysBefore: {
      kind: integer(DAYS, 1, 10),
      default: 2,
      risk: "lower",
      help: "never in a position nearer to the last trade date than this",
    },
    custom: {
      kind: shape("customInstrument", "{exchange: CME, currency: USD, tick: 0.25, multiplier: 5, feeUsd: 0.57}"),
      nothing: "null",
      default: null,
      help: "another instrument: {exchange, currency, tick, multiplier, feeUsd}",
    },
  },
  strategy: {
    samplingMs: {
      key: "sampling",
      kind: { type: "sampling", choices: ["trade", "1s", "5s", "10s", "15s", "30s", "1m", "5m"] },
      default: 5 * SECOND_MS,
      chat: "sampling",
      acts: "nextPosition",
      help: "one z and one decision at each close",
    },
    price: {
      kind: choice("last", "mid"),
      default: "last",
      chat: "price",
      acts: "nextPosition",
      help: "the price that z is made of",
    },
    window: {
      kind: integer(BARS, 5, 10_000),
      default: 60,
      chat: "window",
      acts: "nextPosition",
      help: "the bars of the mean and deviation, the current one included",
    },
    ddof: { kind: integer(null, 0, 1), default: 1, help: "1 = sample deviation, 0 = population deviation" },
    entryZ: {
      kind: decimal("sd", 4, 0.5, 6),
      default: 2,
      chat: "entry",
      risk: "lower",
      help: "enter at this many deviations; must be reachable with window and ddof",
    },
    exitZ: {
      kind: decimal("sd", 4, 0, 6),
      default: 0.5,
      chat: "exit",
      acts: "nextPosition",
      help: "leave when back inside; less than entryZ",
    },
    resetWindow: { kind: choice("session", "never"), default: "session", help: "when the window is emptied" },
    quantity: {
      kind: integer(CONTRACTS, 1, 10),
      default: 1,
      chat: "quantity",
      risk: "higher",
      acts: "nextPosition",
      help: "contracts an entry; at most risk.maxPosition",
    },
  },
  risk: {
    stopCents: {
      key: "stopUsd",
      kind: usd(5, 5_000),
      default: 20_000,
      chat: "stop",
      risk: "higher",
      acts: "nextPosition",
      help: "per contract, rounded down to ticks; at most dailyLossUsd",
    },
    targetCents: {
      key: "targetUsd",
      kind: usd(5, 10_000),
      default: 30_000,
      chat: "target",
      acts: "nextPosition",
      help: "per contract, rounded up to ticks",
    },
    dailyLossCents: {
      key: "dailyLossUsd",
      kind: usd(50, 10_000),
      default: 50_000,
      chat: "daily loss",
      risk: "higher",
      acts: "nextTradeDate",
      help: "a day's loss that flattens and halts; a higher one acts from the next trade date",
    },
    dailyLossBasis: {
      kind: choice("total", "realised"),
      default: "total",
      help: "total = with the open loss",
    },
    dailyLossReset: {
      kind: choice("arm", "nextSession"),
      default: "arm",
      help: "arm = from the next trade date and only by /arm; nextSession = by itself (backtest and demo always)",
    },
    lossStreak: {
      kind: integer(LOSSES, 1, 20),
      default: 3,
      chat: "streak",
      risk: "higher",
      acts: "nextTradeDate",
      help: "losses in a row that pause entries; a higher number acts from the next trade date",
    },
    lossStreakPauseMs: {
      key: "lossStreakPause",
      kind: duration(MINUTE_MS, 24 * HOUR_MS),
      default: 30 * MINUTE_MS,
      chat: "streak pause",
      risk: "lower",
      help: "how long entries pause then",
    },
    maxHoldMs: {
      key: "maxHold",
      kind: duration(MINUTE_MS, 23 * HOUR_MS),
      default: 2 * HOUR_MS,
      chat: "max hold",
      risk: "higher",
      acts: "nextPosition",
      help: "the longest a position is kept",
    },
    maxPosition: {
      kind: integer(CONTRACTS, 1, 10),
      default: 1,
      risk: "higher",
      help: "hard cap 10; ES, NQ, RTY, YM 2",
    },
    maxNotionalCents: {
      key: "maxNotionalUsd",
      kind: usd(1_000, 10_000_000),
      nothing: "auto",
      default: null,
      help: "auto = 60000 MES, 500000 ES, 80000 MNQ; others 1.7 × price × multiplier × maxPosition at the start",
    },
    lossBudgetCheck: {
      kind: BOOLEAN,
      default: false,
      chat: "budget",
      risk: "lower",
      help: "true = no entry that could pass the daily limit if stopped",
    },
    trailingDrawdownCents: {
      key: "trailingDrawdownUsd",
      kind: usd(10, 10_000),
      nothing: "null",
      default: null,
      chat: "trailing",
      risk: "higher",
      help: "an amount such as 400 flattens after so much was given back; null = off",
    },
    trailingArmedAtCents: {
      key: "trailingArmedAtUsd",
      kind: usd(0, 10_000),
      default: 30_000,
      help: "the day's gain from which the trailing drawdown watches",
    },
    entryCollarTicks: {
      kind: integer(TICKS, 1, 400),
      default: 8,
      risk: "higher",
      help: "how far from mid an entry's price may be",
    },
    exitCollarTicks: {
      kind: integer(TICKS, 4, 1_000),
      default: 40,
      risk: "higher",
      help: "how far from mid an exit's limit stands; after 15 s it goes to the market",
    },
    staleEntryMs: {
      key: "staleEntry",
      kind: duration(500, 60 * SECOND_MS),
      default: 2 * SECOND_MS,
      chat: "stale",
      risk: "higher",
      help: "no entry on a quote older than this",
    },
    staleAlarmMs: {
      key: "staleAlarm",
      kind: duration(SECOND_MS, 10 * MINUTE_MS),
      default: 10 * SECOND_MS,
      help: "an alarm when quotes are older than this in open hours",
    },
    maxSpreadTicks: {
      kind: integer(TICKS, 1, 20),
      default: 2,
      chat: "spread",
      risk: "higher",
      help: "no entry at a wider spread",
    },
    badTickTicks: { kind: integer(TICKS, 1, 1_000), default: 25, help: "a jump beyond this is ignored at first" },
    maxOpenOrders: {
      kind: integer(ORDERS, 3, 11),
      default: 6,
      risk: "higher",
      help: "own orders at once; a bracket is 3",
    },
    entriesMax: {
      kind: RATE,
      nothing: "null",
      default: { minute: 4, hour: 40, day: 400 },
      help: "entries in a minute, hour and day; null = no limit",
    },
    ordersMax: {
      kind: RATE,
      nothing: "null",
      default: { minute: 16, hour: 160, day: 1_600 },
      help: "orders in a minute, hour and day; null = no limit",
    },
    excessLiquidityPct: {
      kind: integer(PERCENT, 0, 95),
      default: 25,
      risk: "lower",
      help: "what must be left of the account after the margin of an entry",
    },
  },
  session: {
    timeZone: {
      kind: { type: "timeZone" },
      default: "America/Chicago",
      help: "the exchange's zone, in which messages are written too",
    },
    openMinute: {
      key: "open",
      kind: { type: "minuteOfDay" },
      nothing: "none",
      default: 1_020,
      help: "a trading day starts here; none = one endless session",
    },
    entryWindows: {
      kind: { type: "dayWindows" },
      default: [],
      chat: "windows",
      risk: "wider",
      help: '[] = whenever the market is open; e.g. ["08:35-14:45"]',
    },
    noEntryBeforeFlattenMs: {
      key: "noEntryBeforeFlatten",
      kind: duration(0, 4 * HOUR_MS),
      default: 10 * MINUTE_MS,
      chat: "last entry",
      risk: "lower",
      help: "no entries so long before flattenAt",
    },
    flattenAtMinute: {
      key: "flattenAt",
      kind: { type: "minuteOfDay" },
      nothing: "none",
      default: 955,
      chat: "flat by",
      help: "none = no flat window; on an early close flattenBeforeClose before it",
    },
    flattenBeforeCloseMs: {
      key: "flattenBeforeClose",
      kind: duration(MINUTE_MS, 4 * HOUR_MS),
      default: 5 * MINUTE_MS,
      help: "flat so long before an early close",
    },
    onStop: {
      kind: choice("keep", "flatten"),
      default: "keep",
      help: "keep = the bracket stays at the broker when the program stops",
    },
  },
  costs: {
    feeCents: {
      key: "feeUsd",
      kind: usd(0, 50),
      nothing: "auto",
      default: null,
      help: "per contract and side; auto = table (MES 0.57, ES 2.15); the broker's commission reports replace it",
    },
    slippageTicks: {
      kind: integer(TICKS, 0, 20),
      default: 1,
      help: "assumed in backtests and previews; real fills bring their own",
    },
  },
  backtest: {
    startEquityCents: {
      key: "startEquityUsd",
      kind: usd(100, 100_000_000),
      default: 1_000_000,
      help: "what a backtest begins with",
    },
    intrabar: {
      kind: choice("stop-first", "target-first"),
      default: "stop-first",
      help: "which was first where a bar touches both; both bounds are reported",
    },
    targetFill: {
      kind: choice("touch", "queue", "through"),
      default: "touch",
      help: "touch = first in the line at its price; queue = behind what the book showed there (ticks only); through = the price must pass it",
    },
    fillOn: {
      kind: choice("auto", "ticks", "bars"),
      default: "auto",
      help: "what fills orders: ticks = the live engine on the simulated exchange; bars = the next bar's open; auto = ticks where the data has them",
    },
    latencyMs: {
      key: "orderLatency",
      kind: duration(0, 60 * SECOND_MS),
      default: 20,
      help: "between an order and the exchange (ticks only)",
    },
  },
  telegram: {
    users: {
      kind: shape(
        "users",
        "a list such as [{id: 123456789, name: anna, role: owner}] with roles viewer, trader, owner",
      ),
      default: [],
      help: "[{id: 123456789, name: anna, role: owner}]; roles viewer, trader, owner; [] = pairing at the console",
    },
    groups: {
      kind: shape("groups", "a list of group chat ids such as [-1001234567890]"),
      default: [],
      help: "chat ids of groups where listed users may speak to it",
    },
    controlLost: {
      kind: choice("pauseEntries", "continue"),
      default: "pauseEntries",
      help: "what happens when the chat cannot be reached",
    },
    controlLostAfterMs: {
      key: "controlLostAfter",
      kind: duration(MINUTE_MS, 24 * HOUR_MS),
      default: 5 * MINUTE_MS,
      help: "after so long without the chat",
    },
    dailySummaryAtMinute: {
      key: "dailySummaryAt",
      kind: { type: "minuteOfDay" },
      default: 965,
      chat: "summary",
      help: "also sent late if the program was down",
    },
    weeklySummary: {
      kind: BOOLEAN,
      default: true,
      chat: "weekly",
      help: "a summary after the week's last session; has no effect yet",
    },
    quietHours: {
      kind: { type: "dayWindow" },
      nothing: "none",
      default: null,
      chat: "quiet",
      help: '"22:00-07:00" makes all but critical notices silent',
    },
    statusCard: { kind: BOOLEAN, default: true, chat: "card", help: "the pinned status message" },
    replyKeyboard: { kind: BOOLEAN, default: true, chat: "keyboard", help: "buttons below the text box" },
    theme: { kind: choice("dark", "light"), default: "dark", chat: "theme", help: "the charts' colours" },
    language: { kind: choice("en"), default: "en", help: "the language of messages" },
  },
  notices: {
    critical: { kind: choice("on", "silent"), default: "on", help: "about safety; never off" },
    trade: { kind: NOTICE, default: "on", help: "entries and exits" },
    session: { kind: NOTICE, default: "silent", help: "the trading day" },
    link: { kind: NOTICE, default: "silent", help: "connections" },
    control: { kind: NOTICE, default: "on", help: "who changed or commanded what" },
    system: { kind: NOTICE, default: "silent", help: "the program and its machine" },
    overrides: {
      kind: shape("noticeModes", "notices and how they arrive, such as {entry_sent: silent}"),
      default: { entry_sent: "silent", daily_summary: "on", gateway_down: "on", gateway_up: "on" },
      help: "single notices that differ from their class",
    },
    secondChannel: {
      kind: shape("addresses", "a list of webhook URLs or commands"),
      default: [],
      isSecret: true,
      help: "webhook URLs or commands for critical notices when Telegram cannot be reached",
    },
    deadManUrl: {
      kind: text("a URL beginning with http:// or https://", URL_PATTERN),
      nothing: "",
      default: null,
      isSecret: true,
      help: "asked for each minute while all is well",
    },
  },
  storage: {
    dir: {
      kind: text("a folder", PATH_PATTERN),
      default: "data",
      help: "the demo uses data/demo; one account per directory",
    },
    keepJournalMs: {
      key: "keepJournal",
      kind: duration(DAY_MS, 3_650 * DAY_MS),
      default: 400 * DAY_MS,
      help: "how long records are kept; has no effect yet",
    },
    keepLogsMs: {
      key: "keepLogs",
      kind: duration(DAY_MS, 3_650 * DAY_MS),
      default: 30 * DAY_MS,
      help: "how long log files are kept; has no effect yet",
    },
    recordMarket: {
      kind: BOOLEAN,
      default: true,
      help: "what it saw is kept in the journal, for replay and backtest",
    },
    diskWarnMiB: { kind: integer(MEBIBYTES, 64, 1_048_576), default: 1_024, help: "warns when less is free" },
    diskBlockMiB: { kind: integer(MEBIBYTES, 32, 1_048_576), default: 256, help: "takes no entries when less is free" },
  },
  dashboard: {
    enabled: { kind: BOOLEAN, default: true, help: "the web page, health and metrics" },
    host: { kind: HOST, default: "127.0.0.1", help: "any other than this machine's own needs publicUrl" },
    port: { kind: PORT, default: 8_080, help: "0 = a free one, printed" },
    publicUrl: {
      kind: text("a URL beginning with http:// or https://", URL_PATTERN),
      nothing: "",
      default: null,
      help: "the address by which people reach it from elsewhere; has no effect yet",
    },
  },
  logging: {
    level: { kind: choice("debug", "info", "warn", "error"), default: "info", help: "the least that is written" },
    format: {
      kind: choice("pretty", "json"),
      nothing: "auto",
      default: null,
      help: "auto = pretty on a terminal, else JSON",
    },
  },
  simulator: {
    market: {
      kind: text("synthetic, or a file or folder of recordings", PATH_PATTERN),
      default: "synthetic",
      help: "or a file or folder of recordings",
    },
    seed: { kind: integer(null, 0, 4_294_967_295), default: 7, help: "the same seed is the same market" },
    speed: {
      kind: decimal("×", 2, 0.1, 1_000),
      nothing: "max",
      default: 10,
      help: "× real time, or max; npm run simulate: 1",
    },
    startAtMs: {
      key: "start",
      kind: { type: "instant" },
      nothing: "auto",
      default: null,
      help: "auto = 08:30 of the latest regular trading day, or the recording's own first moment",
    },
    hours: {
      kind: choice("exchange", "always"),
      default: "exchange",
      help: "always (npm run simulate's default) = the contract trades at any hour of any day",
    },
    latencyMs: {
      key: "latency",
      kind: duration(0, 60 * SECOND_MS),
      default: 5,
      help: "between an order and the exchange",
    },
    extraSlippageTicks: { kind: integer(TICKS, 0, 100), default: 0, help: "beyond the book" },
    startCashCents: {
      key: "startCashUsd",
      kind: usd(100, 100_000_000),
      default: 1_000_000,
      help: "what the account begins with",
    },
    volatility: { kind: decimal("×", 2, 0.1, 10), default: 1, help: "× the measured one" },
    gatewayPort: { kind: PORT, default: 0, help: "0 = a free one, printed" },
    chatPort: { kind: PORT, default: 8_081, help: "0 = a free one, printed" },
  },
};
