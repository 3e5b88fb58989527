// The commands about the bot itself, and the list of all commands with what is near to a mistyped one.

import type { Role } from "../../config/schema.ts";
import { mayDo } from "../access.ts";
import { view } from "../context.ts";
import { commandHelpView, helpView, idView, startView } from "../views/about.ts";
import { rich } from "../views/rich.ts";
import { plain } from "../views/view.ts";
import type { Command } from "./command.ts";
import { LOOK } from "./look.ts";
import { RESULTS } from "./results.ts";
import { SETTINGS } from "./settings.ts";
import { STEER } from "./steer.ts";

const report = { kind: "report", isEmergency: false, role: "viewer", group: "About" } as const;

const ABOUT: readonly Command[] = [
  {
    ...report,
    name: "help",
    isEmergency: true,
    description: "List commands, or explain one",
    usage: "/help [command]",
    example: "/help flatten",
    does: "Lists what you may use, or explains one command.",
    run: async ({ room, caller, words }) => {
      const snap = room.desk.snapshot();
      const wanted = words[0]?.replace(/^\//, "").toLowerCase();
      if (wanted === undefined) return view(helpView(snap, commandsFor(caller.user.role), caller.user.role));
      const found = COMMANDS.find((command) => command.name === wanted);
      return found === undefined ? view(plain(rich(unknownText(wanted)))) : view(commandHelpView(snap, found));
    },
  },
  {
    ...report,
    name: "start",
    description: "Show this bot and your access",
    usage: "/start",
    example: "/start",
    does: "Says who you are here and what is true. It never starts trading.",
    run: async ({ room, caller }) => {
      const snap = room.desk.snapshot();
      return {
        type: "view",
        view: startView(snap, caller.user.name, caller.user.role),
        replyKeyboard: snap.settings.telegram.replyKeyboard,
      };
    },
  },
  {
    ...report,
    name: "id",
    description: "Your Telegram ids",
    usage: "/id",
    example: "/id",
    does: "Shows the ids that the configuration needs.",
    run: async ({ room, caller }) => view(idView(room.desk.snapshot(), { userId: caller.user.id, ...caller.place })),
  },
  {
    ...report,
    name: "cancel",
    isEmergency: true,
    description: "Leave the current dialogue",
    usage: "/cancel",
    example: "/cancel",
    does: "Ends the open dialogue and says what was dropped; harmless where there is none.",
    run: async ({ room, caller }) => {
      const subject = room.dialogues.end({ place: caller.place, personId: caller.user.id });
      return view(
        plain(
          rich(
            subject === null
              ? "No dialogue is open; nothing to cancel."
              : `Left the edit of ${subject}; nothing changed.`,
          ),
        ),
      );
    },
  },
];

/** Holds every command that there is, in the order of menu and help. */
export const COMMANDS: readonly Command[] = [...LOOK, ...RESULTS, ...STEER, ...SETTINGS, ...ABOUT];

/** Returns the commands that a role may use. */
export function commandsFor(role: Role): readonly Command[] {
  return COMMANDS.filter((command) => mayDo(role, command.role));
}

/** Returns the command of that name, or undefined. */
export function commandNamed(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}

/** Returns the sentence about a command that there is not, with the nearest that there is. */
export function unknownText(name: string): string {
  const distance = (one: string, other: string): number => {
    let row = Array.from({ length: other.length + 1 }, (_, column) => column);
    for (let at = 1; at <= one.length; at += 1) {
      const next = [at];
      for (let column = 1; column <= other.length; column += 1) {
        const isSame = one[at - 1] === other[column - 1];
        next.push(
          Math.min((row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1, (row[column - 1] ?? 0) + (isSame ? 0 : 1)),
        );
      }
      row = next;
    }
    return row.at(-1) ?? 0;
  };
  const [nearest] = COMMANDS.map((command) => ({
    name: command.name,
    far: distance(name.slice(0, 32), command.name),
  })).sort((one, other) => one.far - other.far);
  const isNear = nearest !== undefined && nearest.far <= Math.max(2, Math.floor(name.length / 3));
  return `There is no /${name.slice(0, 32)}.${isNear ? ` Did you mean /${nearest.name}?` : ""} /help lists what there is.`;
}
