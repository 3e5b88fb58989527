// The face of the bot: everything is put together here, and nothing of it is seen outside but start and stop.
import { Bot as GrammyBot } from "grammy";
import { createPainter, type Painter } from "../charts/painter.ts";
import type { Clock } from "../clock.ts";
import { errorFields, keepSecret, type Log } from "../log.ts";
import type { Desk } from "../trading/desk.ts";
import { createAccess } from "./access.ts";
import { createCards } from "./card.ts";
import { createChannel } from "./channel.ts";
import { createChartRoom } from "./chart-room.ts";
import type { BotContext, Room } from "./context.ts";
import { createDialogues } from "./dialogues.ts";
import { createFlattens } from "./flattens.ts";
import { createHandlers, isUrgentUpdate } from "./handlers.ts";
import { writeMenus } from "./menus.ts";
import { createOutbox } from "./outbox.ts";
import { createPolling } from "./polling.ts";
import { createPresses } from "./presses.ts";
import { openStateFile } from "./state-file.ts";
import { createTransport } from "./transport.ts";
import { startView } from "./views/about.ts";
import { bold, lines, rich } from "./views/rich.ts";
import { plain, type View } from "./views/view.ts";

/** Is a running bot. */
export type Bot = {
  /** Resolves once the poll runs or is being retried; never rejects because the chat server cannot be reached. */
  start(): Promise<void>;
  /** Stops the poll, lets handlers finish (5 s at most) and sends what is queued (5 s at most). */
  stop(): Promise<void>;
  /** Returns true while the chat server answers the poll. */
  isPolling(): boolean;
};

/** Is what a bot is made of. */
export type BotOptions = {
  readonly token: string;
  /** "https://api.telegram.org", or another Bot API server; without a slash at its end. */
  readonly apiRoot: string;
  readonly desk: Desk;
  /** Runs what is between the program and people or sockets: confirmations, time-outs, retries. */
  readonly wall: Clock;
  readonly users: readonly {
    readonly id: number;
    readonly name: string;
    readonly role: "viewer" | "trader" | "owner";
  }[];
  /** Where notices go. */
  readonly alertChats: readonly number[];
  /** Groups in which listed people may speak to the bot. */
  readonly groups: readonly number[];
  readonly theme: "dark" | "light";
  /** Holds open dialogues, pinned cards and unseen critical notices across a restart. */
  readonly stateFile: string;
  /** Makes every Bot API call; the platform's own without it. */
  readonly fetch?: typeof fetch;
  readonly log: Log;
  /** True where the market is simulated. */
  readonly isDemo: boolean;
  /** A person sent the console's code and is owner now: write it to the configuration. */
  readonly onPaired?: (user: {
    readonly id: number;
    readonly name: string;
    readonly role: "owner";
  }) => void | Promise<void>;
  /** The one-time code on the console, where nobody is listed yet. */
  readonly pairing?: { readonly code: string };
  /** Gets the words of a critical notice that the chat server has not taken for a minute, or never will. */
  readonly onUntold?: (text: string) => void;
  /** Draws the charts; a thread of its own without it. */
  readonly painter?: Painter;
  /** From 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
  /** Grows when stored dialogues of an older program can't be read any more; tests set it. */
  readonly dialogueVersion?: number;
};

/** Handlers and outbox get so long each at a stop. */
const STOP_MS_MAX = 5_000;

/** grammY's own deadline stands behind ours and never comes first. */
const CLIENT_SECONDS = 120;

