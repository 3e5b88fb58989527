// Judges the evidence of a run by the invariants of the reliability note. But for the replay it knows the formats only:
// ledger, journal dump, record of Bot API calls. Each returns what is wrong, one sentence each; none where all is well.
import { createEngine } from "../../src/engine.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { createReplay } from "../../src/trading/resume.ts";
import type { Evidence, Line } from "./bot-run.ts";

/** Is what a run may claim for itself. */
export type Terms = {
  /** Most contracts that may ever be held, working orders included. */
  readonly positionMax: number;
  /** False where the chat did not work all the time: criticals are then only to arrive, not within 5 s. */
  readonly isChatUp: boolean;
};

/** Returns every break of an invariant in a run, each beginning with the invariant's name. */
export function breaks(evidence: Evidence, terms: Terms): readonly string[] {
  return [
    ...(evidence.fault === null ? [] : [`the loop has stopped: ${evidence.fault.message}`]),
    ...samePosition(evidence).map((what) => `I1: ${what}`),
    ...[...protectedAtEnd(evidence), ...protectedAlways(evidence)].map((what) => `protection: ${what}`),
    ...worstCase(evidence, terms).map((what) => `I2: ${what}`),
    ...intentFirst(evidence).map((what) => `I3: ${what}`),
    ...noRisk(evidence).map((what) => `I4: ${what}`),
    ...countedOnce(evidence).map((what) => `I5: ${what}`),
    ...delivered(evidence, terms).map((what) => `I6: ${what}`),
    ...flattened(evidence).map((what) => `I8: ${what}`),
    ...replayed(evidence).map((what) => `I11: ${what}`),
  ];
}

const isOwn = (ref: unknown): boolean => typeof ref === "string" && ref.startsWith("QS1-");
const legOf = (ref: string): string => ref.slice(ref.lastIndexOf("-") + 1);
const signed = (line: Line): number => (line["action"] === "BUY" ? 1 : -1) * line["quantity"];
const at = (evidence: Evidence, atMs: number): string => `at ${(atMs - evidence.startMs) / 1_000} s`;
/** Returns by how much a ledger line of ours changes the position: a fill by its contracts, a correction by what it adds. */
function movers(ledger: readonly Line[]): ReadonlyMap<Line, number> {
  const counted = new Map<string, number>();
  const moves = new Map<Line, number>();
  for (const line of ledger) {
    if ((line["type"] !== "fill" && line["type"] !== "correction") || !isOwn(line["orderRef"])) continue;
    const id = stem(line["execId"]);
    moves.set(line, signed(line) - (counted.get(id) ?? 0));
    counted.set(id, signed(line));
  }
  return moves;
}

const of = (lines: readonly Line[], type: string): readonly Line[] => lines.filter((line) => line["type"] === type);

/** I1: the broker, the journal and /status say the same, or entries are halted and a person was told. */
function samePosition(evidence: Evidence): readonly string[] {
  const broker = evidence.gateway.positions[0]?.position ?? 0;
  const counted = [...journalFills(evidence).values()].reduce((sum, fill) => sum + signedFill(fill), 0);
  const side = /^(?:\S+ )*?(LONG|SHORT|FLAT)(?: (\d+))?/m.exec(evidence.status);
  const told = side === null ? Number.NaN : (side[1] === "SHORT" ? -1 : 1) * Number(side[2] ?? 0);
  if (broker === counted && broker === told) return [];
  const alarmed = of(evidence.journal, "notice_queued").some((notice) => notice["class"] === "critical");
  const what = `the broker holds ${broker}, the journal's fills make ${counted}, /status says ${told}`;
  return evidence.posture === "halted" && alarmed ? [] : [`${what}, and the posture is ${evidence.posture}`];
}

/** A position has its stop at the broker, of its size; without one nothing of ours works there. */
function protectedAtEnd(evidence: Evidence): readonly string[] {
  const own = evidence.gateway.orders.filter((order) => isOwn(order["orderRef"]));
  const position = evidence.gateway.positions[0]?.position ?? 0;
  const ours = [...movers(evidence.ledger).values()].reduce((sum, move) => sum + move, 0);
  // What no order of ours explains is left alone until a person says what it is.
  if (position !== ours) return [];
  if (position === 0) return own.map((order) => `${order["orderRef"]} works although nothing is held`);
  const isStop = (order: Line): boolean =>
    order["kind"] === "stop" && order["isTransmitted"] === true && signed(order) === -position;
  return own.some(isStop) ? [] : [`${position} contracts are held without a stop of that size at the broker`];
}

/** How long a position may be without a stop at the broker while the link is up and nothing closes it. */
const BARE_MS_MAX = 5_000;

