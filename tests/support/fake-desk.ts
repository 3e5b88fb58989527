// A desk that keeps the door's contract without a session behind it: it obeys an update once, journals nothing, previews
// settings through the real editor, and lets a test say what the broker did. For tests of views and channels.
import { previewChange } from "../../src/config/edit.ts";
import { loadSettings } from "../../src/config/load.ts";
import { exampleYaml, type Settings } from "../../src/config/schema.ts";
import type {
  Answer,
  Caused,
  ConfigAnswer,
  ConfigChangeRow,
  Desk,
  DeskSnapshot,
  Effect,
  Notice,
  NoticeClass,
  Origin,
  QueuedNotice,
  RoundTripRow,
  SeriesPoint,
  Status,
  Today,
} from "../../src/trading/desk.ts";
import type { FakeClock } from "./fake-clock.ts";

/** Is the day of a quiet start. */
export const QUIET_TODAY: Today = {
  tradeDate: "2026-11-25",
  trades: 3,
  wins: 2,
  losses: 1,
  grossCents: 4_443,
  feesCents: 342,
  netCents: 4_101,
  openCents: 0,
  bestCents: 2_261,
  worstCents: -1_489,
  drawdownCents: 2_114,
  lossLeftCents: 54_101,
  lossStreak: 0,
};

/** Is a desk with levers. */
export type FakeDesk = Desk & {
  /** Changes what is true. */
  set(changes: Partial<Status>): void;
  /** Changes what the snapshot says beside the status. */
  setSnapshot(changes: Partial<DeskSnapshot>): void;
  /** Queues a notice as the engine would. */
  tell(notice: Notice, noticeClass: NoticeClass, dedupeKey?: string): number;
  /** Tells an effect to whoever observes. */
  emit(effect: Effect): void;
  /** Is everything that was commanded: "pause", "flatten" … in order; repeated updates are not in it. */
  readonly commands: string[];
  /** Is what became of notices: "trying 7", "sent 7", "dead 7: why". */
  readonly steps: string[];
  readonly notes: { readonly type: string; readonly fields: Readonly<Record<string, unknown>> }[];
  readonly control: { readonly reachable: boolean; readonly detail: string }[];
  trips: RoundTripRow[];
  points: SeriesPoint[];
  /** The next answer of a command, instead of "done". */
  refuseNext: string | null;
};

