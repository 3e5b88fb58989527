import fc from "fast-check";
import { expect, test } from "vitest";
import { ascii, dollars, FieldProblem, plain, readFields } from "../../../src/simulators/ib-gateway/wire/fields.ts";
import { readPlaceOrder } from "../../../src/simulators/ib-gateway/wire/place-order.ts";

test.each(["", "1.7976931348623157E308", "1.7976931348623157e+308", "1.7976931348623157e308"])(
  "%j is a double that is not set",
  (text) => {
    expect(readFields([text], 0).decimalOrUnset("x")).toBeUndefined();
  },
);

test.each([
  ["6000.0", 6_000],
  ["-1", -1],
  [".25", 0.25],
  ["1e3", 1_000],
  ["Infinity", Number.POSITIVE_INFINITY],
])("%s is the number %d", (text, value) => {
  expect(readFields([text], 0).decimalOrUnset("x")).toBe(value);
});

test("the largest integer is an integer that is not set", () => {
  expect(readFields(["2147483647"], 0).integerOrUnset("x")).toBeUndefined();
});

test.each(["abc", "1,5", "0x10", "NaN", "1 2"])("%j is no number", (text) => {
  expect(() => readFields([text], 0).decimalOrUnset("x")).toThrow(FieldProblem);
});

test("a message that ends too early is a problem that names the field", () => {
  expect(() => readFields(["3"], 1).text("orderId")).toThrow("the message ends before orderId");
});

test("a printed price reads back as itself and has no exponent", () => {
  fc.assert(
    fc.property(fc.integer({ min: -4_000_000, max: 4_000_000 }), fc.constantFrom(0.25, 0.1, 1), (ticks, tick) => {
      const text = plain(ticks * tick);

      expect(text).toMatch(/^-?\d+(\.\d+)?$/);
      expect(Math.round(Number(text) / tick)).toBe(ticks);
    }),
  );
});

test.each([
  [0, "0.00"],
  [-57, "-0.57"],
  [1_000_000, "10000.00"],
])("%d cents are %s dollars", (cents, text) => {
  expect(dollars(cents)).toBe(text);
});

test("text in answers has nothing that ends a field or that an old client can't read", () => {
  expect(ascii("a\0b\nσ")).toBe("a?b??");
});

test("no message, however garbled, makes the order reader fail otherwise than by saying what is wrong", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom("", "0", "1", "5", "LMT", "1.79e308"), fc.string({ maxLength: 6 })), {
        maxLength: 160,
      }),
      (fields) => {
        try {
          readPlaceOrder(["3", ...fields], 178);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(FieldProblem);
        }
      },
    ),
    { numRuns: 500 },
  );
});
