// How an answer leaves a handler: as a message, as an edit of the one that was pressed, as a picture, a file or a dialogue.
// Nothing here waits for a send.
import { ANSWER_MS_MAX, type Content, type Priority } from "./channel.ts";
import { type Command, KEYS } from "./commands/command.ts";
import type { BotContext, Caller, Reply, Room } from "./context.ts";
import { EDIT_CONFIG } from "./conversations/edit-config.ts";
import { bold, rich } from "./views/rich.ts";
import { plain, type View } from "./views/view.ts";

/** Sends answers. */
export type Answers = {
  /** Queues anything. */
  post(caller: Caller, content: Content, priority: Priority): void;
  /** Sends a new message. */
  answer(caller: Caller, view: View, priority?: Priority): void;
  /** Puts a message in the place of the one that was pressed. */
  edit(caller: Caller, view: View, priority?: Priority): void;
  /** Gives a command's reply its way out. */
  deliver(ctx: BotContext, reply: Reply, command: Command, isRefresh: boolean): Promise<void>;
};

/** Returns the ways out of this room. */
export function createAnswers(room: Room): Answers {
  const { channel, dialogues } = room;

  const post = (caller: Caller, content: Content, priority: Priority): void => {
    void channel.post({
      place: caller.place,
      content,
      priority,
      personId: caller.user.id,
      giveUpAfterMs: ANSWER_MS_MAX,
    });
  };
  const answer = (caller: Caller, view: View, priority: Priority = "answer"): void =>
    post(caller, { type: "text", view, isSilent: false }, priority);
  const edit = (caller: Caller, view: View, priority: Priority = "answer"): void =>
    post(caller, { type: "edit", view, messageId: () => caller.pressedMessageId }, priority);

  const deliver = async (ctx: BotContext, reply: Reply, command: Command, isRefresh: boolean): Promise<void> => {
    const { caller } = ctx;
    const priority: Priority = command.isEmergency ? "emergency" : "answer";
    switch (reply.type) {
      case "view":
        if (reply.replyKeyboard === true) {
          const hint = plain(rich("The main buttons are below the text box."));
          post(
            caller,
            { type: "text", view: hint, isSilent: true, replyKeyboard: KEYS.map((row) => row.map(([label]) => label)) },
            priority,
          );
        }
        return isRefresh ? edit(caller, reply.view, priority) : answer(caller, reply.view, priority);
      case "chart": {
        const { kind, theme, asFile } = reply;
        const isTaken = room.charts.order({
          kind,
          theme,
          asFile,
          place: caller.place,
          personId: caller.user.id,
          messageId: isRefresh ? caller.pressedMessageId : null,
        });
        if (!isTaken) answer(caller, plain(rich("Too many pictures are being drawn already; try again in a moment.")));
        return;
      }
      case "file": {
        const bytes = new TextEncoder().encode(reply.text);
        return post(
          caller,
          { type: "document", bytes, name: reply.name, caption: bold(reply.caption), buttons: [] },
          "answer",
        );
      }
      case "dialogue": {
        await ctx.conversation.exitAll();
        dialogues.end({ place: caller.place, personId: caller.user.id });
        return ctx.conversation.enter(EDIT_CONFIG, reply.start);
      }
      case "nothing":
        return;
      default:
        return reply satisfies never;
    }
  };

  return { post, answer, edit, deliver };
}
