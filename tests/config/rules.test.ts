// Relations between keys, each at its edge.
import { describe, expect, test } from "vitest";
import { feeCentsOf, INSTRUMENTS, instrumentOf, tickValueCentsOf } from "../../src/config/instruments.ts";
import { loadSettings, printProblem } from "../../src/config/load.ts";
import { isReachable, zBound } from "../../src/config/rules.ts";
import { covers, minutesOf, parseDayWindows, parseWeekWindows, printWeekWindow } from "../../src/config/windows.ts";
import { parseDecimal, tickSize } from "../../src/units.ts";

function broken(overrides: readonly string[], nowMs: number | null = null): readonly string[] {
  const loaded = loadSettings({ file: null, environment: {}, overrides, nowMs });
  return loaded.ok ? [] : loaded.error.map((problem) => `${problem.key} ${problem.message}`);
}

describe("the reach of z", () => {
  test.each([
    [5, 1, 2, false],
    [6, 1, 2, true],
    [4, 0, 2, false],
    [5, 0, 2, true],
    [5, 1, 1.7888, true],
    [5, 1, 1.7889, false],
    [37, 0, 6, true],
    [36, 0, 6, false],
    [10_000, 1, 6, true],
    [16, 1, 3.75, true],
    [16, 1, 3.7501, false],
  ] as const)("window %i with ddof %i and entry %d being usable is %s", (window, ddof, entryZ, usable) => {
    expect(isReachable(entryZ, window, ddof)).toBe(usable);
  });

  test("the bound is what semantics S3 says", () => {
    expect(zBound(5, 1)).toBeCloseTo(1.7889, 4);
    expect(zBound(5, 0)).toBe(2);
  });

  test("a pair that can never fire is refused with the bound, cut and not rounded up", () => {
    expect(broken(["strategy.window=5"])).toEqual([
      "strategy.entryZ can never be reached: with strategy.window 5 and ddof 1 |z| is at most 1.788; lower it or widen the window",
    ]);
    expect(broken(["strategy.window=6"])).toEqual([]);
    expect(broken(["strategy.window=5", "strategy.ddof=0"])).toEqual([]);
  });
});

describe("relations at their edges", () => {
  test.each([
    [["strategy.exitZ=1.9999"], true],
    [["strategy.exitZ=2"], false],
    [["risk.stopUsd=500"], true],
    [["risk.stopUsd=500.01"], false],
    [["risk.staleEntry=10s"], true],
    [["risk.staleEntry=10001ms"], false],
    [["strategy.quantity=2"], false],
    [["strategy.quantity=2", "risk.maxPosition=2"], true],
    [["contract.symbol=ES", "risk.maxPosition=2"], true],
    [["contract.symbol=ES", "risk.maxPosition=3"], false],
    [["contract.symbol=MES", "risk.maxPosition=10"], true],
    [["contract.symbol=ES", "risk.stopUsd=50", "risk.targetUsd=50"], true],
    [["contract.symbol=ES", "risk.stopUsd=49.99"], false],
    [["contract.symbol=ES", "risk.targetUsd=37.51"], true],
    [["contract.symbol=ES", "risk.targetUsd=37.50"], false],
    [["ibkr.port=4001"], false],
    [["ibkr.port=7496"], false],
    [["ibkr.port=4001", "ibkr.live=true"], false],
    [["ibkr.port=4001", "ibkr.live=true", "ibkr.account=U1234567"], true],
    [["ibkr.live=true"], true],
    [["ibkr.account=U1234567"], false],
    [["ibkr.account=DU1234567"], true],
    [["ibkr.account=U1234567", "ibkr.live=true"], true],
    [["contract.flatDaysBefore=8"], true],
    [["contract.flatDaysBefore=9"], false],
    [["storage.diskBlockMiB=1024"], true],
    [["storage.diskBlockMiB=1025"], false],
    [["dashboard.host=0.0.0.0"], false],
    [["dashboard.host=0.0.0.0", "dashboard.publicUrl=https://bot.example.org"], true],
    [["dashboard.host=0.0.0.0", "dashboard.enabled=false"], true],
    [["dashboard.port=8081"], false],
    [["dashboard.port=0", "simulator.chatPort=0"], true],
    [["risk.entriesMax={minute: 16, hour: 160, day: 1600}"], true],
    [["risk.entriesMax={minute: 17, hour: 160, day: 1600}"], false],
    [["risk.entriesMax={minute: 5, hour: 4, day: 4}"], false],
    [["risk.entriesMax=null", "risk.ordersMax=null"], true],
    [["risk.entryCollarTicks=40"], true],
    [["risk.entryCollarTicks=41"], false],
    [["session.open=none"], false],
    [["session.open=none", "session.flattenAt=none"], true],
    [["session.flattenAt=16:59"], true],
    [["session.flattenAt=17:00"], false],
    [["session.entryWindows=15:40-15:45"], true],
    [["session.entryWindows=15:45-16:59"], false],
    [["session.entryWindows=15:45-17:01"], true],
    [["session.flattenAt=00:05", "session.entryWindows=23:55-00:05"], false],
    [["session.flattenAt=00:05", "session.entryWindows=23:54-00:05"], true],
    [["contract.symbol=CL"], false],
    [
      [
        "contract.symbol=CL",
        "contract.custom={exchange: NYMEX, currency: USD, tick: 0.01, multiplier: 1000, feeUsd: 2.5}",
      ],
      true,
    ],
    [["contract.custom={exchange: CME, currency: USD, tick: 0.25, multiplier: 5, feeUsd: 1}"], false],
    [
      ["contract.symbol=XX", "contract.custom={exchange: CME, currency: USD, tick: 0.01, multiplier: 0.5, feeUsd: 1}"],
      false,
    ],
    [
      ["contract.symbol=XX", "contract.custom={exchange: CME, currency: EUR, tick: 0.25, multiplier: 5, feeUsd: 1}"],
      false,
    ],
    [
      ["contract.symbol=XX", "contract.custom={exchange: CME, currency: USD, tick: 0.0005, multiplier: 20, feeUsd: 1}"],
      true,
    ],
    [
      [
        "contract.symbol=XX",
        "contract.custom={exchange: CME, currency: USD, tick: 0.00005, multiplier: 200, feeUsd: 1}",
      ],
      false,
    ],
    [["contract.expiry=202611"], false],
    [["contract.expiry=202612"], true],
    [["telegram.users=[{id: 1, name: a, role: owner}, {id: 1, name: b, role: viewer}]"], false],
    [["telegram.groups=[5]"], false],
  ])("%j holding together is %s", (overrides, holds) => {
    expect(broken(overrides).length === 0, broken(overrides).join("\n")).toBe(holds);
  });

  test("a month is over the day after its third Friday, in the session's zone", () => {
    const lastEveningMs = 1_797_659_940_000; // 2026-12-18 23:59 in Chicago

    expect(broken(["contract.expiry=202612"], lastEveningMs)).toEqual([]);
    expect(broken(["contract.expiry=202612"], lastEveningMs + 60_000)).toEqual([
      "contract.expiry is past: its last trading day was 2026-12-18; use a later month or auto",
    ]);
  });

  test("a broken default is told with the file's name and no line", () => {
    const loaded = loadSettings({
      file: { path: "c.yaml", text: "strategy:\n  window: 5\n" },
      environment: {},
      overrides: [],
    });

    expect(
      loaded.ok ? "" : printProblem(loaded.error[0] ?? { file: "", line: null, key: null, value: null, message: "" }),
    ).toMatch(/^c\.yaml: strategy\.entryZ: 2 — can never be reached/);
  });
});