/** A position is never long without its stop while something could be done about it. */
function protectedAlways(evidence: Evidence): readonly string[] {
  // What no order of ours explains is left alone until a person says what it is.
  if (hasForeign(evidence)) return [];
  type Moment = { readonly atMs: number; readonly act: () => void };
  let position = 0;
  let isReady = false;
  let isClosing = false;
  const stops = new Set<string>();
  const moments: Moment[] = [
    ...evidence.ledger.map((line) => ({
      atMs: line["atMs"],
      act: () => {
        if (line["type"] === "position") position = line["position"];
        if (line["type"] !== "status" || !isOwn(line["orderRef"]) || legOf(line["orderRef"]) !== "S") return;
        if (["PreSubmitted", "Submitted"].includes(line["status"])) stops.add(line["orderRef"]);
        else stops.delete(line["orderRef"]);
      },
    })),
    ...evidence.journal.map((line) => ({
      atMs: line["atMs"],
      act: () => {
        if (line["type"] === "link_changed") isReady = false;
        if (line["type"] === "reconciled") isReady = true;
        if (line["type"] === "posture_changed") isClosing = line["to"] === "flattening";
        if (line["type"] === "intent" && legOf(line["orderRef"]) === "X") isClosing = true;
      },
    })),
  ].toSorted((a, b) => a.atMs - b.atMs);
  let bareSinceMs: number | null = null;
  let longest = { fromMs: 0, ms: 0 };
  for (const { atMs, act } of moments) {
    if (bareSinceMs !== null && atMs - bareSinceMs > longest.ms)
      longest = { fromMs: bareSinceMs, ms: atMs - bareSinceMs };
    act();
    if (position === 0) isClosing = false;
    const isBare = position !== 0 && stops.size === 0 && isReady && !isClosing;
    bareSinceMs = isBare ? (bareSinceMs ?? atMs) : null;
  }
  return longest.ms > BARE_MS_MAX
    ? [`held without a stop for ${longest.ms / 1_000} s from ${at(evidence, longest.fromMs).slice(3)} on`]
    : [];
}

/** Is true where hands other than ours changed the position: what closes it then is no longer a matter of our orders alone. */
function hasForeign({ ledger }: Evidence): boolean {
  return ledger.some(
    (line) =>
      (line["type"] === "fill" && !isOwn(line["orderRef"])) ||
      (line["type"] === "fault" && line["fault"] === "position_shift"),
  );
}

/** I2: position plus everything that may still fill never passes the limit; of a group only one counts. */
function worstCase(evidence: Evidence, { positionMax }: Terms): readonly string[] {
  if (hasForeign(evidence)) return [];
  const found: string[] = [];
  let position = 0;
  const working = new Map<number, { left: number }>();
  const moves = movers(evidence.ledger);
  // A correction of the size is the broker's deed: what it makes of the position is not ours to keep below the limit.
  if ([...moves].some(([line, move]) => line["type"] === "correction" && move !== 0)) return [];
  for (const line of evidence.ledger) {
    if (line["type"] === "order" && isOwn(line["orderRef"]) && legOf(line["orderRef"]) === "E")
      working.set(line["orderId"], { left: signed(line) });
    position += moves.get(line) ?? 0;
    if (line["type"] === "fill" && isOwn(line["orderRef"])) {
      const order = working.get(line["orderId"]);
      if (order !== undefined) order.left -= signed(line);
    }
    if (line["type"] === "status" && ["Filled", "Cancelled", "Inactive"].includes(line["status"]))
      working.delete(line["orderId"]);
    const entering = [...working.values()].reduce((sum, order) => sum + order.left, 0);
    const worst = Math.max(Math.abs(position), Math.abs(position + entering));
    if (worst > positionMax) found.push(`${worst} contracts may be held ${at(evidence, line["atMs"])}`);
  }
  return found.slice(0, 1);
}

const DEEDS: Readonly<Record<string, readonly string[]>> = {
  order: ["place"],
  swallowed: ["place", "modify"],
  modify: ["modify"],
  cancel: ["cancel"],
};

