"""Drives the local Bot API server with aiogram, whose uploads come in chunks and name their files by attach://.

usage: telegram_aiogram.py ROOT_URL
"""

import asyncio
import base64
import io
import logging
import sys

from aiogram import Bot, Dispatcher, F
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.filters import Command, CommandStart
from aiogram.methods import GetUpdates, SendMessage
from aiogram.methods.base import TelegramMethod
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    ReplyParameters,
)

from people import BROKEN, FORMATTED, People, png
from report import Checks, expect, same, until

TOKEN = "7200000002:AAconformance-of-aiogram-library"
BOT_ID = 7_200_000_002

checks = Checks("aiogram")
check = checks.check


class NoSuchMethod(TelegramMethod[bool]):
    """A method that no server has."""

    __returning__ = bool
    __api_method__ = "noSuchMethod"


async def refused(kind, wording, call):
    """Awaits a call that must be refused in these words."""
    try:
        await call
    except kind as error:
        expect(wording.lower() in str(error).lower(), f"it says: {error}")
        return error
    raise AssertionError("it was not refused")


def bot_of(root, token=TOKEN, **more):
    return Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(root)), **more)


def shape(entities):
    return [(one.type, one.offset, one.length) for one in entities or ()]


def keyboard(*labels):
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=label, callback_data=label.lower()) for label in labels]]
    )


async def drain(bot):
    waiting = await bot.get_updates(timeout=0)
    if waiting:
        await bot.get_updates(offset=waiting[-1].update_id + 1, timeout=0)


async def text(bot, people):
    with check("getMe"):
        me = await bot.get_me()
        same((me.id, me.is_bot), (BOT_ID, True), "the bot")
    for mode, cases in FORMATTED.items():
        with check(f"{mode}: text and entities of {len(cases)} messages"):
            for source, wanted, entities in cases:
                message = await bot.send_message(people.started(), source, parse_mode=mode)
                same((message.text, shape(message.entities)), (wanted, entities), source)
    for mode, cases in BROKEN.items():
        with check(f"{mode}: what can't be parsed is refused"):
            chat = people.started()
            for source, wording in cases:
                await refused(TelegramBadRequest, f"can't parse entities: {wording}", bot.send_message(chat, source, parse_mode=mode))
    with check("edits, replies, pins and deletions"):
        chat = people.started()
        sent = await bot.send_message(chat, "first", reply_markup=keyboard("Go"))
        edited = await bot.edit_message_text("second", chat_id=chat, message_id=sent.message_id)
        same((edited.text, edited.reply_markup), ("second", None), "the edit")
        await refused(TelegramBadRequest, "message is not modified", bot.edit_message_text("second", chat_id=chat, message_id=sent.message_id))
        edited = await bot.edit_message_reply_markup(chat_id=chat, message_id=sent.message_id, reply_markup=keyboard("Stop"))
        same(edited.reply_markup.inline_keyboard[0][0].text, "Stop", "the new keyboard")
        chat = people.started()
        sent = await bot.send_message(chat, "first")
        reply = await bot.send_message(chat, "to it", reply_parameters=ReplyParameters(message_id=sent.message_id))
        same(reply.reply_to_message.message_id, sent.message_id, "the reply")
        await bot.pin_chat_message(chat, sent.message_id)
        same((await bot.get_chat(chat)).pinned_message.message_id, sent.message_id, "the pin")
        await bot.unpin_chat_message(chat)
        await bot.delete_message(chat, reply.message_id)
        await bot.send_chat_action(chat, "upload_photo")
    with check("a reply keyboard is shown"):
        chat = people.started()
        await bot.send_message(chat, "Pick", reply_markup=ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="One")]], one_time_keyboard=True))
        expect("One" in str(people.sees(chat)), "the page does not show it")
    with check("commands of a chat"):
        chat = people.started()
        await bot.set_my_commands([BotCommand(command="status", description="Yours")], scope=BotCommandScopeChat(chat_id=chat))
        same([one.command for one in await bot.get_my_commands(scope=BotCommandScopeChat(chat_id=chat))], ["status"], "commands")
        await bot.delete_my_commands(scope=BotCommandScopeChat(chat_id=chat))


async def files(bot, people):
    with check("a photo by attach://, its download, and itself by id"):
        chat = people.started()
        picture = png(320, 200)
        sent = await bot.send_photo(chat, BufferedInputFile(picture, "chart.png"), caption="<i>c</i>", parse_mode="HTML")
        same((sent.photo[-1].width, shape(sent.caption_entities)), (320, [("italic", 0, 1)]), "the photo")
        target = io.BytesIO()
        await bot.download(sent.photo[-1], destination=target)
        same(target.getvalue(), picture, "the bytes")
        again = await bot.send_photo(chat, sent.photo[-1].file_id)
        same(again.photo[-1].file_unique_id, sent.photo[-1].file_unique_id, "the same file")
    with check("a document with its name, an album, and media edited in place"):
        chat = people.started()
        sent = await bot.send_document(chat, BufferedInputFile(b"a;b\n", "trades.csv"))
        same((sent.document.file_name, sent.document.file_size), ("trades.csv", 4), "the document")
        chat = people.started()
        album = await bot.send_media_group(chat, [InputMediaPhoto(media=BufferedInputFile(png(9, height), "a.png")) for height in (9, 10)])
        same(len({message.media_group_id for message in album}), 1, "groups")
        edited = await bot.edit_message_media(
            InputMediaDocument(media=BufferedInputFile(b"x", "x.txt"), caption="now"), chat_id=chat, message_id=album[0].message_id
        )
        same((edited.document.file_name, edited.caption), ("x.txt", "now"), "the edited message")
    with check("more than 50 MB is 413"):
        big = BufferedInputFile(b"\0" * (53 * 1024 * 1024), "big.bin")
        await refused(TelegramEntityTooLarge, "", bot.send_document(people.started(), big))


