// What a deliberate press does: each deed once, with the answer in the message that was pressed.

import type { Role } from "../config/schema.ts";
import { answerView } from "./commands/steer.ts";
import type { Call } from "./context.ts";
import { rich } from "./views/rich.ts";
import { appliedView, previewView, problemsText } from "./views/settings.ts";
import { type Deed, deed, PREVIEW_MS, plain, run, type View } from "./views/view.ts";
import { personName } from "./views/words.ts";

/** Returns the least role for a deed: rights may have changed since the button was shown. */
export function deedRole(what: Deed): Role {
  switch (what.verb) {
    case "flatten":
    case "resume":
      return "trader";
    case "arm":
    case "undo":
    case "pick":
      return "owner";
    case "dismiss":
      return "viewer";
    default:
      return what satisfies never;
  }
}

/** Does a deed and returns what its message says then; null where the message is kept up to date by somebody else. */
export async function perform(call: Call, what: Deed): Promise<View | null> {
  const { room, caller } = call;
  const { desk } = room;
  switch (what.verb) {
    case "flatten":
      await room.flattens.begin(caller);
      return null;
    case "resume": {
      const answer = await desk.resume(caller.origin);
      return answerView(desk.snapshot(), answer, null, [], [[run("Status", "/status"), run("Why", "/why")]]);
    }
    case "arm": {
      const answer = await desk.arm(caller.origin);
      return answerView(desk.snapshot(), answer, null, [], [[run("Status", "/status"), run("Why", "/why")]]);
    }
    case "dismiss":
      return plain(rich("Cancelled, nothing done."));
    case "undo": {
      const before = desk.previewConfig(what.changes);
      const answer = await desk.changeConfig(caller.origin, what.base, what.changes);
      if (answer.type === "applied") {
        const said = before.ok
          ? before.value.lines.map((line) => `${line.shortName ?? line.path}: ${line.old} → ${line.new}`)
          : [];
        return appliedView(desk.snapshot(), answer.revision, caller.user.name, said);
      }
      if (answer.type === "refused") return plain(rich(`Not taken back: ${problemsText(answer.problems)}`));
      const fresh = desk.previewUndo();
      if (fresh === null || !fresh.preview.ok)
        return plain(rich(`r${answer.revision} by @${personName(answer.by)} came first; nothing was taken back.`));
      const apply = { verb: "undo", base: desk.snapshot().revision, changes: fresh.changes } as const;
      return previewView(desk.snapshot(), fresh.preview.value, {
        name: caller.user.name,
        note: `r${answer.revision} by @${personName(answer.by)} came first:`,
        buttons: [[deed("Apply", apply, PREVIEW_MS)], [deed("Cancel", { verb: "dismiss" }, PREVIEW_MS)]],
      });
    }
    case "pick":
      // A step of a dialogue that is no longer open here.
      return plain(rich("Expired, nothing done. /config begins anew."));
    default:
      return what satisfies never;
  }
}