/** Returns a bot; nothing happens before `start`. */
export function createBot(options: BotOptions): Bot {
  const { desk, wall, log } = options;
  keepSecret(options.token);
  const transport = createTransport({ fetch: options.fetch ?? fetch, wall });
  const bot = new GrammyBot<BotContext>(options.token, {
    client: { apiRoot: options.apiRoot.replace(/\/+$/, ""), fetch: transport.fetch, timeoutSeconds: CLIENT_SECONDS },
  });
  const { api } = bot;
  const badge = options.isDemo ? "DEMO" : null;
  let running: Pick<Bot, "stop" | "isPolling"> | null = null;

  const start = async (): Promise<void> => {
    if (running !== null) return;
    const file = await openStateFile(options.stateFile, log);
    const access = createAccess({
      users: options.users,
      groups: options.groups,
      wall,
      pairing: options.pairing ?? null,
    });
    const presses = createPresses(wall);
    const channel = createChannel({ api, presses, wall, log, badge });
    const version = options.dialogueVersion === undefined ? {} : { version: options.dialogueVersion };
    const dialogues = createDialogues({ file, channel, presses, wall, ...version });
    const flattens = createFlattens({ desk, channel, wall });
    const byTheWay = (what: string) => (thrown: unknown) => log.info({ ...errorFields(thrown) }, what);
    const painter = options.painter ?? createPainter({ wall });
    const charts = createChartRoom({
      desk,
      channel,
      wall,
      log,
      draw: (figure) => painter.paint(figure),
      announce: (place) => {
        const topic = place.topicId === null ? {} : { message_thread_id: place.topicId };
        api.sendChatAction(place.chatId, "upload_photo", topic).catch(byTheWay("a chat action was not shown"));
      },
    });
    const chats = [...new Set(options.alertChats)];
    const outbox = createOutbox({
      desk,
      channel,
      access,
      file,
      wall,
      log,
      chats,
      onUntold: options.onUntold ?? (() => {}),
    });
    const cards = createCards({ api, desk, channel, file, wall, log, chats });

    const polling = createPolling({
      api,
      wall,
      log,
      random: options.random ?? Math.random,
      onMe: async (me) => {
        bot.botInfo = me;
        void writeMenus(api, access, options.groups, log);
      },
      handle: async (update) => {
        try {
          await bot.handleUpdate(update);
        } catch (thrown) {
          log.error({ ...errorFields(thrown), updateId: update.update_id }, "an update could not be handled");
        }
      },
      isUrgent: (update) => isUrgentUpdate(update, bot.botInfo.username, presses),
      onControl: (isReachable, detail) => desk.controlChannel(isReachable, detail),
      onConflict: () =>
        tell(chats, `${desk.snapshot().badge} · Another program polls this bot's token`, [
          "Commands may not arrive here; messages still go out.",
          "Stop the other program, or renew the token at @BotFather. It is tried again by itself.",
        ]),
    });

    const tell = (to: readonly number[], subject: string, more: readonly string[]): void => {
      const view: View = plain(lines(rich("⚠️ ", bold(subject)), ...more));
      for (const chatId of to) {
        void channel.post({
          place: { chatId, topicId: null },
          content: { type: "text", view, isSilent: false },
          priority: "critical",
          personId: chatId,
          giveUpAfterMs: null,
        });
      }
    };
    const owners = (): readonly number[] =>
      access
        .users()
        .filter((user) => user.role === "owner")
        .map((user) => user.id);

    const room: Room = {
      desk,
      wall,
      log,
      access,
      channel,
      presses,
      dialogues,
      flattens,
      charts,
      theme: options.theme,
      health: () => ({ polling: polling.state(), waiting: channel.waiting(), skewMs: transport.serverTime.skewMs() }),
    };
    const handlers = createHandlers({
      room,
      serverTime: transport.serverTime,
      answerPress: (id, text) => {
        api
          .answerCallbackQuery(
            id,
            text === null
              ? {}
              : { text: badge === null ? text : `${badge} · ${text}`, show_alert: text !== "Just updated" },
          )
          .catch(byTheWay("a press was not answered in time"));
      },
      deleteMessage: (chatId, messageId) => {
        api.deleteMessage(chatId, messageId).catch(byTheWay("a message with a secret could not be deleted"));
      },
      onPaired: (user) => {
        const owner = { ...user, role: "owner" as const };
        cards.addChat(user.id);
        outbox.addChat(user.id);
        desk.note("paired", { userId: user.id });
        const view = startView(desk.snapshot(), user.name, "owner");
        void channel.post({
          place: { chatId: user.id, topicId: null },
          content: { type: "text", view, isSilent: false },
          priority: "answer",
          personId: user.id,
          giveUpAfterMs: null,
        });
        void writeMenus(api, access, options.groups, log);
        Promise.resolve(options.onPaired?.(owner)).catch((thrown: unknown) => {
          log.error(errorFields(thrown), "the new owner could not be written to the configuration");
          tell([user.id], "You are owner until the next start only", [
            "The configuration could not be written; its log says why. Add your id to telegram.users.",
          ]);
        });
      },
      tellOwners: (text) => tell(owners(), `${desk.snapshot().badge} · Unknown user`, [text]),
      seenNotice: (noticeId) => outbox.seen(noticeId),
      ...(options.dialogueVersion === undefined ? {} : { dialogueVersion: options.dialogueVersion }),
    });
    for (const handler of handlers) bot.use(handler.run);

    running = {
      // The first poll without news takes half a minute; a server that is not there is known at once.
      isPolling: () => ["starting", "polling"].includes(polling.state()),
      stop: async () => {
        await polling.stop(STOP_MS_MAX);
        outbox.stop();
        cards.stop();
        dialogues.stop();
        flattens.stop();
        await channel.flush(STOP_MS_MAX);
        await painter.close();
        // Whatever still waits for the disk goes with this write.
        await file.change((state) => state);
      },
    };
    outbox.start();
    dialogues.resume();
    cards.start();
    log.info({ isDemo: options.isDemo, chats: chats.length, users: options.users.length }, "the bot starts to poll");
    await polling.start();
  };

  return {
    start,
    stop: async () => {
      await running?.stop();
    },
    isPolling: () => running?.isPolling() === true,
  };
}
