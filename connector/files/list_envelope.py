"""The envelopes of lists: of some items of a list, and of a whole list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field

from connector.common import json_text
from connector.common.absent import ABSENT
from connector.common.value_class import value_class
from connector.files.envelope import Envelope
from connector.files.long_list import LongList


@value_class
class EnvelopeBlock(Envelope):
    """The envelopes of some items of a row's list, without the row's last one, and their JSON lines.

    `result` is None, and `meta` is that of the first envelope.
    """

    lines: bytes = field(default=b"", repr=False)

    @classmethod
    def of_items(cls, first: Envelope, items: Sequence[bytes]) -> EnvelopeBlock:
        """Return the envelopes of items, given as JSON; `first` is that of the first item."""
        names = list(first.meta)
        at = names.index("item")
        before = json_text.dump_bytes({name: first.meta[name] for name in names[:at]})[:-1]
        after = json_text.dump_bytes({name: first.meta[name] for name in names[at + 1 :]})[1:]
        kept = b"" if first.input is ABSENT else b',"input":' + json_text.dump_bytes(first.input)
        start = b'{"has_error":false,"error":null,"result":'
        middle = b',"row":%d,"meta":%s,"item":' % (first.row, before)
        end = b",%s%s}\n" % (after, kept)
        number = first.meta["item"]
        pieces = [start, b"", middle, b"", end] * len(items)  # faster than formatting each line
        pieces[1::5] = items
        pieces[3::5] = [b"%d" % n for n in range(number, number + len(items))]
        return cls(first.row, None, None, first.meta, lines=b"".join(pieces))

    def line(self) -> bytes:
        """Return the lines of all envelopes."""
        return self.lines


@value_class
class ListEnvelope(Envelope):
    """The envelope of a list whose items are in `items`; `result` is None."""

    items: LongList = field(default_factory=LongList, repr=False)

    def line(self) -> bytes:
        """Return the envelope as a line of JSON Lines."""
        others = self._others(("row", "meta", "input"))
        items = b"".join(self._joined_items())
        return b'{"has_error":false,"error":null,"result":[%s],%s}\n' % (items, others)

    def blocks(self) -> Iterator[bytes]:
        """Yield the line of a long list in blocks. Raises OSError.

        Its last member is `result`, so that the others can be read without it.
        """
        yield b"{%s%s" % (self._others(("has_error", "error", "row", "meta", "input")), LONG_RESULT)
        yield from self._joined_items()
        yield b"]}\n"

    def result_lines(self) -> Iterator[bytes]:
        """Yield the items as lines of JSON, in blocks; with `input` if it is kept. Raises OSError."""
        if self.input is ABSENT:
            yield from self.items.blocks()
            yield b"\n"
            return
        start = b'{"input":%s,"result":' % json_text.dump_bytes(self.input)
        for item in self.items.items():
            yield b"%s%s}\n" % (start, item)

    def _joined_items(self) -> Iterator[bytes]:
        return (block.replace(b"\n", b",") for block in self.items.blocks())

    def _others(self, names: Sequence[str]) -> bytes:
        """Return these members as JSON, without the braces."""
        written = self.as_json()
        return json_text.dump_bytes({name: written[name] for name in names if name in written})[1:-1]


LONG_RESULT = b',"result":['
"""The start of the last member of a long list's envelope."""
