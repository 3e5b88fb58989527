// The conversation about settings: group → parameter → typed value → preview → applied. The function is run again from
// its top at each update, so everything that happens is inside `external`; what is kept between updates is the step alone.
import type { Conversation } from "@grammyjs/conversations";
import type { Context } from "grammy";
import { parseChange } from "../../config/edit.ts";
import { type Field, fieldAt } from "../../config/schema.ts";
import { ANSWER_MS_MAX } from "../channel.ts";
import { readTyped } from "../commands/command.ts";
import type { BotContext, DialogueStart, Room } from "../context.ts";
import type { Seat } from "../dialogues.ts";
import {
  appliedView,
  askView,
  DIALOGUE_BUTTONS,
  GROUPS,
  groupsView,
  nameOf,
  parametersView,
  previewView,
  problemsText,
  saying,
} from "../views/settings.ts";
import type { View } from "../views/view.ts";
import { personName } from "../views/words.ts";

/** Is the name by which it is entered. */
export const EDIT_CONFIG = "editConfig";

/** A value that is not understood is asked for again so many times. */
const TRIES_MAX = 5;

/** Is where the dialogue stands; plain data, it is kept on the disk. */
type Step =
  | { readonly at: "groups" }
  | { readonly at: "parameters"; readonly group: string }
  | { readonly at: "value"; readonly path: string; readonly tries: number }
  | { readonly at: "preview"; readonly path: string; readonly text: string; readonly base: number }
  | { readonly at: "end" };

/** Is what a person did. */
type Input =
  | { readonly type: "pick"; readonly what: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "other" };

/** Returns the conversation over this room. */
export function createEditConfig(room: Room) {
  return async function editConfig(
    conversation: Conversation<BotContext, Context>,
    _: Context,
    start: DialogueStart,
  ): Promise<void> {
    let step: Step = await conversation.external((outside) => begin(room, outside, start));
    while (step.at !== "end") {
      await conversation.wait();
      const before: Step = step;
      const after: Step | null = await conversation.external((outside) => advance(room, outside, before));
      // Not for this dialogue: commands and other buttons go on to their own handlers, the step stays.
      if (after === null) await conversation.skip({ next: true });
      else step = after;
    }
  };
}

function begin(room: Room, outside: BotContext, start: DialogueStart): Promise<Step> | Step {
  switch (start.type) {
    case "groups":
      return toGroups(room, outside, false);
    case "group":
      return toParameters(room, outside, start.id, false);
    case "value": {
      const field = fieldAt(start.path);
      if (field === null || start.text === null) return toGroups(room, outside, false);
      room.dialogues.open(seatOf(outside), nameOf(field), room.desk.snapshot().revision);
      return withText(room, outside, field, start.text, 0);
    }
    default:
      return start satisfies never;
  }
}

/** Returns the next step; null where the update is not for this dialogue. */
async function advance(room: Room, outside: BotContext, step: Step): Promise<Step | null> {
  const input = inputOf(outside);
  if (input === null) return null;
  if (input.type === "pick" && input.what === "cancel") return leave(room, outside, "Left; nothing changed.");
  switch (step.at) {
    case "groups": {
      if (input.type === "pick" && input.what.startsWith("group:"))
        return toParameters(room, outside, input.what.slice(6), true);
      return again(room, outside, step, groupsView(room.desk.snapshot()));
    }
    case "parameters": {
      if (input.type === "pick" && input.what === "back") return toGroups(room, outside, true);
      const field = input.type === "pick" && input.what.startsWith("field:") ? fieldAt(input.what.slice(6)) : null;
      if (field !== null) return toValue(room, outside, field, 0, null, true);
      return toParameters(room, outside, step.group, false);
    }
    case "value": {
      const field = fieldAt(step.path);
      if (field === null) return leave(room, outside, `${step.path} is not a setting any more; nothing changed.`);
      if (input.type === "text") return withText(room, outside, field, input.text, step.tries);
      return toValue(room, outside, field, step.tries, "Please send the value as text.", false);
    }
    case "preview":
      return atPreview(room, outside, step, input);
    case "end":
      return step;
    default:
      return step satisfies never;
  }
}

async function atPreview(
  room: Room,
  outside: BotContext,
  step: Extract<Step, { at: "preview" }>,
  input: Input,
): Promise<Step> {
  const field = fieldAt(step.path);
  if (field === null) return leave(room, outside, `${step.path} is not a setting any more; nothing changed.`);
  // Text while Apply waits is a new value.
  if (input.type === "text") return withText(room, outside, field, input.text, 0);
  if (input.type === "other" || input.what === "again")
    return toValue(room, outside, field, 0, null, input.type === "pick");
  if (input.what !== "apply") return toPreview(room, outside, field, step.text, null, false);
  const { desk } = room;
  const { user, origin } = outside.caller;
  const changes = [{ path: step.path, text: step.text }];
  const before = desk.previewConfig(changes);
  const answer = await desk.changeConfig(origin, step.base, changes);
  switch (answer.type) {
    case "applied": {
      const said = before.ok
        ? before.value.lines.map((line) => `${line.shortName ?? line.path}: ${line.old} → ${line.new}`)
        : [];
      show(room, outside, appliedView(desk.snapshot(), answer.revision, user.name, said), true);
      room.dialogues.end(seatOf(outside));
      return { at: "end" };
    }
    case "outdated":
      return toPreview(
        room,
        outside,
        field,
        step.text,
        `r${answer.revision} by @${personName(answer.by)} came first:`,
        true,
      );
    case "refused":
      return toValue(room, outside, field, 0, problemsText(answer.problems), true);
    default:
      return answer satisfies never;
  }
}

