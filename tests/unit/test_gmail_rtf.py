"""Rich text, as Outlook keeps a message's body in winmail.dat: unpacked, and read as a person would see it."""

from __future__ import annotations

import base64
import struct
import time

import pytest

from shared.channels.gmail import rtf, tnef
from shared.channels.gmail.compressed_rtf import MAX_RTF, unpack
from shared.channels.gmail.message import parse

# The example of MS-OXRTFCP, section 4.1, as any writer of the format packs it.
_PACKED = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"  # pragma: allowlist secret
    "0af32068656c090020627705b06c647d0a800fa0"  # pragma: allowlist secret
)


def _stored(source: bytes) -> bytes:
    """The form that is not compressed (MS-OXRTFCP, section 2.1.3.1.4)."""
    return struct.pack("<II4sI", len(source) + 12, len(source), b"MELA", 0) + source


def _winmail(packed: bytes) -> bytes:
    inner = struct.pack("<IHHII", 1, 0x102, 0x1009, 1, len(packed)) + packed + b"\0" * (-len(packed) % 4)
    return tnef.SIGNATURE + b"\x01\x00" + struct.pack("<BHHI", 1, 0x9003, 6, len(inner)) + inner + b"\0\0"


def test_the_standards_example_is_unpacked() -> None:
    assert unpack(_PACKED) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


def test_what_was_not_compressed_is_taken_as_it_stands() -> None:
    assert unpack(_stored(b"{\\rtf1 x}")) == b"{\\rtf1 x}"


@pytest.mark.parametrize("cut", range(0, len(_PACKED), 3))
def test_a_torn_body_is_read_as_far_as_it_goes(cut: int) -> None:
    assert b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n".startswith(unpack(_PACKED[:cut]))


def test_a_body_that_unpacks_to_a_hundred_times_its_size_ends() -> None:
    """A reference of two bytes stands for seventeen; whatever the header promises, the end is ours."""
    start = time.process_time()
    packed = struct.pack("<II4sI", 2**32 - 1, 2**32 - 1, b"LZFu", 0) + (b"\xff" + b"\x00\x0f" * 8) * 400_000
    assert len(unpack(packed)) <= MAX_RTF
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fswiss Arial;}}\pard How do I\par export?\par}", "How do I\nexport?"),
        (rb"{\rtf1\ansi\ansicpg1252 Gr\'fc\'dfe aus K\'f6ln \'80 5}", "Grüße aus Köln € 5"),
        (rb"{\rtf1\ansi\uc1 \u1055?\u1088?\u1080? \u-10179?\u-8704?}", "При 😀"),
        (rb"{\rtf1\ansi{\uc2\u12371\'82\'b1}\uc0\u233 t\u233}", "こété"),
        (rb"{\rtf1\ansi{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}}\f1\'cf\'f0\'e8 \f0\'e9}", "При é"),
        (rb"{\rtf1\ansi\ansicpg932 \'82\'b1\'83A}", "こア"),
        (rb"{\rtf1\ansi\deff0{\*\generator Riched20 6;}{\info{\author Ada}}a\{b\}\\c\~d\_e\-f}", "a{b}\\c\xa0d-ef"),
        (rb"{\rtf1 \ldblquote Hi\rdblquote  \endash  it\rquote s\emdash\bullet}", "“Hi” – it’s—•"),
        (rb"{\rtf1 a{\pict\pngblip 89504e47}{\v hidden}b{\object{\*\objdata 0105}}\bin3 }}}c}", "abc"),
        (rb'{\rtf1 see {\field{\*\fldinst HYPERLINK "https://example.com/"}{\fldrslt the page}}.}', "see the page."),
        (rb"{\rtf1 one\cell two\cell\row three\tab four\line five}", "one\ttwo\nthree\tfour\nfive"),
        (rb"{\rtf1{\upr{a}{\*\ud{b}}}\pard x}", "ax"),
        (b"{\\rtf1 split\r\n words\\\nnext}", "split words\nnext"),
    ],
)
def test_rich_text_is_read(source: bytes, text: str) -> None:
    read = rtf.read(source)
    assert read.html == ""
    assert "\n".join(line.rstrip() for line in read.text.strip().split("\n")) == text


def test_a_body_that_was_html_is_that_html_again() -> None:
    """MS-OXRTFEX: what stands in htmltag groups, and the text between them; what is for RTF readers alone is not."""
    source = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}"
        rb"{\*\htmltag19 <html>}{\*\htmltag50 <body>}\htmlrtf \lang1033 \htmlrtf0"
        rb"{\*\htmltag64 <p class=\'22a\'22>}\htmlrtf {\htmlrtf0 How do I \'e9xport "
        rb"{\*\htmltag84 &lt;}\htmlrtf <\htmlrtf0 all\htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>}"
        rb"{\*\mhtmltag84 <img src=x>}{\*\htmltag84 \par}{\*\htmltag58 </body>}}"
    )
    made = '<html><body><p class="a">How do I éxport &lt;all</p>\r\n</body>'
    assert rtf.read(source).html.split() == made.split()


def test_a_body_that_was_plain_text_is_that_text() -> None:
    source = rb"{\rtf1\ansi\fromtext\deff0{\fonttbl{\f0 Courier;}}\uc1\pard\plain\f0 Hello\line\par > you wrote\par}"
    assert rtf.read(source).text.split("\n") == ["Hello", "", "> you wrote", ""]


def test_winmail_with_rich_text_alone_is_read() -> None:
    """R4.1: Outlook's "rich text" mails to the outside carry their words there and nowhere else."""
    source = rb"{\rtf1\ansi\ansicpg1252\pard How do I export to \'dcber?\par Ada\par}"
    for packed in (_stored(source), _PACKED):
        head = b"From: ada@example.org\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n"
        head += b"Content-Transfer-Encoding: base64\r\n\r\n"
        mail = parse(head + base64.encodebytes(_winmail(packed)))
        assert mail.new_text in {"How do I export to Über?\nAda", "hello world"}
        assert not mail.files


def test_a_part_of_rich_text_is_read() -> None:
    head = b"From: ada@example.org\r\nContent-Type: text/rtf\r\n\r\n"
    assert parse(head + rb"{\rtf1\ansi How do I export?\par}").new_text == "How do I export?"


@pytest.mark.parametrize(
    "source",
    [
        b"{\\rtf1" + b"{" * 300_000,
        b"{\\rtf1" + b"{\\f1" * 100_000,
        b"{\\rtf1" + b"{\\f1}" * 100_000,
        b"{\\rtf1" + b"\\'" * 200_000,
        b"{\\rtf1 \\bin99999999999999999999 x}",
        b"{\\rtf1\\uc99999999999 \\u1?\\u99999999999?}",
        b"{\\rtf1\\fromhtml1" + b"{\\*\\htmltag1 <}" * 60_000,
    ],
)
def test_hostile_rich_text_takes_no_time(source: bytes) -> None:
    start = time.process_time()
    rtf.read(source)
    assert time.process_time() - start < 1.5
