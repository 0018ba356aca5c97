"""How sure the receiving server is of who wrote: Authentication-Results (RFC 8601), read strictly.

    dmarc=pass, for the From domain                               verified
    dmarc=fail                                                    held
    no DMARC record, and dkim=pass of the From domain             verified
    anything else: no result, two senders, a field hard to read   claimed

Only the topmost field counts, and only when our receiver wrote it: it puts its own on top and
removes those that pretend to be its own (RFC 8601, section 5). A failure it reports counts wherever
its field stands, since that can only lower the trust.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import idna
from publicsuffixlist import PublicSuffixList  # pyright: ignore[reportMissingTypeStubs]

from shared.channels.gmail.headers import Headers, Mailbox
from shared.channels.message import Trust

_TOKEN = re.compile(r"[^\s;=()\"\\]+")
# A value may hold equal signs (VERP senders), and a quoted part before the @ of an address.
_VALUE = re.compile(r'(?:[^\s;()"\\]+|"(?:[^"\\]|\\.)*")+')
_SPACE = re.compile(r"\s*")
_DOMAIN = re.compile(r"[a-z0-9.-]+")
_VERSION = "1"
_MOST_RESULTS = 50
# "No record", also as some receivers put it when they guess what a record would have said.
_NO_RECORD = frozenset({"none", "bestguesspass"})


@dataclass(frozen=True, slots=True)
class Result:
    """One `method=value` with its properties, such as `header.from`, all in lower case."""

    method: str
    value: str
    properties: tuple[tuple[str, str], ...] = ()

    def property(self, name: str) -> str:
        """A property's value, or an empty text; one that is given twice is none."""
        found = self.all(name)
        return found[0] if len(found) == 1 else ""

    def all(self, name: str) -> list[str]:
        """Every value that is given for a property."""
        return [value for key, value in self.properties if key == name]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is what the trust rests on, in the receiver's words."""

    trust: Trust
    reason: str


class MalformedError(ValueError):
    """The field does not follow the grammar of RFC 8601, section 2.2."""


def judge(headers: Headers, senders: tuple[Mailbox, ...], sound_from: bool, authserv_id: str) -> Verdict:
    """What `authserv_id` says of the one sender in From. Never raises."""
    fields = headers.all("authentication-results")
    ours = [field for field in fields if _serv_id(field) == authserv_id.lower()]
    results = _results(ours[0]) if ours else None
    if results and any(result.method == "dmarc" and result.value == "fail" for result in results):
        return Verdict(Trust.HELD, "dmarc=fail")
    if not sound_from or len(senders) != 1:
        return Verdict(Trust.CLAIMED, "not one sender")
    if not ours or fields[0] is not ours[0]:
        return Verdict(Trust.CLAIMED, "no authentication results")
    if results is None:
        return Verdict(Trust.CLAIMED, "malformed authentication results")
    return _of_results(results, _domain(senders[0].address))


def parse_results(field: str) -> tuple[str, list[Result]]:
    """The authserv-id and the results of one unfolded field. Raises MalformedError."""
    first, *rest = _resinfos(field)
    # The version of the field, 1, may stand behind it (section 2.2); what another one says is not for us to read.
    if not first or first[1:] not in ([], [_VERSION]) or "=" in first[0]:
        raise MalformedError("authserv-id")
    results = [_result(tokens) for tokens in rest if tokens and tokens != ["none"]]
    return _bare(first[0]), results


def _of_results(results: list[Result], domain: str) -> Verdict:
    dmarc = [result for result in results if result.method == "dmarc"]
    if any(result.value not in _NO_RECORD for result in dmarc):
        # Repeated results must agree (section 2.7 knows no vote).
        passed = all(r.value == "pass" and _plain_domain(r.property("header.from")) == domain for r in dmarc)
        passed = passed and _is_domain(domain)
        return Verdict(Trust.VERIFIED, "dmarc=pass") if passed else Verdict(Trust.CLAIMED, "dmarc without a verdict")
    if any(r.method == "dkim" and r.value == "pass" and _aligned(r, domain) for r in results):
        return Verdict(Trust.VERIFIED, "dkim=pass")
    return Verdict(Trust.CLAIMED, "no aligned result")


def _aligned(result: Result, domain: str) -> bool:
    """Relaxed alignment (RFC 7489, section 3.1.1): signer and From share their organizational domain."""
    signer = _signer(result)
    if not signer or not _is_domain(domain) or signer == domain:
        return bool(signer) and signer == domain
    organization = _suffixes().privatesuffix(domain)
    return organization is not None and organization == _suffixes().privatesuffix(signer)


def _signer(result: Result) -> str:
    """The domain that signed, or an empty text: header.d, and header.i at it or below (RFC 6376, section 3.5)."""
    named, identities = result.all("header.d"), result.all("header.i")
    single = len(identities) == 1 and identities[0].count("@") <= 1
    identity = _plain_domain(identities[0].rpartition("@")[2]) if single else ""
    if not named:
        return identity
    signer = _plain_domain(result.property("header.d"))
    if not identities or identity == signer or identity.endswith(f".{signer}"):
        return signer
    return ""