async def refusals(bot, root, people):
    chat = people.started()
    with check("chats: unknown, never opened, blocked, moved"):
        await refused(TelegramBadRequest, "chat not found", bot.send_message(123, "a"))
        await refused(TelegramForbiddenError, "can't initiate conversation", bot.send_message(people.new(), "a"))
        people.act("block", **{"from": chat})
        await refused(TelegramForbiddenError, "blocked by the user", bot.send_message(chat, "a"))
        group = -4_200_000
        people.act("chat", id=group, type="group", title="Small", members=[people.started()])
        moved = people.act("migrate", chat=group)["chat"]["id"]
        error = await refused(TelegramMigrateToChat, "", bot.send_message(group, "a"))
        same(error.migrate_to_chat_id, moved, "the new id")
    with check("a wrong token 401, an unknown method 404, a flood 429, 500 and a proxy's page"):
        other = bot_of(root, "7200000002:AAanother-secret-of-this-bot")
        await refused(TelegramUnauthorizedError, "Unauthorized", other.get_me())
        await other.session.close()
        await refused(TelegramNotFound, "", bot(NoSuchMethod()))
        chat = people.started()
        people.fault(method="sendMessage", kind="status", code=429, retry_after=3)
        same((await refused(TelegramRetryAfter, "", bot.send_message(chat, "a"))).retry_after, 3, "retry after")
        people.fault(method="sendMessage", kind="status", code=500)
        await refused(TelegramServerError, "", bot.send_message(chat, "a"))
        people.fault(method="sendMessage", kind="drop")
        await refused(TelegramNetworkError, "", bot.send_message(chat, "lost answer"))
    with check("two pollers: 409"):
        await drain(bot)
        other = bot_of(root)
        waiting = asyncio.create_task(bot(GetUpdates(timeout=10)))
        await asyncio.sleep(0.3)
        second = asyncio.create_task(other(GetUpdates(timeout=1)))
        await refused(TelegramConflictError, "terminated by other getUpdates request", waiting)
        await second
        await other.session.close()


async def dispatcher(root, people):
    """The library's own way: routers, filters and its polling loop."""
    bot = bot_of(root, default=DefaultBotProperties(parse_mode="HTML"))
    router = Dispatcher()
    heard = []

    @router.message(CommandStart(deep_link=True))
    async def start(message: Message, command):
        heard.append(("start", command.args))
        await message.answer("<b>Hello</b>", reply_markup=keyboard("Go"))

    @router.message(Command("status"))
    async def status(message: Message):
        heard.append(("status", message.chat.id))

    @router.callback_query(F.data == "go")
    async def go(query: CallbackQuery):
        await query.answer("Going")
        await query.message.edit_text("Gone")
        heard.append(("go", query.from_user.id))

    @router.message(F.photo)
    async def photo(message: Message):
        heard.append(("photo", message.caption))

    @router.my_chat_member()
    async def member(update):
        heard.append(("member", update.new_chat_member.status))

    with check("a dispatcher polls, filters commands, presses, photos and memberships"):
        loop = asyncio.create_task(router.start_polling(bot, handle_signals=False, polling_timeout=5))
        ben = people.new()
        people.say(ben, "/start deep")
        await until(lambda: ("start", "deep") in heard, "the command with its argument")
        await until(lambda: "Hello" in str(people.sees(ben)), "its answer")
        people.press(ben, label="Go")
        await until(lambda: ("go", ben) in heard, "the press")
        people.act("photo", **{"from": ben}, photo=base64.b64encode(png(8, 8)).decode(), caption="see")
        await until(lambda: ("photo", "see") in heard, "the photo")
        group = -1_007_200_000_002
        people.act("chat", id=group, type="supergroup", title="Desk", members=[ben])
        people.say(ben, "/status@" + (await bot.get_me()).username, chat=group)
        await until(lambda: ("status", group) in heard, "the command in a group")
        people.act("block", **{"from": ben})
        await until(lambda: ("member", "kicked") in heard, "the membership")
        await router.stop_polling()
        await loop


async def main(root):
    bot = bot_of(root)
    people = People(root, BOT_ID, 720_000_000)
    await text(bot, people)
    await files(bot, people)
    await refusals(bot, root, people)
    await bot.session.close()
    await dispatcher(root, people)
    checks.end()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(sys.argv[1]))
