// The commands about settings. All changes end in the one preview that a person applies.
import { printValue, readAssignment } from "../../config/edit.ts";
import { type Reply, view } from "../context.ts";
import { rich } from "../views/rich.ts";
import { GROUPS, HISTORY_MAX, historyView, keysView, nameOf, previewView, problemsText } from "../views/settings.ts";
import { deed, PREVIEW_MS, plain } from "../views/view.ts";
import type { Command } from "./command.ts";

const base = { group: "Settings", isEmergency: false } as const;

/** Holds them in the order of the help. */
export const SETTINGS: readonly Command[] = [
  {
    ...base,
    name: "config",
    kind: "settings",
    role: "owner",
    description: "Edit settings step by step",
    usage: "/config [group]",
    example: "/config risk",
    does: "Asks for group, parameter and value, shows what would change, and applies it after a tap. /cancel leaves.",
    run: async ({ words }): Promise<Reply> => {
      const wanted = words[0]?.toLowerCase();
      const group = GROUPS.find((one) => one.id === wanted || one.label.toLowerCase() === wanted);
      return { type: "dialogue", start: group === undefined ? { type: "groups" } : { type: "group", id: group.id } };
    },
  },
  {
    ...base,
    name: "set",
    kind: "settings",
    role: "owner",
    description: "Change one setting",
    usage: "/set key value",
    example: "/set window 90",
    does: "Shows the same preview as /config; /set alone lists the keys.",
    run: async ({ room, rest }): Promise<Reply> => {
      const snap = room.desk.snapshot();
      if (rest === "") return view(keysView(snap, null));
      const typed = readAssignment(rest);
      if (!("field" in typed)) {
        const near = typed.suggestions.length === 0 ? "" : ` Did you mean ${typed.suggestions.join(" or ")}?`;
        return view(keysView(snap, `"${typed.name.slice(0, 40)}" is not a setting.${near}`));
      }
      const { field, text } = typed;
      if (field.where === "file")
        return view(
          plain(rich(`${field.path} is changed in the file, at a restart. Now ${printValue(field, snap.settings)}.`)),
        );
      if (text === "")
        return view(
          plain(
            rich(
              `${nameOf(field)} is ${printValue(field, snap.settings)} (${field.range}). Change it: /set ${nameOf(field)} value`,
            ),
          ),
        );
      return { type: "dialogue", start: { type: "value", path: field.path, text } };
    },
  },
  {
    ...base,
    name: "undo",
    kind: "settings",
    role: "owner",
    description: "Undo the last config change",
    usage: "/undo",
    example: "/undo",
    does: "Shows what would be taken back and does it after a tap; undoing an undo brings it back.",
    run: async ({ room, caller }): Promise<Reply> => {
      const snap = room.desk.snapshot();
      const undo = room.desk.previewUndo();
      if (undo === null) return view(plain(rich("There is nothing to undo: no setting was changed.")));
      if (!undo.preview.ok) return view(plain(rich(`It cannot be taken back: ${problemsText(undo.preview.error)}`)));
      const apply = { verb: "undo", base: snap.revision, changes: undo.changes } as const;
      const buttons = [[deed("Apply", apply, PREVIEW_MS)], [deed("Cancel", { verb: "dismiss" }, PREVIEW_MS)]];
      return view(
        previewView(snap, undo.preview.value, { name: caller.user.name, note: "Take the last change back:", buttons }),
      );
    },
  },
  {
    ...base,
    name: "history",
    kind: "report",
    role: "viewer",
    description: "Who changed what",
    usage: `/history [1–${HISTORY_MAX}]`,
    example: "/history",
    does: "Lists the changes of settings, the newest first, with who made them.",
    run: async ({ room, words }): Promise<Reply> => {
      const [count = HISTORY_MAX, page = 0] = words.map(Number);
      const isFine =
        Number.isInteger(count) && count >= 1 && count <= HISTORY_MAX && Number.isInteger(page) && page >= 0;
      if (!isFine) return view(plain(rich(`"${words.join(" ")}" is not a number of revisions: 1–${HISTORY_MAX}.`)));
      return view(historyView(room.desk.snapshot(), room.desk.configChanges(), count, page));
    },
  },
];
