// The life of one /flatten in one message: question, progress, and the end that only the broker's own answer brings. Pure.
import type { DeskSnapshot } from "../../trading/desk.ts";
import { bold, lines, rich } from "./rich.ts";
import { type Button, deed, plain, run, type View } from "./view.ts";
import { counted, isLinkDown, money, positionText, postureWord, price, time } from "./words.ts";

/** Is one step that has happened, with its moment. */
export type Step = { readonly text: string; readonly atMs: number };

/** Returns the question; `late` is how a command that waited is introduced. */
export function flattenQuestion(snap: DeskSnapshot, late: string | null): View {
  const { position, orders } = snap.status;
  const signed = position?.position ?? 0;
  const ours = orders.filter((order) => order.leg !== null).length;
  const now = position === null ? "" : `, now ${money(position.openCents)}`;
  const closes = signed === 0 ? null : `${signed > 0 ? "sells" : "buys"} ${Math.abs(signed)} at market`;
  const cancels = ours === 0 ? null : `cancels ${counted(ours, "order")}`;
  const acts = [cancels, closes].filter((act) => act !== null).join(", ");
  const { questions } = snap.status;
  // Where the books differ our own figures would promise the wrong side.
  const does =
    questions.length > 0
      ? `The books differ: ${questions.join("; ")}. What the broker says then is closed at market.`
      : acts === ""
        ? "Nothing to close; entries are stopped."
        : `${acts.charAt(0).toUpperCase()}${acts.slice(1)}.`;
  const text = lines(
    rich("⚠️ ", bold(`${snap.badge} · FLATTEN?`)),
    late,
    `Position ${positionText(signed)} ${snap.contractName}${now} · ${counted(ours, "working order")}`,
    does,
    "Entries stay off until /resume.",
    ...linkWarning(snap),
    "Valid for 60 s.",
  );
  return { text, buttons: [[deed("Flatten now", { verb: "flatten" })], [deed("Cancel", { verb: "dismiss" })]] };
}

/** Returns the message while it is being closed. */
export function flattenProgress(snap: DeskSnapshot, startedAtMs: number, steps: readonly Step[]): View {
  return plain(
    lines(
      bold(`${snap.badge} · FLATTENING · ${time(snap, startedAtMs)}`),
      ...steps.map((step) => `✓ ${step.text} · ${time(snap, step.atMs, "tenth")}`),
      isLinkDown(snap.status) ? null : "… waiting for the broker's own word that it is flat",
      ...linkWarning(snap),
    ),
  );
}

/** Returns the good end. Only for the engine's `flat_confirmed`. */
export function flatVerified(snap: DeskSnapshot, netCents: number, steps: readonly Step[]): View {
  const { posture } = snap.status;
  const next =
    posture === "halted"
      ? "entries off until /arm"
      : posture === "trading"
        ? "entries allowed"
        : "entries off, /resume when ready";
  return {
    text: lines(
      rich("✅ ", bold(`${snap.badge} · FLAT – verified ${time(snap, snap.nowMs, "tenth")}`)),
      ...steps.map((step) => `✓ ${step.text} · ${time(snap, step.atMs, "tenth")}`),
      "Broker: position 0, no open orders of ours",
      `Result ${money(netCents)} net · ${next}`,
      `Posture ${postureWord(posture)}`,
    ),
    buttons: [[run("Status", "/status"), run("Trades", "/trades")]],
  };
}

/** Returns the bad end so far; the engine goes on trying. */
export function notFlat(snap: DeskSnapshot, seconds: number, detail: string, noticeId: number | null): View {
  const signed = snap.status.position?.position ?? 0;
  const working = snap.status.orders.filter((order) => order.leg !== null);
  const buttons: Button[][] = [[run("Retry", "/flatten"), run("Orders", "/orders")]];
  if (noticeId !== null) buttons.push([{ label: "Acknowledge", press: { type: "acknowledge", noticeId } }]);
  return {
    text: lines(
      rich("❌ ", bold(`${snap.badge} · NOT FLAT after ${seconds} s`)),
      `Our book: ${positionText(signed)} · ${counted(working.length, "working order")}`,
      ...working.slice(0, 3).map((order) => {
        const at =
          order.kind === null || order.kind.kind === "market"
            ? "market"
            : price(snap, order.kind.kind === "limit" ? order.kind.limitTicks : order.kind.stopTicks);
        return `  ${order.leg ?? "not ours"} ${order.side} ${order.quantity} ${at}: ${order.state.replaceAll("_", " ")}`;
      }),
      detail,
      ...linkWarning(snap),
    ),
    buttons,
  };
}

function linkWarning(snap: DeskSnapshot): readonly (string | null)[] {
  if (!isLinkDown(snap.status)) return [];
  const phone = snap.settings.ibkr.tradeDeskPhone;
  return [
    bold(`LINK DOWN since ${time(snap, snap.status.linkSinceMs)}: NOT flat.`).text,
    "Entries are blocked now; the close is the first thing done when the link is back, and is confirmed then.",
    `Sooner: close it in the broker's own app${phone === null ? "" : ` or call ${phone}`}.`,
  ];
}
