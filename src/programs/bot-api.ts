// `npm run bot-api`: the local Bot API server with its chat page, alone.
import { wallClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { PortBusyError, startBotApiServer } from "../simulators/telegram/index.ts";
import { badInput, DONE } from "./exit.ts";
import { stopSignal } from "./stop-signal.ts";

const OWNER = { id: 424_242, name: "You" };

/** Serves until a signal. */
export async function botApi(options: {
  readonly port: number;
  readonly record: string | null;
  readonly state: string | null;
  readonly token: string | null;
}): Promise<number> {
  const log = createLog({ level: "info", format: process.stderr.isTTY === true ? "pretty" : "json" });
  const server = await startBotApiServer({
    port: options.port,
    clock: wallClock,
    ...(options.token === null ? {} : { token: options.token }),
    ...(options.record === null ? {} : { recordFile: options.record }),
    ...(options.state === null ? {} : { stateFile: options.state }),
    owner: OWNER,
    banner: "SIMULATION · local Bot API server, not Telegram",
    log,
  }).catch((thrown: unknown) => {
    throw thrown instanceof PortBusyError ? badInput(thrown.message) : thrown;
  });
  process.stdout.write(
    `Local Bot API server · SIMULATION\n  Chat page  ${server.url}/\n  API root   ${server.url}\n  Token      ${server.token}\n  Chat id    ${OWNER.id}\nCtrl-C stops it.\n`,
  );
  await stopSignal();
  await server.close();
  return DONE;
}
