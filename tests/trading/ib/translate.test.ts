// The broker's words, one by one. The tables read like the API's own.
import { ErrorCode, type Order, OrderAction, OrderType } from "@stoqey/ib";
import { describe, expect, test } from "vitest";
import {
  action,
  brokerFill,
  brokerOrder,
  executionTimeMs,
  FEED_REFUSED,
  linkCodeMeaning,
  orderCodeMeaning,
  orderKind,
  orderState,
  side,
  toPrice,
  toTicks,
} from "../../../src/trading/ib/translate.ts";
import { fc, property } from "../../support/properties.ts";

const MES = { tickSize: 0.25, multiplier: 5 };

describe("an error code on an order", () => {
  test.each([
    [103, "warning", "a used id: the order is not known to be refused, so silence makes it in doubt"],
    [104, "change_refused", "a filled order can't be modified"],
    [105, "change_refused", "the change names another order"],
    [110, "refused", "the price is off the tick grid"],
    [135, "change_refused", "the id to cancel is not found"],
    [161, "change_refused", "the order can't be cancelled now"],
    [200, "refused", "no such contract"],
    [201, "refused", "rejected, margin"],
    [202, "cancelled", "the order is gone"],
    [203, "refused", "the security is not allowed"],
    [321, "refused", "the request is not valid"],
    [329, "change_refused", "the order type can't be changed"],
    [399, "warning", "the order stands, and waits"],
    [434, "refused", "a size of zero"],
    [2109, "ignored", "outsideRth is ignored"],
    [9_999, "warning", "below the order subsystem"],
    [10_000, "refused", "the order subsystem"],
    [10_006, "refused", "no such parent"],
    [10_147, "change_refused", "the id to cancel is not found"],
    [10_148, "change_refused", "too late to cancel"],
    [10_167, "warning", "delayed data are shown"],
    [10_349, "warning", "the time in force was set by a preset"],
    [10_999, "refused", "the order subsystem"],
    [11_000, "warning", "above it"],
    [424_242, "warning", "unknown"],
  ] as const)("%d means %s: %s", (code, meaning, _why) => {
    expect(orderCodeMeaning(code)).toBe(meaning);
  });
});

describe("a notice's code", () => {
  test.each([
    [1100, "degraded"],
    [2110, "degraded"],
    [1101, "restored_data_lost"],
    [1102, "restored"],
    [1300, "dropped"],
    [326, "in_use"],
    [ErrorCode.CONNECT_FAIL, "dropped"],
    [504, "dropped"],
    [505, "dropped"],
    [507, "dropped"],
    [509, "dropped"],
    [2103, "feed_broken"],
    [2104, "feed_ok"],
    [2105, "feed_broken"],
    [2106, "feed_ok"],
    [2157, "feed_broken"],
    [2158, "feed_ok"],
    [2107, "info"],
    [2108, "info"],
    [2119, "info"],
  ] as const)("%d means %s", (code, meaning) => {
    expect(linkCodeMeaning(code)).toBe(meaning);
  });

  test.each([354, 420, 10_089, 10_090, 10_167, 10_168, 10_189, 10_190, 10_197])(
    "%d on a subscription means that there are no live data",
    (code) => {
      expect(FEED_REFUSED.has(code)).toBe(true);
    },
  );
});

describe("a status word", () => {
  test.each([
    ["ApiPending", "pending"],
    ["PendingSubmit", "pending"],
    ["PreSubmitted", "held"],
    ["Submitted", "working"],
    ["PendingCancel", "cancel_pending"],
    ["ApiCancelled", "cancelled"],
    ["Cancelled", "cancelled"],
    ["Filled", "filled"],
    ["Inactive", "inactive"],
    ["SomethingNew", "pending"],
    ["", "pending"],
  ] as const)("%s stands for %s", (word, state) => {
    expect(orderState(word)).toBe(state);
  });
});

describe("a price", () => {
  test.each([
    [6_021.25, 24_085],
    [0.25, 1],
    [536_870_911.75, 2_147_483_647],
  ])("of %d is %d ticks", (price, ticks) => {
    expect(toTicks(price, MES)).toBe(ticks);
  });

  test.each([
    undefined,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    -0.25,
    0,
    0.1,
    536_870_912,
    1.797_693_134_862_315_7e308,
  ])("of %s is none", (price) => {
    expect(toTicks(price, MES)).toBeNull();
  });

  const sizes = fc.constantFrom(0.25, 0.1, 0.01, 0.005, 1, 0.03125);
  property(
    "comes back from its ticks for every tick size in use",
    [fc.integer({ min: 1, max: 1_000_000 }), sizes],
    (ticks, tickSize) => {
      const scale = { tickSize, multiplier: 1 };

      expect(toTicks(toPrice(ticks, scale), scale)).toBe(ticks);
    },
  );

  test("is printed without a binary remainder", () => {
    expect(toPrice(3, { tickSize: 0.1, multiplier: 1 })).toBe(0.3);
    expect(toPrice(24_085, MES)).toBe(6_021.25);
  });
});

