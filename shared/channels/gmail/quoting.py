"""What the customer wrote now, apart from the original they quote and the signature below it.

When it is not sure that a line is a quote or a signature, it stays: a quote too many costs the agent
a moment, a sentence too few costs the customer an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.channels.gmail.html_marks import SIGNATURE_MARK
from shared.channels.gmail.phrases import (
    BARE_ORIGINAL,
    FORWARDED,
    LABELS,
    OF_THE_WRITER,
    ORIGINAL,
    REPLY_ABOVE,
    WROTE,
)
from shared.channels.gmail.signature import is_sentence, says_something, without_signature

# Marks on both sides of a line are an ornament of the writer's.
_QUOTED = re.compile(r"^ {0,3}>(?!.{0,500}<<\s*$)")
_RULE = re.compile(r"^\s*[_\-—=*]{3,}\s*$")
_TITLE = re.compile(r"^\s*[-_=–—]{4,}\s?[^\W\d_][^-_=–—]{2,60}\s?[-_=–—]{4,}\s*$")
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.hH：]\d{2}(?!\d)|\d{1,2}時\d{1,2}分")
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}(?!\d)|[٠-٩۰-۹]{4}"
    r"|\b[^\W\d_]{3,9}-\d{1,2}-\d\d\b"
)
_ADDRESS = re.compile(r"[^\s<>()@]{1,64}@[^\s<>()@]{1,255}")
_ENDS = re.compile(r"[:：]\s*\*?$")
# A date first, an address last: Gmail wrote its attributions so for years.
_BARE = re.compile(r"(?:19|20)\d\d[/-]\d{1,2}[/-]\d{1,2}\s.{0,200}<[^\s<>@]{1,64}@[^\s<>]{1,255}>$")
_OFF_ADDRESS = re.compile(r"^\s{0,3}>\s?[:：]\s*$")
# A client that loses the line end between an answer and its English attribution.
_SHARED_LINE = re.compile(
    r"^(?P<answer>.{1,400}?\S)\s{0,3}-{0,3}\s{0,3}"
    r"(?P<intro>On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}, .{1,200}\bwrote:)$"
)
# The same between the attribution and what it quotes, as phones write them, in any language.
_SHARED_BELOW = re.compile(r"^(?P<intro>\s{0,4}\S.{20,300}?[:：])\s{2,20}(?P<quote>\S.{0,200}.*)$")
# Marks that steer the direction of text stand around names and numbers in right-to-left mails.
_DIRECTIONS = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_MOST_LINES = 4
_LONGEST = 500
_WRAPPED = 65
_REST = 40
_REST_OF_SENTENCE = 70
_SENTENCE_ENDS = frozenset(".!?:;。？！…")
_MOST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Split:
    """`new` is what was written now; none of the three overlap, and together they are the text."""

    new: str
    quoted: str = ""
    signature: str = ""


def split(text: str, *, answers: bool = True) -> Split:
    """Split one plain text; `text` uses line feeds.

    `answers`: the mail answers or forwards another. A new one has nothing to quote: its `>` lines are its writer's.
    """
    lines, marked = _without_marked(text)
    lines = _with_attributions_apart(lines) if answers else lines
    marks = _marks(lines, answers)
    new, quoted = _without_quote(lines, marks)
    if not _has_words(new):
        # Nothing but a quote or a forward: then that is what they wanted to say.
        return Split(text.replace(SIGNATURE_MARK, "").strip())
    kept, signature = without_signature(new)
    if not _has_words(kept):
        kept, signature = new, []
    return Split(_joined(kept), _joined(quoted), _joined(signature + marked))


def has_quote(found: Split) -> bool:
    """Whether a quote was found, or stands between answers of the customer's."""
    return bool(found.quoted) or any(_QUOTED.match(line) for line in found.new.split("\n"))


def without_end(found: Split, ending: str) -> Split:
    """The same with `ending`, in whatever spacing, moved from the end of the new text to the signature."""
    words = ending.split()
    if not 0 < len(words) <= _MOST_WORDS:
        return found
    above, *last = found.new.rsplit(None, len(words)) or [""]
    if last != words or not above.strip() or says_something([ending]):
        return found
    return Split(above, found.quoted, found.new[len(above) :].strip())


