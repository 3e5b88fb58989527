// The settings as the program uses them: every value in its one unit, the unit last in the name, immutable. What may
// stand in the file, and the defaults, are in fields.ts.

/** Is a value inside the program: plain, in its one unit (cents, milliseconds, minutes, ticks), comparable as JSON. */
export type ConfigValue =
  | null
  | boolean
  | number
  | string
  | readonly ConfigValue[]
  | { readonly [key: string]: ConfigValue };

/** Is a stretch of the day in the session's zone, from inclusive to exclusive; it crosses midnight where from > to. */
export type DayWindow = { readonly fromMinute: number; readonly toMinute: number };

/** Is a stretch of each day (both days null), or of the week (1 = Monday … 7 = Sunday). */
export type WeekWindow = DayWindow & { readonly fromDay: number | null; readonly toDay: number | null };

/** Is a person of the allow-list. */
export type User = { readonly id: number; readonly name: string; readonly role: Role };

/** Is what a person may do; each includes the ones before it. */
export type Role = "viewer" | "trader" | "owner";

/** Is an instrument that is not built in; `tick` in points and `multiplier` in dollars a point, as exact text. */
export type CustomInstrument = {
  readonly exchange: string;
  readonly currency: string;
  readonly tick: string;
  readonly multiplier: string;
  readonly feeCents: number;
};

/** Is how many are allowed in a minute, an hour and a day. */
export type RateLimit = { readonly minute: number; readonly hour: number; readonly day: number };

/** Is how a kind of notice arrives. */
export type NoticeMode = "on" | "silent" | "off";

/** Is everything that can be set. Null is said at each key. */
export type Settings = {
  readonly ibkr: {
    readonly host: string;
    readonly port: number;
    readonly clientId: number;
    /** Null: the one account that the gateway reports, if it is a paper account. */
    readonly account: string | null;
    readonly live: boolean;
    readonly allowForeign: boolean;
    readonly resetZone: string;
    readonly resetWindows: readonly WeekWindow[];
    readonly tradeDeskPhone: string | null;
  };
  readonly contract: {
    readonly symbol: string;
    /** "YYYYMM"; null: the front month. */
    readonly expiry: string | null;
    readonly rollDaysBefore: number;
    readonly flatDaysBefore: number;
    readonly custom: CustomInstrument | null;
  };
  readonly strategy: {
    /** 0: every trade is a bar of its own. */
    readonly samplingMs: number;
    readonly price: "last" | "mid";
    readonly window: number;
    readonly ddof: 0 | 1;
    /** At most 4 decimals, so entryZ × 10,000 is a whole number. */
    readonly entryZ: number;
    readonly exitZ: number;
    readonly resetWindow: "session" | "never";
    readonly quantity: number;
  };
  readonly risk: {
    readonly stopCents: number;
    readonly targetCents: number;
    readonly dailyLossCents: number;
    readonly dailyLossBasis: "total" | "realised";
    readonly dailyLossReset: "arm" | "nextSession";
    readonly lossStreak: number;
    readonly lossStreakPauseMs: number;
    readonly maxHoldMs: number;
    readonly maxPosition: number;
    /** Null: by the instrument. */
    readonly maxNotionalCents: number | null;
    readonly lossBudgetCheck: boolean;
    /** Null: the control is off. */
    readonly trailingDrawdownCents: number | null;
    readonly trailingArmedAtCents: number;
    readonly entryCollarTicks: number;
    readonly exitCollarTicks: number;
    readonly staleEntryMs: number;
    readonly staleAlarmMs: number;
    readonly maxSpreadTicks: number;
    readonly badTickTicks: number;
    readonly maxOpenOrders: number;
    /** Null: no limit (backtests only make sense of it). */
    readonly entriesMax: RateLimit | null;
    readonly ordersMax: RateLimit | null;
    readonly excessLiquidityPct: number;
  };
  readonly session: {
    readonly timeZone: string;
    /** Null: one endless session. */
    readonly openMinute: number | null;
    /** Empty: whenever the market is open. */
    readonly entryWindows: readonly DayWindow[];
    readonly noEntryBeforeFlattenMs: number;
    /** Null: no flat window. */
    readonly flattenAtMinute: number | null;
    readonly flattenBeforeCloseMs: number;
    readonly onStop: "keep" | "flatten";
  };
  readonly costs: {
    /** A contract and side; null: by the instrument. */
    readonly feeCents: number | null;
    readonly slippageTicks: number;
  };
  readonly backtest: {
    readonly startEquityCents: number;
    readonly intrabar: "stop-first" | "target-first";
    /** "queue" only on ticks. */
    readonly targetFill: "touch" | "queue" | "through";
    readonly fillOn: "auto" | "ticks" | "bars";
    /** Only on ticks. */
    readonly latencyMs: number;
  };
  readonly telegram: {
    readonly users: readonly User[];
    readonly groups: readonly number[];
    readonly controlLost: "pauseEntries" | "continue";
    readonly controlLostAfterMs: number;
    readonly dailySummaryAtMinute: number;
    readonly weeklySummary: boolean;
    /** Null: no quiet hours. */
    readonly quietHours: DayWindow | null;
    readonly statusCard: boolean;
    readonly replyKeyboard: boolean;
    readonly theme: "dark" | "light";
    readonly language: "en";
  };
  readonly notices: {
    readonly critical: "on" | "silent";
    readonly trade: NoticeMode;
    readonly session: NoticeMode;
    readonly link: NoticeMode;
    readonly control: NoticeMode;
    readonly system: NoticeMode;
    readonly overrides: Readonly<Record<string, NoticeMode>>;
    readonly secondChannel: readonly string[];
    readonly deadManUrl: string | null;
  };
  readonly storage: {
    readonly dir: string;
    readonly keepJournalMs: number;
    readonly keepLogsMs: number;
    readonly recordMarket: boolean;
    readonly diskWarnMiB: number;
    readonly diskBlockMiB: number;
  };
  readonly dashboard: {
    readonly enabled: boolean;
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string | null;
  };
  readonly logging: {
    readonly level: "debug" | "info" | "warn" | "error";
    /** Null: pretty on a terminal, else JSON. */
    readonly format: "pretty" | "json" | null;
  };
  readonly simulator: {
    /** "synthetic", or a file or folder of recordings. */
    readonly market: string;
    readonly seed: number;
    /** Null: as fast as it can. */
    readonly speed: number | null;
    /** Null: 08:30 of the latest regular trading day, or the recording's own first moment. */
    readonly startAtMs: number | null;
    readonly hours: "exchange" | "always";
    readonly latencyMs: number;
    readonly extraSlippageTicks: number;
    readonly startCashCents: number;
    readonly volatility: number;
    readonly gatewayPort: number;
    readonly chatPort: number;
  };
};