/** I3: each order and each change has its intent in the journal before, and none is sent twice. */
function intentFirst(evidence: Evidence): readonly string[] {
  const found: string[] = [];
  const left = new Map<string, number[]>();
  for (const intent of of(evidence.journal, "intent")) {
    const { action } = intent;
    const refs = action.do === "place" ? action.orders.map((order: Line) => order["orderRef"]) : [intent["orderRef"]];
    for (const ref of refs)
      left.set(`${action.do} ${ref}`, [...(left.get(`${action.do} ${ref}`) ?? []), intent["atMs"]]);
  }
  const use = (deed: string, line: Line): boolean => {
    const intents = left.get(`${deed} ${line["orderRef"]}`) ?? [];
    const intent = intents.findIndex((atMs) => atMs <= line["atMs"]);
    if (intent >= 0) intents.splice(intent, 1);
    return intent >= 0;
  };
  for (const line of evidence.ledger) {
    // What is swallowed may be an order or a change of one: the wire has one message for both.
    const deeds = DEEDS[line["type"]];
    if (deeds === undefined || !isOwn(line["orderRef"])) continue;
    if (!deeds.some((deed) => use(deed, line)))
      found.push(`${line["type"]} ${line["orderRef"]} ${at(evidence, line["atMs"])} has no intent left`);
  }
  return found;
}

/** I4: nothing that raises risk is decided or arrives while trading is off, the link is not up or not reconciled. */
function noRisk(evidence: Evidence): readonly string[] {
  const found: string[] = [];
  let posture = "paused";
  let isReady = false;
  const halts: number[] = [];
  for (const line of evidence.journal) {
    if (line["type"] === "posture_changed") {
      posture = line["to"];
      if (posture !== "trading") halts.push(line["atMs"]);
    }
    if (line["type"] === "link_changed") isReady = false;
    if (line["type"] === "reconciled") isReady = true;
    if (line["type"] !== "intent" || line["action"].do !== "place" || legOf(line["orderRef"]) !== "E") continue;
    if (posture !== "trading") found.push(`entry ${line["orderRef"]} ${at(evidence, line["atMs"])} while ${posture}`);
    if (!isReady) found.push(`entry ${line["orderRef"]} ${at(evidence, line["atMs"])} before the broker was asked`);
  }
  let position = 0;
  const moves = movers(evidence.ledger);
  for (const line of evidence.ledger) {
    position += moves.get(line) ?? (line["type"] === "fill" ? signed(line) : 0);
    if (line["type"] !== "order" || line["parentId"] !== 0 || line["whatIf"] || !isOwn(line["orderRef"])) continue;
    const raises = Math.abs(position + signed(line)) > Math.abs(position);
    if (raises && legOf(line["orderRef"]) !== "E")
      found.push(
        `${line["orderRef"]} ${at(evidence, line["atMs"])} is no entry and raises the position of ${position}`,
      );
    const intent = of(evidence.journal, "intent").find((one) => one["orderRef"] === line["orderRef"]);
    if (raises && halts.some((atMs) => atMs > (intent?.["atMs"] ?? 0) && atMs < line["atMs"]))
      found.push(`${line["orderRef"]} arrived ${at(evidence, line["atMs"])}, after trading was stopped`);
  }
  return found;
}

type Fill = {
  readonly execId: string;
  readonly side: "buy" | "sell";
  readonly quantity: number;
  readonly priceTicks: number;
};
const signedFill = (fill: Fill): number => (fill.side === "buy" ? 1 : -1) * fill.quantity;
const stem = (execId: string): string => execId.slice(0, execId.lastIndexOf("."));

/** Returns the executions that the journal knows, by the part of their id that a correction keeps. */
function journalFills(evidence: Evidence): ReadonlyMap<string, Fill> {
  const fills = new Map<string, Fill>();
  const take = (fill: Fill): void => {
    const known = fills.get(stem(fill.execId));
    if (known === undefined || fill.execId > known.execId) fills.set(stem(fill.execId), fill);
  };
  for (const line of evidence.journal) {
    if (line["type"] === "fill") take(line["fill"]);
    if (line["type"] === "reconciled") for (const fill of line["fills"]) take(fill);
  }
  return fills;
}

/** I5: what the ledger filled is known, and the trades make exactly its money. */
function countedOnce(evidence: Evidence): readonly string[] {
  const isForeign = hasForeign(evidence);
  const known = journalFills(evidence);
  const filled = new Map<string, Line>();
  for (const line of evidence.ledger) {
    if ((line["type"] === "fill" || line["type"] === "correction") && isOwn(line["orderRef"]))
      filled.set(stem(line["execId"]), line);
  }
  const unknown = [...filled.keys()].filter((id) => !known.has(id));
  const found = unknown.map((id) => `execution ${id} is not in the journal`);
  const position = [...filled.values()].reduce((sum, line) => sum + signed(line), 0);
  // A restated trade takes the place of the one that was told.
  const restated = new Map(of(evidence.journal, "round_trip_restated").map(({ trade }) => [trade.tradeId, trade]));
  const trips = of(evidence.journal, "round_trip").map(({ trade }) => restated.get(trade.tradeId) ?? trade);
  const contracts = trips.reduce((sum, trade) => sum + 2 * trade.quantity, 0) + Math.abs(position);
  const asFilled = [...filled.values()].reduce((sum, line) => sum + line["quantity"], 0);
  if (contracts !== asFilled && !isForeign)
    found.push(`trades and position make ${contracts} contracts of ${asFilled} that were filled`);
  const cashCents = Math.round([...filled.values()].reduce((sum, line) => sum - signed(line) * line["price"] * 500, 0));
  const grossCents = trips.reduce((sum, trade) => sum + trade.grossCents, 0);
  if (position === 0 && cashCents !== grossCents && !isForeign)
    found.push(`the trades made ${grossCents} cents, the broker's executions ${cashCents}`);
  return found;
}