/** Returns a desk whose market time is this clock. */
export function createFakeDesk(clock: FakeClock): FakeDesk {
  let text = exampleYaml();
  let settings = settingsOf(text);
  let revision = 41;
  const history: { text: string; settings: Settings; row: ConfigChangeRow }[] = [];
  const startedAtMs = clock.nowMs();
  let status = quietStatus(clock.nowMs());
  let more: Partial<DeskSnapshot> = {};
  let nextNotice = 1_838;
  const waiting = new Map<number, QueuedNotice>();
  const listeners = new Set<(notice: QueuedNotice) => void>();
  const observers = new Set<(caused: Caused) => void>();
  const obeyed = new Set<number>();

  const emit = (effect: Effect): void => {
    for (const observer of [...observers]) observer({ ...effect, cause: 1 } as Caused);
  };
  const obey = async (origin: Origin, verb: string, done: string, act: () => void): Promise<Answer> => {
    if (origin.updateId !== null && obeyed.has(origin.updateId))
      return { accepted: true, repeated: true, lines: [done] };
    if (origin.updateId !== null) obeyed.add(origin.updateId);
    desk.commands.push(verb);
    if (desk.refuseNext !== null) {
      const lines = [desk.refuseNext];
      desk.refuseNext = null;
      return { accepted: false, repeated: false, lines };
    }
    act();
    return { accepted: true, repeated: false, lines: [done] };
  };

  const desk: FakeDesk = {
    commands: [],
    steps: [],
    notes: [],
    control: [],
    trips: [],
    points: [],
    refuseNext: null,
    set: (changes) => {
      status = { ...status, ...changes };
    },
    setSnapshot: (changes) => {
      more = { ...more, ...changes };
    },
    emit,
    tell: (notice, noticeClass, dedupeKey) => {
      const queued: QueuedNotice = {
        noticeId: nextNotice,
        atMs: clock.nowMs(),
        class: noticeClass,
        dedupeKey: dedupeKey ?? null,
        notice,
        tried: false,
      };
      nextNotice += 1;
      waiting.set(queued.noticeId, queued);
      emit({ type: "notice_queued", class: noticeClass, dedupeKey: dedupeKey ?? null, notice });
      for (const listener of [...listeners]) listener(queued);
      return queued.noticeId;
    },
    snapshot: () => ({
      nowMs: clock.nowMs(),
      status,
      settings,
      revision,
      badge: "PAPER",
      marketLabel: null,
      tickSize: 0.25,
      tickValueCents: 125,
      symbol: "MES",
      contractName: "MES Z6",
      startedAtMs,
      version: "0.1.0",
      engineVersion: "0.1.0",
      nodeVersion: "v20.20.2",
      health: {
        journalSyncMs: 0.1,
        journalSyncMsMax: 2.5,
        journalSeq: 4_711,
        loopLagMs: 3,
        noticesWaiting: waiting.size,
        memoryMiB: 120,
        journalProblem: null,
      },
      ...more,
    }),
    pause: (origin, untilMs) =>
      obey(origin, "pause", "No new entries.", () => {
        status = { ...status, posture: "paused", pausedUntilMs: untilMs, postureReason: `by ${origin.person.name}` };
      }),
    resume: (origin) =>
      obey(origin, "resume", "Entries are allowed again.", () => {
        status = { ...status, posture: "trading", pausedUntilMs: null, postureReason: "" };
      }),
    flatten: (origin) =>
      obey(origin, "flatten", "Closing everything.", () => {
        emit({ type: "posture_changed", from: status.posture, to: "flattening", untilMs: null, reason: "flatten" });
        status = { ...status, posture: "flattening", postureReason: `by ${origin.person.name}` };
      }),
    halt: (origin, reason) =>
      obey(origin, `halt: ${reason}`, "Halted until /arm.", () => {
        status = { ...status, posture: "halted", postureReason: reason };
      }),
    arm: (origin) =>
      obey(origin, "arm", "Armed.", () => {
        status = { ...status, posture: "trading", postureReason: "" };
      }),
    acknowledge: (origin, noticeId) => obey(origin, `acknowledge ${noticeId}`, "Acknowledged.", () => {}),
    adopt: (origin) => obey(origin, "adopt", "Adopted.", () => {}),
    previewConfig: (changes) => previewChange({ text, settings, revision }, changes),
    changeConfig: async (origin, base, changes): Promise<ConfigAnswer> => {
      if (base !== revision) return { type: "outdated", revision, by: history.at(-1)?.row.by ?? "ben" };
      const preview = previewChange({ text, settings, revision }, changes);
      if (!preview.ok) return { type: "refused", problems: preview.error };
      const rows = preview.value.lines.map((line) => ({ path: line.path, old: line.old, new: line.new }));
      const row = {
        revision: revision + 1,
        atMs: clock.nowMs(),
        by: `${origin.person.name} (${origin.person.id})`,
        changes: rows,
      };
      history.push({ text, settings, row });
      desk.commands.push(`set ${changes.map((change) => `${change.path}=${change.text}`).join(",")}`);
      text = preview.value.nextText;
      settings = preview.value.next;
      revision += 1;
      return { type: "applied", revision };
    },
    previewUndo: () => {
      const last = history.at(-1);
      if (last === undefined) return null;
      // The old value as it was printed, without what printing adds ("±", a count of ticks).
      const changes = last.row.changes.map((change) => ({
        path: change.path,
        text: change.old.replace(/ \(.*\)$/, ""),
      }));
      return { changes, preview: previewChange({ text, settings, revision }, changes) };
    },
    roundTrips: () => desk.trips,
    configChanges: () => history.map(({ row }) => row),
    series: (sinceMs) => desk.points.filter((point) => point.closeAtMs >= sinceMs),
    observe: (listener) => {
      observers.add(listener);
      return () => observers.delete(listener);
    },
    notices: {
      pending: () => [...waiting.values()],
      onQueued: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      trying: async (noticeId) => {
        desk.steps.push(`trying ${noticeId}`);
        const queued = waiting.get(noticeId);
        if (queued !== undefined) waiting.set(noticeId, { ...queued, tried: true });
      },
      sent: async (noticeId) => {
        desk.steps.push(`sent ${noticeId}`);
        waiting.delete(noticeId);
      },
      dead: async (noticeId, reason) => {
        desk.steps.push(`dead ${noticeId}: ${reason}`);
        waiting.delete(noticeId);
      },
    },
    controlChannel: (reachable, detail) => {
      desk.control.push({ reachable, detail });
    },
    note: (type, fields) => {
      desk.notes.push({ type, fields });
    },
  };
  return desk;
}

