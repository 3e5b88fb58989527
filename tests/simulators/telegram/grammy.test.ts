// grammY, a client that other people wrote, against this server: what it believes, the bot can live with.
import { Bot, GrammyError, InlineKeyboard, InputFile, InputMediaBuilder } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import { OWNER, pngOf, type Stage, startStage } from "./support.ts";

const chatId = OWNER.id;

/** Starts the stage and a polling bot, which stops with the test. */
async function startBot(register: (bot: Bot) => void): Promise<Stage & { client: Bot }> {
  const stage = await startStage();
  const client = new Bot(stage.server.token, { client: { apiRoot: stage.server.url } });
  register(client);
  await new Promise<void>((resolve) => {
    void client.start({ onStart: () => resolve() });
  });
  onTestFinished(() => client.stop());
  return { ...stage, client };
}

/** Follows the person's chat until it shows what is wanted. */
// biome-ignore lint/suspicious/noExplicitAny: a test looks into JSON of any shape.
async function chatWhere(stage: Stage, isWanted: (view: any) => boolean): Promise<any> {
  let view = await stage.chat();
  while (!isWanted(view)) view = await stage.chat(`since=${view.seq}`);
  return view;
}

test("a command, a press, its answer and the edit go round through long polling", async () => {
  const stage = await startBot((bot) => {
    bot.command("flatten", (ctx) =>
      ctx.reply(`Flatten <b>${ctx.match}</b>?`, {
        parse_mode: "HTML",
        reply_markup: new InlineKeyboard().text("Flatten now", "a1:x").row().text("Cancel", "a1:y"),
      }),
    );
    bot.callbackQuery("a1:x", async (ctx) => {
      await ctx.answerCallbackQuery({ text: "On it" });
      await ctx.editMessageText("FLAT");
    });
  });

  await stage.person("message", { text: "/flatten all" });
  const asked = await chatWhere(stage, ({ messages }) => messages.length === 2);
  await stage.person("press", { message_id: asked.messages[1].message_id, label: "Flatten now" });
  const done = await chatWhere(stage, ({ messages }) => messages[1].text === "FLAT");

  expect(asked.messages[1]).toMatchObject({ text: "Flatten all?", entities: [{ type: "bold", offset: 8, length: 3 }] });
  expect(done.messages[1]).not.toHaveProperty("reply_markup");
  expect(done.alerts).toMatchObject([{ text: "On it" }]);
});

test("a chart is sent, replaced in place, and its original sent as a document", async () => {
  const { client, chat } = await startBot(() => {});
  const png = (width: number) => new InputFile(pngOf(width, 600), "chart.png");

  const sent = await client.api.sendPhoto(chatId, png(1_000), { caption: "Today" });
  await client.api.editMessageMedia(chatId, sent.message_id, InputMediaBuilder.photo(png(2_000), { caption: "Week" }));
  await client.api.sendDocument(chatId, png(2_000));

  expect((await chat()).messages).toMatchObject([
    { caption: "Week", photo: { width: 2_000 }, edited: true },
    { document: { name: "chart.png" } },
  ]);
});

test("commands are registered for one chat and read back", async () => {
  const { client } = await startBot(() => {});
  const scope = { type: "chat", chat_id: chatId } as const;

  await client.api.setMyCommands([{ command: "status", description: "State" }], { scope });

  expect(await client.api.getMyCommands({ scope })).toEqual([{ command: "status", description: "State" }]);
  expect(await client.api.getMyCommands()).toEqual([]);
});

test("a refusal is an error with code, description and parameters", async () => {
  const { client, person } = await startBot(() => {});
  await person("fault", { method: "sendMessage", kind: "status", retry_after: 7 });

  const refused = await client.api.sendMessage(chatId, "x").catch((thrown: unknown) => thrown);

  expect(refused).toBeInstanceOf(GrammyError);
  expect(refused).toMatchObject({ error_code: 429, parameters: { retry_after: 7 } });
});
