// What every handler is given: who asked, where, and the room's services. Handlers look at nothing else.
import type { ConversationFlavor } from "@grammyjs/conversations";
import type { Context } from "grammy";
import type { Clock } from "../clock.ts";
import type { User } from "../config/schema.ts";
import type { Log } from "../log.ts";
import type { Desk, Origin } from "../trading/desk.ts";
import type { Access } from "./access.ts";
import type { Channel, Place } from "./channel.ts";
import type { ChartRoom } from "./chart-room.ts";
import type { Dialogues } from "./dialogues.ts";
import type { Flattens } from "./flattens.ts";
import type { Presses } from "./presses.ts";
import type { ChannelHealth } from "./views/about.ts";
import type { ChartKind } from "./views/captions.ts";
import type { View } from "./views/view.ts";

/** Are the services of the bot. */
export type Room = {
  readonly desk: Desk;
  readonly wall: Clock;
  readonly log: Log;
  readonly access: Access;
  readonly channel: Channel;
  readonly presses: Presses;
  readonly dialogues: Dialogues;
  readonly flattens: Flattens;
  readonly charts: ChartRoom;
  readonly theme: "dark" | "light";
  health(): ChannelHealth;
};

/** Is who asked what from where. */
export type Caller = {
  readonly user: User;
  readonly place: Place;
  readonly origin: Origin;
  /** The message that was pressed; null where text was typed. */
  readonly pressedMessageId: number | null;
};

/** Is grammY's context with our caller, and what a pressed button of the open dialogue picked. */
export type BotContext = ConversationFlavor<Context & { caller: Caller; picked?: string }>;

/** Is what a command is called with. */
export type Call = {
  readonly room: Room;
  readonly caller: Caller;
  /** The words after the command, trimmed. */
  readonly rest: string;
  readonly words: readonly string[];
  /** How an acting command that waited is introduced; null where it is fresh. */
  readonly late: string | null;
};

/** Is what a command answers with. */
export type Reply =
  | { readonly type: "view"; readonly view: View; readonly replyKeyboard?: boolean }
  | { readonly type: "chart"; readonly kind: ChartKind; readonly theme: "dark" | "light"; readonly asFile: boolean }
  | { readonly type: "file"; readonly name: string; readonly text: string; readonly caption: string }
  /** Opens the dialogue about settings, at a group, at a key or with a typed value. */
  | { readonly type: "dialogue"; readonly start: DialogueStart }
  | { readonly type: "nothing" };

/** Is where the dialogue about settings begins. */
export type DialogueStart =
  | { readonly type: "groups" }
  | { readonly type: "group"; readonly id: string }
  | { readonly type: "value"; readonly path: string; readonly text: string | null };

/** Returns a reply of one message. */
export const view = (shown: View): Reply => ({ type: "view", view: shown });
