// `npm run bot-api`: the local Bot API server with its chat page, alone.

import { accessSync, constants, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { wallClock } from "../clock.ts";
import { createLog, errorFields, keepSecret } from "../log.ts";
import { type Fault, parseScript } from "../simulators/telegram/faults.ts";
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
  readonly script: string | null;
}): Promise<number> {
  if (options.token !== null) takeToken(options.token);
  for (const file of [options.record, options.state]) if (file !== null) assertWritable(file);
  const faults = options.script === null ? [] : readScript(options.script);
  const log = createLog({ level: "info", format: process.stderr.isTTY === true ? "pretty" : "json" });
  const server = await startBotApiServer({
    port: options.port,
    clock: wallClock,
    ...(options.token === null ? {} : { token: options.token }),
    ...(options.record === null ? {} : { recordFile: options.record }),
    ...(options.state === null ? {} : { stateFile: options.state }),
    faults,
    owner: OWNER,
    banner: "SIMULATION · local Bot API server, not Telegram",
    log,
  }).catch((thrown: unknown) => {
    throw thrown instanceof PortBusyError ? badInput(thrown.message) : thrown;
  });
  process.stdout.write(
    `Local Bot API server · SIMULATION\n  Chat page  ${server.url}/\n  API root   ${server.url}\n  Token      ${options.token === null ? server.token : "the one given"}\n  Chat id    ${OWNER.id}\nCtrl-C stops it.\n`,
  );
  await stopSignal();
  await server.close();
  return DONE;
}

function takeToken(token: string): void {
  // Not repeated: it may be a real one.
  if (!/^\d{1,20}:[\w-]{10,100}$/.test(token))
    throw badInput("--token must be a token as BotFather gives it: digits, a colon, letters and digits.");
  keepSecret(token);
}

function readScript(path: string): readonly Fault[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    throw badInput(`The fault script ${path} can't be read: ${errorFields(thrown).errorMessage}.`);
  }
  const read = parseScript(text);
  if (read.ok) return read.value;
  const { line, reason } = read.error;
  throw badInput(`Line ${line} of the fault script ${path} is not understood: ${reason}.`);
}

function assertWritable(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (thrown) {
    throw badInput(`${file} can't be written: ${errorFields(thrown).errorMessage}. Name another file.`);
  }
}