/** I6: every notice that is not switched off has reached the chat; repeats say so. */
function delivered(evidence: Evidence, { isChatUp }: Terms): readonly string[] {
  const found: string[] = [];
  const sends = evidence.calls.filter((call) => call["method"] === "sendMessage");
  for (const notice of of(evidence.journal, "notice_queued")) {
    const id = notice["seq"];
    const name = `${notice["notice"].event} #${id}`;
    const dead = evidence.journal.find((line) => line["type"] === "notice_dead" && line["noticeId"] === id);
    const sent = evidence.journal.find((line) => line["type"] === "notice_sent" && line["noticeId"] === id);
    if (dead?.["reason"] === "switched off in the settings") continue;
    if (sent === undefined) {
      found.push(`${name} of class ${notice["class"]} was never delivered`);
      continue;
    }
    const call = sends.find((one) => one["answer"]?.result?.message_id === sent["messageId"]);
    if (call === undefined) found.push(`${name} is said to be sent, but the chat has no such message`);
    const lateMs = sent["atMs"] - notice["atMs"];
    if (isChatUp && notice["class"] === "critical" && !isFolded(evidence, notice) && lateMs > 5_000)
      found.push(`${name} is critical and came after ${lateMs / 1_000} s`);
    const told = sends.filter((one) => new RegExp(`#${id}\\b`).test(one["parameters"].text));
    const done = told.filter((one) => one["answer"]?.ok === true || one["answer"]?.fault === "drop");
    for (const again of done.slice(1)) {
      if (!/\(repeat\)/.test(again["parameters"].text)) found.push(`${name} came again without saying so`);
    }
  }
  return found;
}

/** Is true where the same key was told within the minute before: such notices are counted and told once a minute. */
function isFolded(evidence: Evidence, notice: Line): boolean {
  return of(evidence.journal, "notice_queued").some(
    (earlier) =>
      notice["dedupeKey"] !== null &&
      earlier["dedupeKey"] === notice["dedupeKey"] &&
      earlier["seq"] < notice["seq"] &&
      notice["atMs"] - earlier["atMs"] < 60_000,
  );
}

/** I8: a flatten ends flat within 20 s, or says loudly that it has not; the position never changes its sign. */
function flattened(evidence: Evidence): readonly string[] {
  const found: string[] = [];
  for (const begun of of(evidence.journal, "posture_changed").filter((line) => line["to"] === "flattening")) {
    const fromMs = begun["atMs"];
    // The broker's word: what was done by hand counts too.
    const held = of(evidence.ledger, "position");
    const before = held.findLast((line) => line["atMs"] <= fromMs)?.["position"] ?? 0;
    const after = held.filter((line) => line["atMs"] > fromMs);
    const flatMs =
      before === 0 ? fromMs : (after.find((line) => line["position"] === 0)?.["atMs"] ?? Number.POSITIVE_INFINITY);
    const reversed = after.find((line) => before !== 0 && Math.sign(line["position"]) === -Math.sign(before));
    if (reversed !== undefined) found.push(`reversed ${at(evidence, reversed["atMs"])}`);
    const loud = of(evidence.journal, "notice_queued").some(
      (line) =>
        line["class"] === "critical" &&
        line["atMs"] >= fromMs &&
        line["atMs"] <= fromMs + 25_000 &&
        ["not_flat", "in_doubt", "gateway_down"].includes(line["notice"].event),
    );
    if (flatMs > fromMs + 20_000 && !loud)
      found.push(`not flat in 20 s after ${at(evidence, fromMs)}, and nobody told`);
  }
  return found;
}

/** I11: the journal makes the same decisions again, byte for byte. */
function replayed({ dataDir }: Evidence): readonly string[] {
  if (dataDir === null) return [];
  const run = createReplay(createEngine(null));
  for (const record of readJournal(dataDir)) run.take(record);
  const { difference } = run.finish();
  return difference === null
    ? []
    : [`record ${difference.seq} is ${difference.recorded}, replayed ${difference.replayed}`];
}