@cache
def _suffixes() -> PublicSuffixList:
    # Whoever rents a name below a public suffix must not speak for it, nor for its other tenants.
    return PublicSuffixList()


def _domain(address: str) -> str:
    return _in_a_labels(address.rpartition("@")[2])


def _plain_domain(text: str) -> str:
    """A domain as A-labels, or an empty text for what is none."""
    domain = _in_a_labels(text)
    return domain if _is_domain(domain) else ""


def _is_domain(text: str) -> bool:
    return _DOMAIN.fullmatch(text) is not None


def _in_a_labels(domain: str) -> str:
    """Lower-case A-labels by IDNA 2008, as addresses are looked up: by the older mapping `ß` would be `ss`."""
    plain = domain.strip().rstrip(".").lower()
    try:
        return idna.encode(plain, uts46=True).decode() if not plain.isascii() else plain
    except (idna.IDNAError, UnicodeError):
        return plain


def _serv_id(field: str) -> str:
    try:
        first, *_ = _resinfos(field)
    except MalformedError:
        # Still ours when it begins with our name: then it counts, as one that says nothing.
        found = _TOKEN.match(field.strip())
        return found[0].lower() if found else ""
    return _bare(first[0]) if first else ""


def _bare(serv_id: str) -> str:
    """The authserv-id, which may be a quoted string (RFC 8601, section 2.2)."""
    return serv_id.removeprefix('"').removesuffix('"').lower()


def _results(field: str) -> list[Result] | None:
    try:
        return parse_results(field)[1]
    except MalformedError:
        return _failures(field)


def _failures(field: str) -> list[Result] | None:
    """Of a field that can't be read only a failure counts."""
    return [Result("dmarc", "fail")] if re.search(r"\bdmarc\s*=\s*fail\b", field, re.IGNORECASE) else None


def _result(tokens: list[str]) -> Result:
    """`method[/version]=value [reason=…] [ptype.property=value]…`."""
    pairs = [_pair(token) for token in _closed_up(tokens)]
    method, value = pairs[0]
    properties = tuple((name, said) for name, said in pairs[1:] if "." in name)
    name, slash, version = method.partition("/")
    if slash and version != _VERSION:
        raise MalformedError("an unknown version of a method")
    return Result(name, value, properties)


def _closed_up(tokens: list[str]) -> list[str]:
    """Names in one piece: spaces and comments may stand around their dot and slash, too (section 2.2)."""
    whole: list[str] = []
    for token in tokens:
        begun = bool(whole) and "=" not in whole[-1] and (token[0] in "./" or whole[-1][-1] in "./")
        if begun:
            whole[-1] += token
        else:
            whole.append(token)
    return whole


def _pair(token: str) -> tuple[str, str]:
    name, equals, value = token.partition("=")
    if not (name and equals):
        raise MalformedError("a result without a value")
    return name.lower(), value.lower()


def _resinfos(field: str) -> list[list[str]]:
    """The field at its semicolons: lists of words, `name=value` joined, comments dropped, quotes undone."""
    infos: list[list[str]] = [[]]
    at, joining = _SPACE.match(field, 0).end(), False  # pyright: ignore[reportOptionalMemberAccess]
    while at < len(field):
        character = field[at]
        if character == "(":
            at = _after_comment(field, at)
        elif character == ";":
            infos.append([])
            at, joining = at + 1, False
        elif character == "=":
            if joining or not infos[-1] or "=" in infos[-1][-1]:
                raise MalformedError("an equal sign too many")
            infos[-1][-1] += "="
            at, joining = at + 1, True
        else:
            at, joining = _take_word(field, at, infos[-1], joining)
        at = _SPACE.match(field, at).end()  # pyright: ignore[reportOptionalMemberAccess]
    if len(infos) > _MOST_RESULTS:
        raise MalformedError("too many results")
    return infos


def _take_word(field: str, at: int, words: list[str], joining: bool) -> tuple[int, bool]:
    found = (_VALUE if joining or field[at] == '"' else _TOKEN).match(field, at)
    if found is None:
        raise MalformedError("an unexpected character")
    if joining:
        words[-1] += re.sub(r'"((?:[^"\\]|\\.)*)"', lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), found[0])
    else:
        words.append(found[0])
    return found.end(), False


def _after_comment(field: str, at: int) -> int:
    """The place after a comment, which may nest (RFC 5322, section 3.2.2)."""
    depth = 0
    while at < len(field):
        character = field[at]
        if character == "\\":
            at += 1
        depth += {"(": 1, ")": -1}.get(character, 0)
        at += 1
        if depth == 0:
            return at
    raise MalformedError("a comment without an end")