function settingsOf(text: string): Settings {
  const loaded = loadSettings({ file: { path: "config.yaml", text }, environment: {}, overrides: [] } as never);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return loaded.value.settings;
}

/** Returns a status in regular hours: trading, linked, flat, window full. */
export function quietStatus(nowMs: number): Status {
  return {
    atMs: nowMs,
    seq: 4_711,
    badge: "PAPER",
    posture: "trading",
    pausedUntilMs: null,
    postureReason: "",
    link: "up",
    linkSinceMs: nowMs - 600_000,
    account: "DU1234567",
    reconciled: true,
    contract: {
      conId: 793_356_225,
      localSymbol: "MESZ6",
      month: "202612",
      lastTradeDate: "2026-12-18",
      tickSizeE4: 2_500,
      multiplierCents: 500,
      hours: [],
    },
    marketOpen: true,
    hours: { fromMs: nowMs - 16 * 3_600_000, toMs: nowMs + 7 * 3_600_000 },
    lastTicks: 20_058,
    bidTicks: 20_057,
    askTicks: 20_058,
    quoteAgeMs: 400,
    z: -1.32,
    meanTicks: 20_070.5,
    sdTicks: 9.47,
    windowFilled: 60,
    windowSize: 60,
    bars: 1_440,
    position: null,
    orders: [],
    gates: [
      { name: "posture", open: true, detail: "TRADING" },
      { name: "link", open: true, detail: "up" },
      { name: "spread", open: true, detail: "1 t ≤ 2 t" },
    ],
    lastBlocked: null,
    today: QUIET_TODAY,
    revision: 41,
    highestOrderId: 80,
    questions: [],
  };
}

/** Returns the changes that make a quiet status hold one long contract with its bracket. */
export function longOne(nowMs: number): Partial<Status> {
  const order = { side: "sell", quantity: 1, filled: 0, state: "acked", sinceMs: nowMs - 360_000 } as const;
  return {
    position: {
      position: 1,
      averageTicks: 20_049,
      markTicks: 20_058,
      openCents: 1_125,
      entryAtMs: nowMs - 360_000,
      latestExitAtMs: nowMs + 6_840_000,
      stopTicks: 19_889,
      targetTicks: 20_289,
      exitZ: -0.5,
      zEntry: -2.08,
    },
    orders: [
      { ...order, orderRef: "QS1-ab12-261125-1-S", leg: "stop", kind: { kind: "stop", stopTicks: 19_889 } },
      { ...order, orderRef: "QS1-ab12-261125-1-T", leg: "target", kind: { kind: "limit", limitTicks: 20_289 } },
    ],
  };
}