function withText(room: Room, outside: BotContext, field: Field, text: string, tries: number): Step {
  const parsed = parseChange(field, text);
  if (!parsed.ok) return wrong(room, outside, field, tries, parsed.error);
  return toPreview(room, outside, field, text, null, false, tries);
}

function wrong(room: Room, outside: BotContext, field: Field, tries: number, problem: string): Step {
  if (tries + 1 >= TRIES_MAX)
    return leave(
      room,
      outside,
      `${problem} That was the ${TRIES_MAX}th try: left, nothing changed. /config begins anew.`,
    );
  return toValue(room, outside, field, tries + 1, problem, false);
}

function toGroups(room: Room, outside: BotContext, isEdit: boolean): Step {
  const snap = room.desk.snapshot();
  room.dialogues.open(seatOf(outside), "settings", snap.revision);
  show(room, outside, groupsView(snap), isEdit);
  return { at: "groups" };
}

function toParameters(room: Room, outside: BotContext, id: string, isEdit: boolean): Step {
  const snap = room.desk.snapshot();
  const group = GROUPS.find((one) => one.id === id);
  if (group === undefined) return toGroups(room, outside, isEdit);
  room.dialogues.open(seatOf(outside), `${group.label} settings`, snap.revision);
  show(room, outside, parametersView(snap, group), isEdit);
  return { at: "parameters", group: id };
}

function toValue(
  room: Room,
  outside: BotContext,
  field: Field,
  tries: number,
  problem: string | null,
  isEdit: boolean,
): Step {
  const snap = room.desk.snapshot();
  room.dialogues.open(seatOf(outside), nameOf(field), snap.revision);
  show(room, outside, askView(snap, field, problem), isEdit);
  return { at: "value", path: field.path, tries };
}

function toPreview(
  room: Room,
  outside: BotContext,
  field: Field,
  text: string,
  note: string | null,
  isEdit: boolean,
  tries = 0,
): Step {
  const snap = room.desk.snapshot();
  const preview = room.desk.previewConfig([{ path: field.path, text }]);
  if (!preview.ok) return wrong(room, outside, field, tries, problemsText(preview.error));
  room.dialogues.open(seatOf(outside), nameOf(field), snap.revision);
  show(
    room,
    outside,
    previewView(snap, preview.value, { name: outside.caller.user.name, note, buttons: DIALOGUE_BUTTONS }),
    isEdit,
  );
  return { at: "preview", path: field.path, text, base: snap.revision };
}

function again(room: Room, outside: BotContext, step: Step, shown: View): Step {
  room.dialogues.open(seatOf(outside), "settings", room.desk.snapshot().revision);
  show(room, outside, shown, false);
  return step;
}

function leave(room: Room, outside: BotContext, text: string): Step {
  show(room, outside, saying(text), inputOf(outside)?.type === "pick");
  room.dialogues.end(seatOf(outside));
  return { at: "end" };
}

/** A pressed step is shown in its message, a typed one below; the message before it loses its buttons. */
function show(room: Room, outside: BotContext, shown: View, isEdit: boolean): void {
  const seat = seatOf(outside);
  const { place, user, pressedMessageId } = outside.caller;
  const before = room.dialogues.messageId(seat);
  room.presses.void(place.chatId, user.id, "pick");
  const job = { place, priority: "answer", personId: user.id, giveUpAfterMs: ANSWER_MS_MAX } as const;
  const target = isEdit ? pressedMessageId : null;
  if (target === null && before !== null)
    void room.channel.post({ ...job, priority: "card", content: { type: "bare", messageId: () => before } });
  const content =
    target === null
      ? ({ type: "text", view: shown, isSilent: false } as const)
      : ({ type: "edit", view: shown, messageId: () => target } as const);
  void room.channel.post({ ...job, content }).then((delivery) => {
    if (delivery.type === "delivered") room.dialogues.shown(seat, delivery.messageId);
  });
}

function seatOf(outside: BotContext): Seat {
  return { place: outside.caller.place, personId: outside.caller.user.id };
}

function inputOf(outside: BotContext): Input | null {
  if (outside.callbackQuery !== undefined)
    return outside.picked === undefined ? null : { type: "pick", what: outside.picked };
  const { message } = outside;
  if (message === undefined) return null;
  // Somebody else's words are not a value, whatever they say.
  if (message.text === undefined || message.forward_origin !== undefined) return { type: "other" };
  if (readTyped(message.text, outside.me.username) !== null) return null;
  return { type: "text", text: message.text };
}
