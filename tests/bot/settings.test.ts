// The conversation about settings: every step, every wrong turn, two owners, restart, update and time-out.
import { expect, test } from "vitest";
import { ANNA, BEN, type Stage, startStage } from "./stage.ts";

async function say(stage: Stage, text: string, from: number = ANNA.id): Promise<string> {
  const before = stage.telegram.texts(from).length;
  stage.telegram.say(text, from);
  await stage.until(() => stage.telegram.texts(from).length > before, `an answer to ${text}`);
  await stage.rest();
  return stage.telegram.last(from).text;
}

async function press(stage: Stage, label: string, from: number = ANNA.id): Promise<string> {
  const message = [...stage.telegram.messages]
    .reverse()
    .find((one) => one.chat === from && one.buttons.some((button) => button.text === label));
  const edits = message?.edits ?? 0;
  stage.telegram.press(label, from);
  await stage.until(() => (message?.edits ?? 0) > edits, `an answer to the press of ${label}`);
  await stage.rest();
  return message?.text ?? "";
}

test("from /config through group, parameter and value to a preview, applied by a tap, and undone by another", async () => {
  const stage = await startStage();

  expect(await say(stage, "/config")).toContain("Which part do you want to change?");
  expect(await press(stage, "Strategy")).toContain("window: 60 bars");
  expect(await press(stage, "window")).toContain("Send window (5–10,000 bars). Now 60 bars. /cancel to leave.");
  const preview = await say(stage, "90");
  const applied = await press(stage, "Apply");
  stage.telegram.press("Undo", ANNA.id);
  await stage.until(() => stage.telegram.last(ANNA.id).text.includes("Take the last change back"));
  await press(stage, "Apply");

  expect(preview).toContain("Change settings? r41 → r42");
  expect(preview).toContain("window: 60 bars → 90 bars");
  expect(preview).toContain("Valid 5 min, for @anna only.");
  expect(applied).toContain("✅ PAPER · Applied r42");
  expect(stage.desk.commands).toEqual(["set strategy.window=90", "set strategy.window=60 bars"]);
  expect(stage.desk.previewConfig([{ path: "strategy.window", text: "61" }])).toMatchObject({
    ok: true,
    value: { nextRevision: 44 },
  });
});

test("a value that is not understood is asked for again with what is wrong, five times at most", async () => {
  const stage = await startStage();
  await say(stage, "/set window 90");
  await press(stage, "Change value");

  const first = await say(stage, "45.5");
  for (const text of ["four", "3", "2,000.5"]) await say(stage, text);
  const last = await say(stage, "-1");
  const after = await say(stage, "60");

  expect(first).toMatch(/45\.5 is not a whole number of bars/);
  expect(last).toContain("5th try: left, nothing changed");
  expect(after).toContain("Plain text does nothing here.");
});

test("/set key value goes straight to the preview, in the units people write", async () => {
  const stage = await startStage();

  const preview = await say(stage, "/set stop $150");

  expect(preview).toMatch(/stop: \$200\.00 \(160 t\) → \$150\.00 \(120 t\)/);
});

test.each([
  ["/set", "Change one: /set window 90"],
  ["/set widow 90", "Did you mean window?"],
  ["/set ibkr.port 4001", "is changed in the file"],
  ["/set window", "window is 60 bars"],
  ["/set __proto__ 1", "is not a setting"],
])("%s is answered with %s", async (text, says) => {
  const stage = await startStage();

  expect(await say(stage, text)).toContain(says);
  expect(stage.desk.commands).toEqual([]);
});

test("in the middle of an edit /status is answered and the edit goes on", async () => {
  const stage = await startStage();
  await say(stage, "/config strategy");
  await press(stage, "window");

  const status = await say(stage, "/status");
  const preview = await say(stage, "90");

  expect(status).toContain("TRADING");
  expect(preview).toContain("60 bars → 90 bars");
});

test.each([
  ["/pause", "pause"],
  ["/halt", "halt: by command"],
])("in the middle of an edit %s is obeyed, never taken for the value, and the edit is left", async (text, command) => {
  const stage = await startStage();
  await say(stage, "/config strategy");
  await press(stage, "window");

  await say(stage, text);
  await stage.until(() => stage.telegram.last(ANNA.id).text.includes("The edit of window was left"));
  const after = await say(stage, "90");

  expect(stage.desk.commands).toEqual([command]);
  expect(after).toContain("Plain text does nothing here.");
});

