"""The people who write to a bot, played through the control side of the local Bot API server."""

import io
import struct
import zlib

from report import expect, get, post


class People:
    """Acts for people towards one bot; each person that is asked for is a new one with a chat of its own."""

    def __init__(self, root, bot_id, first_id):
        self.root, self.bot_id = root, bot_id
        self.next_id = first_id

    def act(self, path, **body):
        """Does what a control path offers; raises when the server refuses it."""
        answer = post(f"{self.root}/simulate/{path}", {"bot": self.bot_id, **body})
        expect(answer.get("ok"), f"/simulate/{path}: {answer}")
        return answer

    def new(self, name="Ben", **fields):
        """Makes a person who has never written to the bot, and returns the id of person and private chat."""
        self.next_id += 1
        self.act("user", id=self.next_id, first_name=name, **fields)
        return self.next_id

    def started(self, name="Ben", **fields):
        """Makes a person who has opened the chat with /start."""
        person = self.new(name, **fields)
        self.act("message", **{"from": person}, text="/start")
        return person

    def say(self, person, text, **more):
        return self.act("message", **{"from": person}, text=text, **more)

    def press(self, person, **button):
        return self.act("press", **{"from": person}, **button)

    def sees(self, person, chat=None):
        """Returns the chat as that person's page shows it."""
        query = f"bot={self.bot_id}&from={person}" + (f"&chat={chat}" if chat is not None else "")
        return get(f"{self.root}/simulate/chat?{query}")

    def fault(self, **fault):
        return self.act("fault", **fault)


def png(width, height, grey=128):
    """Returns a real PNG of one shade."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + bytes([grey]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def named(data, name):
    """Returns bytes as a file with a name."""
    file = io.BytesIO(data)
    file.name = name
    return file


# Each way to format with what must come of it: text, then (type, offset, length) of each entity, in UTF-16 units.
FORMATTED = {
    "HTML": [
        ("<b>bold</b> <i>italic</i> <u>under</u> <s>gone</s>", "bold italic under gone",
         [("bold", 0, 4), ("italic", 5, 6), ("underline", 12, 5), ("strikethrough", 18, 4)]),
        ("<b>bold <i>both</i></b>", "bold both", [("bold", 0, 9), ("italic", 5, 4)]),
        ("\N{ROCKET} <code>x</code> &lt;&amp;&gt;", "\N{ROCKET} x <&>", [("code", 3, 1)]),
        ('<pre><code class="language-python">a = 1</code></pre>', "a = 1", [("pre", 0, 5)]),
        ('<a href="https://example.com/">link</a>', "link", [("text_link", 0, 4)]),
        ('<a href="tg://user?id=123456789">person</a>', "person", [("text_mention", 0, 6)]),
        ("<tg-spoiler>secret</tg-spoiler>", "secret", [("spoiler", 0, 6)]),
        ("<blockquote expandable>quote</blockquote>", "quote", [("expandable_blockquote", 0, 5)]),
    ],
    "MarkdownV2": [
        ("*bold* _italic_ __under__ ~gone~", "bold italic under gone",
         [("bold", 0, 4), ("italic", 5, 6), ("underline", 12, 5), ("strikethrough", 18, 4)]),
        ("*bold _both_*", "bold both", [("bold", 0, 9), ("italic", 5, 4)]),
        ("`x` \\(1\\.5\\)", "x (1.5)", [("code", 0, 1)]),
        ("```python\na = 1\n```", "a = 1", [("pre", 0, 5)]),
        ("[link](https://example.com/)", "link", [("text_link", 0, 4)]),
        ("||secret||", "secret", [("spoiler", 0, 6)]),
        (">quote", "quote", [("blockquote", 0, 5)]),
    ],
    "Markdown": [
        ("*bold* _italic_ `code`", "bold italic code", [("bold", 0, 4), ("italic", 5, 6), ("code", 12, 4)]),
        ("[link](https://example.com/)", "link", [("text_link", 0, 4)]),
        ("snake\\_case", "snake_case", []),
    ],
}

# Each text that can't be parsed with what the server says of it.
BROKEN = {
    "HTML": [
        ("<x>a</x>", 'unsupported start tag "x" at byte offset 0'),
        ("<b>a", 'can\'t find end tag corresponding to start tag "b"'),
        ("<b><i>a</b></i>", 'unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("a</b>", "unexpected end tag at byte offset 1"),
    ],
    "MarkdownV2": [
        ("1.5", "character '.' is reserved and must be escaped with the preceding '\\'"),
        ("*a", "can't find end of bold entity at byte offset 0"),
        ("`a", "can't find end of code entity at byte offset 0"),
    ],
    "Markdown": [("*a", "can't find end of the entity starting at byte offset 0")],
}