describe("instruments", () => {
  test.each(INSTRUMENTS.map((instrument) => [instrument.symbol, instrument] as const))(
    "%s: a tick is worth tick size × multiplier",
    (_symbol, instrument) => {
      const size = tickSize(instrument.tickSize);
      const multiplier = parseDecimal(instrument.multiplier, 4);

      expect(tickValueCentsOf(instrument.tickSize, instrument.multiplier)).toBe(instrument.tickValueCents);
      expect(multiplier.ok && (size.units / 10 ** size.decimals) * (multiplier.value / 100)).toBeCloseTo(
        instrument.tickValueCents,
        9,
      );
    },
  );

  test("the table has the eight built-in ones", () => {
    expect(INSTRUMENTS.map((instrument) => instrument.symbol).join(" ")).toBe("MES ES MNQ NQ M2K RTY MYM YM");
  });

  test("fees and notional limits come from the settings first, then from the table, then from the price", () => {
    const load = (...overrides: string[]) => {
      const loaded = loadSettings({ file: null, environment: {}, overrides });
      if (!loaded.ok) throw new Error(loaded.error.map(printProblem).join("\n"));
      return loaded.value.settings;
    };

    expect([feeCentsOf(load()), feeCentsOf(load("contract.symbol=ES")), feeCentsOf(load("costs.feeUsd=0"))]).toEqual([
      57, 215, 0,
    ]);
  });

  test("a custom instrument is one like any other", () => {
    const loaded = loadSettings({
      file: null,
      environment: {},
      overrides: [
        "contract.symbol=CL",
        "contract.custom={exchange: NYMEX, currency: USD, tick: 0.01, multiplier: 1000, feeUsd: 2.5}",
      ],
    });

    expect(loaded.ok && instrumentOf(loaded.value.settings)).toMatchObject({
      symbol: "CL",
      exchange: "NYMEX",
      tickSize: "0.01",
      tickValueCents: 1_000,
      feeCents: 250,
    });
  });
});

describe("windows", () => {
  test("a window may cross midnight and covers its minutes", () => {
    const windows = parseDayWindows(["23:59-00:01"]);
    const minutes = windows.ok ? minutesOf(windows.value) : [];

    expect([minutes[1_438], minutes[1_439], minutes[0], minutes[1]]).toEqual([false, true, true, false]);
  });

  test.each([
    [["08:35-14:45", "14:45-15:00"], true],
    [["08:35-14:45", "14:44-15:00"], false],
    [["22:00-02:00", "01:59-03:00"], false],
    [["08:35-08:35"], false],
    [["Fri 08:35-Sat 09:00"], false],
    [["8:35 – 14:45"], true],
    [["8.35-14.45"], false],
  ])("%j being windows of a day is %s", (items, are) => {
    expect(parseDayWindows(items).ok).toBe(are);
  });

  test.each([
    ["Fri 23:00-Sat 03:00", true],
    ["Fri 23:00-03:00", false],
    ["Foo 23:00-Sat 03:00", false],
    ["Fri 23:00-Fri 23:00", false],
    ["Fri 23:00-Thu 23:00", true],
  ])("%s being a window of the week is %s", (item, is) => {
    const read = parseWeekWindows([item]);

    expect(read.ok).toBe(is);
    if (read.ok) expect(read.value.map(printWeekWindow)).toEqual([item]);
  });

  test("an empty list is the whole day", () => {
    const lunch = [{ fromMinute: 720, toMinute: 780 }];

    expect([covers([], lunch), covers(lunch, []), covers(lunch, lunch)]).toEqual([true, false, true]);
  });
});