test("in the middle of an edit a report is answered too", async () => {
  const stage = await startStage();
  await say(stage, "/config strategy");
  await press(stage, "window");

  expect(await say(stage, "/pnl")).toContain("net");
  expect(await say(stage, "90")).toContain("60 bars → 90 bars");
});

test("/cancel says what was dropped", async () => {
  const stage = await startStage();
  await say(stage, "/config strategy");
  await press(stage, "window");

  expect(await say(stage, "/cancel")).toBe("Left the edit of window; nothing changed.");
  expect(await say(stage, "/cancel")).toBe("No dialogue is open; nothing to cancel.");
});

test("a sticker or a forwarded text is not a value", async () => {
  const stage = await startStage();
  await say(stage, "/config strategy");
  await press(stage, "window");
  const before = stage.telegram.texts(ANNA.id).length;

  stage.telegram.say("90", ANNA.id, {
    more: { forward_origin: { type: "hidden_user", sender_user_name: "x", date: 1 } },
  });
  await stage.until(() => stage.telegram.texts(ANNA.id).length > before);

  expect(stage.telegram.last(ANNA.id).text).toContain("Please send the value as text.");
});

test("text while Apply waits is a new value", async () => {
  const stage = await startStage();
  await say(stage, "/set window 90");

  expect(await say(stage, "120")).toContain("60 bars → 120 bars");
});

test("a button of an older step says that it is expired", async () => {
  const stage = await startStage();
  await say(stage, "/config");
  const old = stage.telegram.last(ANNA.id);
  const stale = old.buttons[0]?.data ?? "";
  await say(stage, "/config risk");

  stage.telegram.pressData(stale, old.id, ANNA.id);
  await stage.until(() => stage.telegram.pressAnswers.length === 1);

  expect(stage.telegram.pressAnswers).toEqual(["Expired, nothing done"]);
});

test("of two owners the slower one sees who came first and a fresh preview", async () => {
  const stage = await startStage();
  await say(stage, "/set window 90", ANNA.id);
  await say(stage, "/set window 120", BEN.id);
  await press(stage, "Apply", BEN.id);

  const outdated = await press(stage, "Apply", ANNA.id);
  const applied = await press(stage, "Apply", ANNA.id);

  expect(outdated).toContain("r42 by @ben came first:");
  expect(outdated).toContain("120 bars → 90 bars");
  expect(applied).toContain("Applied r43");
});

test("after five idle minutes the message says that it timed out, and text is no value any more", async () => {
  const stage = await startStage();
  await say(stage, "/config strategy");
  await press(stage, "window");

  await stage.pass(301_000);
  const timedOut = stage.telegram.last(ANNA.id).text;

  expect(timedOut).toBe("Timed out, nothing changed.");
  expect(await say(stage, "90")).toContain("Plain text does nothing here.");
});

test("a restart in the middle says what is still open, and the value that follows is taken", async () => {
  const first = await startStage();
  await say(first, "/config strategy");
  await press(first, "window");
  await first.stop();

  const second = await startStage({ from: first });
  await second.until(() => second.telegram.last(ANNA.id).text.includes("Still editing"));
  const still = second.telegram.last(ANNA.id).text;
  const preview = await say(second, "90");

  expect(still).toBe("Still editing window (r41). Send a value or /cancel.");
  expect(preview).toContain("60 bars → 90 bars");
});

test("an update of the program drops an open edit and says so", async () => {
  const first = await startStage();
  await say(first, "/config strategy");
  await press(first, "window");
  await first.stop();

  const second = await startStage({ from: first, dialogueVersion: 2 });
  await second.until(() => second.telegram.last(ANNA.id).text.includes("dropped"));

  expect(second.telegram.last(ANNA.id).text).toBe("Your edit was dropped by an update; nothing changed.");
  expect(second.telegram.last(ANNA.id).buttons.map((button) => button.text)).toEqual(["Start again"]);
  expect(await say(second, "90")).toContain("Plain text does nothing here.");
});

test("/history says who changed what", async () => {
  const stage = await startStage();
  await say(stage, "/set window 90");
  await press(stage, "Apply");

  const history = await say(stage, "/history");

  expect(history).toContain("r42");
  expect(history).toContain("by anna");
  expect(history).toContain("strategy.window: 60 bars → 90 bars");
});
