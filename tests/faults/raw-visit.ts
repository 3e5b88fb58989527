// A raw TCP client's visit to a gateway with a fault script: it speaks bytes, knows no library, and writes down what
// reaches it and when. Clock and market stand still but for its steps.
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { silentLog } from "../../src/log.ts";
import { startGatewayServer } from "../../src/simulators/ib-gateway/index.ts";
import { fixedMarket } from "../simulators/ib-gateway/fixed-market.ts";
import { frame } from "../simulators/ib-gateway/raw-client.ts";
import { START_MS } from "../simulators/ib-gateway/rig.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { watchRest } from "../support/sockets.ts";

/** The folder of the scripts. */
export const SCRIPTS = join(import.meta.dirname, "scripts");

/** Is one thing that the client saw; times are in milliseconds since the start. */
export type Seen =
  | { readonly atMs: number; readonly what: "connected" | "refused" | "ended" | "reset" }
  /** A message: its number and fields as they came, without the number. */
  | { readonly atMs: number; readonly what: "frame"; readonly id: number; readonly fields: readonly string[] }
  /** Bytes that are in no frame when the line ends. */
  | { readonly atMs: number; readonly what: "rest"; readonly bytes: Buffer };

/** Is what a visit brought. */
export type Visit = {
  readonly seen: readonly Seen[];
  /** Lengths of the pieces in which bytes came, with their times. */
  readonly pieces: readonly { readonly atMs: number; readonly bytes: number }[];
  /** Is what the gateway says of itself at the end. */
  readonly state: {
    readonly positions: readonly { readonly position: number }[];
    readonly orders: readonly object[];
    readonly faultsWaiting: readonly object[];
  };
  /** Returns the messages of a number, as fields. */
  frames(id: number): readonly (readonly string[])[];
  /** Returns the times of what was seen. */
  times(what: Seen["what"]): readonly number[];
};

/** Is when the client places its bracket: a market order to buy with a target and a stop 40 ticks away. */
export const BRACKET_AT_MS = 20_000;
const STEP_MS = 500;
const PING_MS = 5_000;
const RETRY_MS = 1_000;

