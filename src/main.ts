// argv → one program → its exit code. Nothing else.
import { type Invocation, parseArguments } from "./cli.ts";
import { errorFields, redact } from "./log.ts";
import { BAD_INPUT, DONE, ExitError, FAULT } from "./programs/exit.ts";

process.umask(0o077);
const code = await main(parseArguments(process.argv.slice(2)));
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
// Ends whatever peers still hold open.
process.exit(code);

async function main(invocation: Invocation): Promise<number> {
  try {
    return await run(invocation);
  } catch (thrown) {
    if (thrown instanceof ExitError) {
      process.stderr.write(`${redact(withoutControls(thrown.message))}\n`);
      return thrown.code;
    }
    const { errorName, errorMessage, errorStack } = errorFields(thrown);
    process.stderr.write(
      `This is a fault of the program, not yours. ${errorName}: ${errorMessage}\n${errorStack ?? ""}\n`,
    );
    return FAULT;
  }
}

/** What a file or a person wrote may stand in a message: it must not steer the terminal. */
function withoutControls(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "\uFFFD");
}

async function run(invocation: Invocation): Promise<number> {
  switch (invocation.type) {
    case "help":
      process.stdout.write(`${invocation.text}\n`);
      return DONE;
    case "bad_arguments":
      process.stderr.write(`${invocation.text}\n`);
      return BAD_INPUT;
    case "start":
      return (await import("./programs/start.ts")).start(process.argv.slice(3));
    case "run":
      return (await import("./programs/run.ts")).run(invocation);
    case "simulate":
      return (await import("./programs/simulate.ts")).simulate(invocation);
    case "bot-api":
      return (await import("./programs/bot-api.ts")).botApi(invocation);
    case "backtest":
      return invocation.sweep.length > 0
        ? (await import("./programs/sweep.ts")).sweep(invocation)
        : (await import("./programs/backtest.ts")).backtest(invocation);
    case "zscore":
      return (await import("./programs/zscore.ts")).zscore(invocation);
    case "replay":
      return (await import("./programs/replay.ts")).replay(invocation.dataDir);
    case "journal":
      return (await import("./programs/journal.ts")).journal(invocation.verb, invocation.dataDir);
    case "flatten":
      return (await import("./programs/flatten.ts")).flatten(invocation);
    default:
      return invocation satisfies never;
  }
}