def _without_marked(text: str) -> tuple[list[str], list[str]]:
    """The lines, and apart from them those that the client marked as a signature."""
    lines = text.split("\n")
    marked = [line.replace(SIGNATURE_MARK, "") for line in lines if line.startswith(SIGNATURE_MARK)]
    bare = ["" if line.startswith(SIGNATURE_MARK) else line.replace(SIGNATURE_MARK, "") for line in lines]
    if not _has_words(bare):
        return marked, []
    # Some write inside it.
    typed = any(says_something([line]) or is_sentence(line) for line in marked)
    return ([line.replace(SIGNATURE_MARK, "") for line in lines], []) if typed else (bare, marked)


def _with_attributions_apart(lines: list[str]) -> list[str]:
    """Words on an attribution's very line, which must carry date and time, get a line of their own."""
    apart: list[str] = []
    for line in lines:
        below = _SHARED_BELOW.match(line) if "@" in line[:_LONGEST] and not _QUOTED.match(line) else None
        if below and _is_whole_attribution(below["intro"]):
            apart += [below["intro"], f"> {below['quote']}"]
            continue
        may = len(line) <= _LONGEST and line.endswith("wrote:") and not _QUOTED.match(line)
        found = _SHARED_LINE.match(line) if may else None
        if found and _DATE.search(found["intro"]) and _TIME.search(found["intro"]):
            apart += [found["answer"], found["intro"]]
        else:
            apart.append(line)
    return apart


def _is_whole_attribution(line: str) -> bool:
    """The verb at its end, a date, a time and an address."""
    said = WROTE.search(line[-16:]) and _DATE.search(line) and _TIME.search(line) and _ADDRESS.search(line)
    return bool(said) and not OF_THE_WRITER.search(line)


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip()


def _has_words(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)


def _marks(lines: list[str], answers: bool) -> str:
    """A letter a line: `e` empty, `q` quoted, `s` introduces a quote, `S` introduces all that follows, `t` text."""
    marks: list[str] = []
    while len(marks) < len(lines):
        at = len(marks)
        marks += _mark(lines, at) if answers else _mark_of_new(lines, at)
    return _unwrapped(lines, "".join(marks))


def _mark_of_new(lines: list[str], at: int) -> list[str]:
    """Only what clients write around a forward; logs, chats, forms and prompts look like all the rest."""
    line = lines[at]
    if not line.strip():
        return ["e"]
    begins = len(line) <= _LONGEST and (
        ORIGINAL.match(line)
        or FORWARDED.match(line)
        or _is_header_block(lines, at, full=True)
        or (_RULE.match(line) and _is_header_block(lines, at + 1, full=True))
    )
    return ["S"] if begins else ["t"]


def _mark(lines: list[str], at: int) -> list[str]:
    line = lines[at]
    if not line.strip():
        return ["e"]
    if _QUOTED.match(line):
        return ["q"]
    if len(line) > _LONGEST:
        return ["t"]
    if ORIGINAL.match(line) or FORWARDED.match(line) or REPLY_ABOVE.match(line) or _is_header_block(lines, at):
        return ["S"]
    titled = _RULE.match(line) or _TITLE.match(line) or BARE_ORIGINAL.match(line)
    if titled and any(_is_header_block(lines, at + more) for more in (1, 2)):
        return ["S"]
    return _attribution(lines, at) or ["t"]


def _is_header_block(lines: list[str], at: int, *, full: bool = False) -> bool:
    """From and at least two more of Sent, To and Subject, as Outlook puts above what is answered.

    An address or a date tells it from a form; `full` asks for an address, a date and a time.
    """
    found: set[str] = set()
    end = at
    for line in lines[at : at + 7]:
        kind = next((kind for kind, label in LABELS.items() if label.match(line[:_LONGEST])), None)
        if kind is None and (not line.strip() or not found):
            break
        found |= {kind} if kind else set()
        end += 1
    if "from" not in found or len(found) < 3:
        return False
    said = " ".join(line[:_LONGEST] for line in lines[at:end])
    addressed, dated, timed = _ADDRESS.search(said), _DATE.search(said), _TIME.search(said)
    return bool(addressed and dated and timed) if full else bool(addressed or dated)


