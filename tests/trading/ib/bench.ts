// A gateway of ours against the gateway of bytes, on a clock moved by hand.
import { onTestFinished } from "vitest";
import { silentLog } from "../../../src/log.ts";
import type { Gateway } from "../../../src/trading/gateway.ts";
import { createIbGateway, type IbGatewayOptions } from "../../../src/trading/ib/index.ts";
import { createFakeClock, FAKE_START_MS, type FakeClock } from "../../support/fake-clock.ts";
import { createRecorder, type Recorder } from "../../support/recorder.ts";
import type { RawClient } from "./raw-gateway.ts";

/** Is our side. */
export type Bench = {
  readonly gateway: Gateway;
  readonly clock: FakeClock;
  readonly told: Recorder;
  /** What `onRefused` was told, "control: detail" each. */
  readonly refused: readonly string[];
};

/** Returns a gateway for `port`, not connected; it is closed when the test ends. */
export function startBench(port: number, options: Partial<IbGatewayOptions> = {}): Bench {
  const clock = createFakeClock();
  const told = createRecorder();
  const refused: string[] = [];
  const gateway = createIbGateway({
    host: "127.0.0.1",
    port,
    clientId: 7,
    account: null,
    live: false,
    timesRealTime: 1,
    wall: clock,
    clock,
    random: () => 0.5,
    log: silentLog,
    onRefused: (control, detail) => refused.push(`${control}: ${detail}`),
    ...options,
  });
  gateway.listen(told.take);
  onTestFinished(() => gateway.close());
  return { gateway, clock, told, refused };
}

/** Answers each question for the time, as a gateway that lives. */
export function keepAlive(client: RawClient): void {
  client.respond(49, () => client.send(49, 1, Math.floor(FAKE_START_MS / 1_000)));
}

/** Answers questions for contract details with MES of December 2026 and March 2027, or the one that is asked for. */
export function listMes(client: RawClient): void {
  client.respond(9, (fields) => {
    const [requestId, month] = [fields[2] as string, fields[6] as string];
    for (const details of [MES_Z6, MES_H7]) if (details[2].startsWith(month)) client.send(10, requestId, ...details);
    client.send(52, 1, requestId);
  });
}

/** How MES is meant in questions. */
export const MES_QUERY = { symbol: "MES", exchange: "CME", currency: "USD", month: "auto", rollDaysBefore: 8 } as const;
/** The broker's id of MES of December 2026 here. */
export const MES_CON_ID = 730_283_085;

type Details = readonly [symbol: string, secType: string, lastTradeDate: string, ...rest: (string | number)[]];

/** Contract details of server version 178, field by field. */
const mes = (lastTradeDate: string, localSymbol: string, conId: number): Details => [
  ...(["MES", "FUT", lastTradeDate] as const),
  ...[0, "", "CME", "USD", localSymbol, "MES", "MES", conId, 0.25, 5],
  ...["LMT,MKT,STP", "CME", 1, 362_687_422, "Micro E-mini S&P 500", "", lastTradeDate.slice(0, 6), "", "", ""],
  ...["US/Central", "20261124:1700-20261125:1600;20261125:1700-20261126:1200", "20261125:0830-20261125:1500"],
  ...["", 0, 0, 2_147_483_647, "MES", "IND", "67", lastTradeDate, "", 1, 1, 1],
];
const MES_Z6 = mes("20261218", "MESZ6", MES_CON_ID);
const MES_H7 = mes("20270319", "MESH7", MES_CON_ID + 1);