/** Runs a script over `forMs` with `quantity` contracts in the client's bracket. */
export async function visit(script: string, forMs: number, quantity = 1): Promise<Visit> {
  const clock = createFakeClock(START_MS);
  const market = fixedMarket(START_MS);
  for (let atMs = STEP_MS / 2; atMs <= forMs; atMs += STEP_MS)
    market.tick(START_MS + atMs, 20_000 + ((atMs / STEP_MS) % 2 < 1 ? 0 : 1));
  const rest = watchRest();
  const server = await startGatewayServer({
    port: 0,
    httpPort: null,
    clock,
    wall: clock,
    source: market,
    hours: "exchange",
    symbol: "MES",
    account: "DU1234567",
    latencyMs: 0,
    extraSlippageTicks: 0,
    startCashUsd: 100_000,
    speed: 0,
    seed: 1,
    ledgerFile: null,
    stateFile: null,
    scriptFile: join(SCRIPTS, script),
    log: silentLog,
  });
  const seen: Seen[] = [];
  const pieces: { atMs: number; bytes: number }[] = [];
  const now = (): number => clock.nowMs() - START_MS;
  let socket: Socket | null = null;
  let nextTryMs = 0;

  const open = (): void => {
    const line = connect(server.port, "127.0.0.1");
    socket = line;
    let held = Buffer.alloc(0);
    let isBroken = false;
    let isReset = false;
    let isOpen = false;
    line.on("connect", () => {
      isOpen = true;
      seen.push({ atMs: now(), what: "connected" });
      line.write(Buffer.concat([Buffer.from("API\0"), frame("v157..178")]));
      send(71, 2, 5, "");
    });
    line.on("data", (piece: Buffer) => {
      pieces.push({ atMs: now(), bytes: piece.length });
      held = Buffer.concat([held, piece]);
      while (!isBroken && held.length >= 4) {
        const length = held.readInt32BE(0);
        if (length <= 0 || length > 1_048_576) {
          isBroken = true;
          // A real client would be lost here; this one comes again.
          line.destroy();
        }
        if (isBroken || held.length < 4 + length) break;
        const [id, ...fields] = held
          .toString("utf8", 4, 4 + length)
          .split("\0")
          .slice(0, -1);
        held = held.subarray(4 + length);
        seen.push({ atMs: now(), what: "frame", id: Number(id), fields });
      }
    });
    line.on("error", (error: NodeJS.ErrnoException) => {
      isReset = error.code === "ECONNRESET";
    });
    line.on("close", () => {
      if (held.length > 0) seen.push({ atMs: now(), what: "rest", bytes: held });
      seen.push({ atMs: now(), what: isOpen ? (isReset ? "reset" : "ended") : "refused" });
      socket = null;
      nextTryMs = now() + RETRY_MS;
    });
  };
  const send = (...fields: readonly (string | number)[]): void => {
    if (socket?.writable === true) socket.write(frame(`${fields.join("\0")}\0`));
  };
  const hasId = (): boolean => seen.findLast((one) => one.what === "connected" || isNextId(one))?.what === "frame";

  let isAsked = false;
  let isPlaced = false;
  try {
    for (let atMs = 0; atMs <= forMs; atMs += STEP_MS) {
      if (socket === null && now() >= nextTryMs) {
        isAsked = false;
        open();
      }
      await rest.quiet();
      if (socket !== null && hasId() && !isAsked) {
        isAsked = true;
        for (const kind of ["Last", "BidAsk"]) send(97, kind === "Last" ? 1 : 2, ...MES, kind, 0, 0);
        send(61, 1);
        send(16, 1);
        send(7, 3, 3, 0, "", "", "", "", "", "");
      }
      if (atMs >= BRACKET_AT_MS && !isPlaced && socket !== null && hasId()) {
        isPlaced = true;
        send(...order(101, 0, "BUY", quantity, "MKT", 0, false));
        send(...order(102, 101, "SELL", quantity, "LMT", 5_010, false));
        send(...order(103, 101, "SELL", quantity, "STP", 4_990, true));
      }
      if (atMs % PING_MS === 0) send(49, 1);
      await rest.quiet();
      clock.advance(STEP_MS);
      await server.stepTo(clock.nowMs());
      await rest.quiet();
    }
    // The end of the server is no part of the visit.
    const all = [...seen];
    return {
      seen: all,
      pieces,
      state: server.state() as Visit["state"],
      frames: (id) => all.flatMap((one) => (one.what === "frame" && one.id === id ? [one.fields] : [])),
      times: (what) => all.flatMap((one) => (one.what === what ? [one.atMs] : [])),
    };
  } finally {
    (socket as Socket | null)?.destroy();
    await server.stop();
    rest.stop();
  }
}

const isNextId = (one: Seen): boolean => one.what === "frame" && one.id === 9;
/** The front month of the market, as a request names it. */
const MES = [0, "MES", "FUT", "202603", 0, "", "", "CME", "", "USD", "", ""] as const;
const NONE = Number.MAX_VALUE;

/** Returns a placeOrder message of server version 178 (protocol note, section 5). */
function order(
  orderId: number,
  parentId: number,
  action: "BUY" | "SELL",
  quantity: number,
  type: "MKT" | "LMT" | "STP",
  price: number,
  transmit: boolean,
): readonly (string | number)[] {
  const blank = (count: number): readonly string[] => new Array<string>(count).fill("");
  return [
    ...[3, orderId, ...MES, "", ""],
    ...[action, quantity, type, type === "LMT" ? price : NONE, type === "STP" ? price : NONE, "GTC"],
    ...["", "", "O", 0, `RAW-${orderId}`, transmit ? 1 : 0, parentId, 0, 0, 0, 0, 1, 0],
    ...["", 0, "", "", "", "", "", "", 0, "", -1],
    ...[1, "", "", 0, "", ...blank(10), 0, "", ""],
    ...["", "", 0, "", "", "", "", "", "", "", "", ""],
    ...["", 0, "", "", 0, 0, "", "", 0, "", 0, 0, 0, 0],
  ];
}
