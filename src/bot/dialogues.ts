// The open dialogues: one a person and chat, durable, ended by an own timer after five idle minutes. The conversation's
// own state is kept here too, so that ending a dialogue from anywhere ends it for good.
import type { ConversationData, VersionedState } from "@grammyjs/conversations";
import type { Cancel, Clock } from "../clock.ts";
import type { Channel, Place } from "./channel.ts";
import type { Presses } from "./presses.ts";
import type { StateFile, StoredDialogue } from "./state-file.ts";
import { rich } from "./views/rich.ts";
import { plain, run } from "./views/view.ts";

/** Grows when the conversation's steps change: a stored dialogue of another version is dropped and said so. */
export const DIALOGUE_VERSION = 1;

/** A dialogue ends after so long without a word. */
const IDLE_MS_MAX = 300_000;

/** Is whose dialogue, and where. */
export type Seat = { readonly place: Place; readonly personId: number };

/** Keeps the dialogues. */
export type Dialogues = {
  /** Notes that a dialogue is open, about what, on which revision; the idle time begins anew. */
  open(seat: Seat, subject: string, revision: number): void;
  isOpen(seat: Seat): boolean;
  /** Tells which message shows the present step. */
  shown(seat: Seat, messageId: number): void;
  messageId(seat: Seat): number | null;
  /** Ends it; returns what it was about, or null where none was open. */
  end(seat: Seat): string | null;
  /** After a start: says in each chat what is still open, or that an update dropped it. */
  resume(): void;
  /** Stops the timers; the dialogues stay. */
  stop(): void;
  /** Is where the conversation keeps its state; a dialogue that was ended is not written again. */
  readonly storage: {
    read(key: string): VersionedState<ConversationData> | undefined;
    write(key: string, state: VersionedState<ConversationData>): Promise<void>;
    delete(key: string): Promise<void>;
  };
};

/** Returns the key of a seat in the storage. */
export function seatKey(chatId: number, personId: number): string {
  return `${chatId}:${personId}`;
}

/** Returns the dialogues that the file holds. */
export function createDialogues(options: {
  file: StateFile;
  channel: Channel;
  presses: Presses;
  wall: Clock;
  version?: number;
}): Dialogues {
  const { file, channel, presses, wall } = options;
  const version = options.version ?? DIALOGUE_VERSION;
  const timers = new Map<string, Cancel>();
  const keyOf = (seat: Seat): string => seatKey(seat.place.chatId, seat.personId);
  const stored = (key: string): StoredDialogue | undefined => file.state().dialogues[key];

  const put = (key: string, dialogue: StoredDialogue | null): Promise<void> =>
    file.change((state) => {
      const { [key]: _, ...others } = state.dialogues;
      return { ...state, dialogues: dialogue === null ? others : { ...others, [key]: dialogue } };
    });

  const drop = (key: string): StoredDialogue | null => {
    const dialogue = stored(key);
    timers.get(key)?.();
    timers.delete(key);
    if (dialogue === undefined) return null;
    presses.void(dialogue.chatId, dialogue.personId, "pick");
    void put(key, null);
    return dialogue;
  };

  const say = (dialogue: StoredDialogue, text: string, isEdit: boolean, again = false): void => {
    const shown = again ? { text: rich(text), buttons: [[run("Start again", "/config")]] } : plain(rich(text));
    const place = { chatId: dialogue.chatId, topicId: dialogue.topicId };
    const content = isEdit
      ? ({ type: "edit", view: shown, messageId: () => dialogue.messageId } as const)
      : ({ type: "text", view: shown, isSilent: false } as const);
    void channel.post({ place, content, priority: "answer", personId: dialogue.personId, giveUpAfterMs: null });
  };

  const watch = (key: string): void => {
    timers.get(key)?.();
    timers.set(
      key,
      wall.after(IDLE_MS_MAX, () => {
        const dialogue = drop(key);
        if (dialogue !== null) say(dialogue, "Timed out, nothing changed.", true);
      }),
    );
  };

  return {
    open: (seat, subject, revision) => {
      const key = keyOf(seat);
      const before = stored(key);
      void put(key, {
        version,
        chatId: seat.place.chatId,
        topicId: seat.place.topicId,
        personId: seat.personId,
        subject,
        revision,
        messageId: before?.messageId ?? null,
        state: before?.state ?? null,
      });
      watch(key);
    },
    isOpen: (seat) => stored(keyOf(seat)) !== undefined,
    shown: (seat, messageId) => {
      const key = keyOf(seat);
      const dialogue = stored(key);
      if (dialogue !== undefined) void put(key, { ...dialogue, messageId });
    },
    messageId: (seat) => stored(keyOf(seat))?.messageId ?? null,
    end: (seat) => drop(keyOf(seat))?.subject ?? null,
    resume: () => {
      for (const [key, dialogue] of Object.entries(file.state().dialogues)) {
        if (dialogue.version !== version || dialogue.state === null) {
          drop(key);
          say(dialogue, "Your edit was dropped by an update; nothing changed.", false, true);
        } else {
          watch(key);
          say(dialogue, `Still editing ${dialogue.subject} (r${dialogue.revision}). Send a value or /cancel.`, false);
        }
      }
    },
    stop: () => {
      for (const cancel of timers.values()) cancel();
      timers.clear();
    },
    storage: {
      // A copy: the plugin changes what it reads, and may throw halfway.
      read: (key) =>
        structuredClone(stored(key)?.state as VersionedState<ConversationData> | null | undefined) ?? undefined,
      write: async (key, state) => {
        const dialogue = stored(key);
        if (dialogue !== undefined) await put(key, { ...dialogue, state });
      },
      delete: async (key) => {
        drop(key);
      },
    },
  };
}