def _attribution(lines: list[str], at: int) -> list[str]:
    """ "On … wrote:" over up to four lines; empty when it is none."""
    for count in range(1, _MOST_LINES + 1):
        part = lines[at : at + count]
        off = count > 1 and _OFF_ADDRESS.match(part[-1]) and "<" in part[-2]
        if len(part) < count or not part[-1].strip() or (_QUOTED.match(part[-1]) and not off):
            return []
        joined = " ".join(line.strip() for line in part).translate(_DIRECTIONS)
        if len(joined) > _LONGEST:
            return []
        if _ENDS.search(joined) or (WROTE.search(part[-1][-12:]) and _DATE.search(joined)) or _BARE.match(joined):
            # A date further down begins the attribution: what stands above it is the writer's.
            if any(_DATE.search(" ".join(part[later:])) and not _DATE.search(part[0]) for later in range(1, count)):
                return []
            return _weighed(joined, lines[at + count : at + count + 10], count)
    return []


def _weighed(joined: str, after: list[str], count: int) -> list[str]:
    """A quote below makes any "… wrote:" an attribution; without one it must carry time and sender."""
    wrote, dated = bool(WROTE.search(joined)), bool(_DATE.search(joined))
    timed, addressed = bool(_TIME.search(joined)), bool(_ADDRESS.search(joined))
    begins = next((at for at, line in enumerate(after[:3]) if line.strip()), 0)
    if wrote and dated and addressed and _is_header_block(after, begins):
        return ["S"] * count
    quote_follows = bool(after) and _QUOTED.match(after[begins])
    if quote_follows and (wrote or (dated and (timed or addressed))):
        return ["s"] * count
    if dated and timed and not _BARE.match(joined) and (addressed or (wrote and not OF_THE_WRITER.search(joined))):
        return ["S"] * count
    return []


def _unwrapped(lines: list[str], marks: str) -> str:
    """The short end of a long quoted line, that a client wrapped without its mark, is quoted too."""
    found = list(marks)
    for lone in re.finditer(r"(?<=q)t(?=q)", marks):
        at = lone.start()
        whole = lines[at - 1].rstrip()[-1:] in _SENTENCE_ENDS
        short = len(lines[at]) <= (_REST if whole else _REST_OF_SENTENCE)
        if len(lines[at - 1]) >= _WRAPPED and short and lines[at][:1].islower():
            found[at] = "q"
    return "".join(found)


def _without_quote(lines: list[str], marks: str) -> tuple[list[str], list[str]]:
    all_follows = marks.find("S")
    head = marks if all_follows < 0 else marks[:all_follows]
    tail = [] if all_follows < 0 else lines[all_follows:]
    if all_follows >= 0 and "q" not in head and _answer_below(marks[all_follows:]):
        # A quote with its marks, and the answer below it: the marks tell where it ends.
        head, tail = marks, []
    blocks = list(re.finditer(r"[sS]+e*(?:q[qe]*)?|q[qe]*", head))
    if _interleaved(head):
        return lines[: len(head)], tail
    new: list[str] = []
    quoted: list[str] = []
    end = 0
    for block in blocks:
        new += lines[end : block.start()]
        quoted += lines[block.start() : block.end()]
        end = block.end()
    return new + lines[end : len(head)], quoted + tail


def _answer_below(marks: str) -> bool:
    """Text below the last quoted line, with nothing unmarked between the introduction and the quote."""
    return bool(re.fullmatch(r"S+e*q[qe]*t[te]*", marks))


def _interleaved(marks: str) -> bool:
    """Answers between the quoted lines: without the quotes they would say nothing."""
    return bool(re.search("qt+q", marks.replace("e", "")))