describe("an order's kind", () => {
  test.each([
    ["market", { orderType: OrderType.MKT }, { kind: "market" }],
    ["limit", { orderType: OrderType.LMT, lmtPrice: 6_000 }, { kind: "limit", limitTicks: 24_000 }],
    ["stop", { orderType: OrderType.STP, auxPrice: 5_960 }, { kind: "stop", stopTicks: 23_840 }],
  ])("%s is read with its price", (_name, order, kind) => {
    expect(orderKind(order, MES)).toEqual(kind);
  });

  test.each([
    ["a limit without a price", { orderType: OrderType.LMT }],
    ["a stop whose price is NaN", { orderType: OrderType.STP, auxPrice: Number.NaN }],
    ["a trailing stop", { orderType: OrderType.TRAIL, auxPrice: 10 }],
    ["no type", {}],
  ])("%s is none of ours", (_name, order) => {
    expect(orderKind(order as Order, MES)).toBeNull();
  });
});

test.each([
  ["BUY", "buy"],
  ["BOT", "buy"],
  ["SELL", "sell"],
  ["SLD", "sell"],
  ["SSHORT", "sell"],
] as const)("%s is the side %s", (word, ours) => {
  expect(side(word)).toBe(ours);
});

test("a side and its word are each other's", () => {
  expect([action("buy"), action("sell")]).toEqual([OrderAction.BUY, OrderAction.SELL]);
  expect([side(action("buy")), side(action("sell"))]).toEqual(["buy", "sell"]);
});

test("an order that lacks every field becomes a pending one of nobody", () => {
  expect(brokerOrder(7, {}, {} as Order, undefined, MES)).toEqual({
    orderRef: "",
    orderId: 7,
    clientId: 0,
    permId: 0,
    conId: 0,
    side: "sell",
    quantity: 0,
    filled: 0,
    kind: null,
    state: "pending",
  });
});

describe("an execution", () => {
  const execution = {
    execId: "0000e0d5.6797a2c1.01.01",
    time: "20260105 09:30:00 US/Eastern",
    side: "BOT",
    shares: 2,
    price: 6_021.25,
    permId: 11,
    orderId: 7,
    orderRef: "QS1-abcd-260105-1-E",
  };

  test("becomes a fill in ticks, at its own zone's time", () => {
    expect(brokerFill({ conId: 42 }, execution, MES, "US/Central")).toEqual({
      execId: "0000e0d5.6797a2c1.01.01",
      orderRef: "QS1-abcd-260105-1-E",
      orderId: 7,
      permId: 11,
      conId: 42,
      side: "buy",
      quantity: 2,
      priceTicks: 24_085,
      filledAtMs: 1_767_623_400_000,
    });
  });

  test.each([
    ["id", { execId: undefined }],
    ["size", { shares: undefined }],
    ["price", { price: undefined }],
    ["sensible price", { price: -1 }],
  ])("without a %s is no fill", (_name, missing) => {
    expect(brokerFill({ conId: 42 }, { ...execution, ...missing } as never, MES, "US/Central")).toBeNull();
  });
});

describe("the time of an execution", () => {
  test.each([
    ["20260105 09:30:00 US/Eastern", "US/Central", 1_767_623_400_000],
    ["20260105 08:30:00 America/Chicago", "utc", 1_767_623_400_000],
    ["20260105  08:30:00", "US/Central", 1_767_623_400_000],
    ["20260105-14:30:00", "utc", 1_767_623_400_000],
    ["20260706 09:30:00 US/Eastern", "US/Central", 1_783_344_600_000],
  ])('"%s" read in %s', (text, zone, atMs) => {
    expect(executionTimeMs(text, zone)).toBe(atMs);
  });

  test.each(["", "yesterday", "20260105", "20260105 25:00:00", "20260105 09:30:00 Mars/Olympus"])(
    '"%s" is none',
    (text) => {
      expect(executionTimeMs(text, "US/Central")).toBeNull();
    },
  );
});
