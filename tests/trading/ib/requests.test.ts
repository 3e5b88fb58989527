// Questions to the broker and how each of them ends: by its end marker, a refusal, its deadline, or the connection's end.
import { expect, test } from "vitest";
import { createRequests, REQUEST_ID_FIRST } from "../../../src/trading/ib/requests.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const WAIT_MS = 5_000;
const asked = (): boolean => true;

test("a question gathers rows until its end marker, in order", async () => {
  const requests = createRequests(createFakeClock(0));
  const answer = requests.open<string>(7, WAIT_MS, asked);

  requests.add(7, "first");
  requests.add(7, "second");
  requests.end(7);

  expect(await answer).toEqual({ ok: true, value: ["first", "second"] });
  expect(requests.isOpen(7)).toBe(false);
});

test.each([
  { atMs: WAIT_MS - 1, isOpen: true },
  { atMs: WAIT_MS, isOpen: false },
])("at $atMs of 5000 ms a question is open: $isOpen", ({ atMs, isOpen }) => {
  const clock = createFakeClock(0);
  const requests = createRequests(clock);
  void requests.open(7, WAIT_MS, asked);

  clock.advance(atMs);

  expect(requests.isOpen(7)).toBe(isOpen);
});

test("the deadline says how long it waited, and late rows belong to nobody", async () => {
  const clock = createFakeClock(0);
  const requests = createRequests(clock);
  const answer = requests.open<string>(7, WAIT_MS, asked);
  requests.add(7, "early");

  clock.advance(WAIT_MS);

  expect(await answer).toEqual({ ok: false, error: { type: "timed_out", afterMs: WAIT_MS } });
  expect(requests.add(7, "late")).toBe(false);
  requests.end(7);
});

test("an answered question leaves no timer behind", async () => {
  const clock = createFakeClock(0);
  const requests = createRequests(clock);
  const answer = requests.open(7, WAIT_MS, asked);

  requests.end(7);
  await answer;

  expect(clock.waiting()).toBe(0);
});

test("a second question of the same kind joins the first and asks nothing", async () => {
  const requests = createRequests(createFakeClock(0));
  let asks = 0;
  const ask = (): boolean => ++asks > 0;

  const both = Promise.all([requests.open("positions", WAIT_MS, ask), requests.open("positions", WAIT_MS, ask)]);
  requests.add("positions", "row");
  requests.end("positions");

  expect(await both).toEqual([
    { ok: true, value: ["row"] },
    { ok: true, value: ["row"] },
  ]);
  expect(asks).toBe(1);
});

test("after its end a question of the same kind is asked anew", async () => {
  const requests = createRequests(createFakeClock(0));
  const first = requests.open("positions", WAIT_MS, asked);
  requests.end("positions");
  await first;

  const second = requests.open("positions", WAIT_MS, asked);
  requests.add("positions", "new row");
  requests.end("positions");

  expect(await second).toEqual({ ok: true, value: ["new row"] });
});

test("a refusal carries the broker's code and words", async () => {
  const requests = createRequests(createFakeClock(0));
  const answer = requests.open(7, WAIT_MS, asked);

  expect(requests.refuse(7, 200, "No security definition")).toBe(true);

  expect(await answer).toEqual({ ok: false, error: { type: "refused", code: 200, text: "No security definition" } });
  expect(requests.refuse(7, 200, "again")).toBe(false);
});

test("a question that may not be sent is refused at once", async () => {
  const clock = createFakeClock(0);
  const requests = createRequests(clock);

  const answer = await requests.open(7, WAIT_MS, () => false);

  expect(answer).toMatchObject({ ok: false, error: { type: "refused", code: 100 } });
  expect(clock.waiting()).toBe(0);
});

test("the end of the connection fails every open question with its cause", async () => {
  const requests = createRequests(createFakeClock(0));
  const answers = Promise.all([requests.open(7, WAIT_MS, asked), requests.open("positions", WAIT_MS, asked)]);

  requests.clear("the cable was pulled");

  const down = { ok: false, error: { type: "link_down", detail: "the cable was pulled" } };
  expect(await answers).toEqual([down, down]);
});

test("request ids start above every order id and never repeat", () => {
  const requests = createRequests(createFakeClock(0));

  const ids = [requests.nextId(), requests.nextId(), requests.nextId()];

  expect(ids[0]).toBeGreaterThanOrEqual(REQUEST_ID_FIRST);
  expect(new Set(ids).size).toBe(3);
});
