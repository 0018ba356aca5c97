"""Web addresses in a text, also those that are written so that a person reads them and a plain search does not."""

from __future__ import annotations

import re
import unicodedata

EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s<>\"'()\[\]{}]+|www\.[^\s<>\"'()\[\]{}]+", re.IGNORECASE)

#: Endings that stand for an address also without https:// before or a path behind them; none is a file's.
_ENDINGS = (
    "com|org|net|io|dev|app|co|de|eu|uk|us|info|ly|me|ai|help|site|shop|link|xyz|online|tech|store|biz|gg|tk|ru|рф|cn|fr|es|"
    "nl|ch|at|pl|it|in|pk|ae|sa|top|click|live|page|cloud|support|email|chat|world|website|space|club|vip|icu|to|cc|tv|sh"
)
#: Those of them that are no words by themselves, for a dot that is said or stands apart.
_PLAIN_ENDINGS = "com|org|net|io|dev|info|xyz|biz|eu|uk|ru|рф|cn|de|link|site|online|shop"
_DOMAIN = re.compile(
    rf"(?<![@\w./-])(?:[\w-]+\.)+(?:(?:{_ENDINGS}|xn--[\w-]+)(?![\w-])(?:[/:?#][^\s<>\"'()\[\]{{}}]*)?"
    r"|[a-z]{2,24}/[^\s<>\"'()\[\]{}]+)",
    re.IGNORECASE,
)
#: By number, with a path or a port: `192.0.2.7/login`.
_NUMBERED = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])(?:[:/][^\s<>\"'()\[\]{}]*)?")
#: Schemes that need no slashes.
_BARE_SCHEME = re.compile(r"\b(?:javascript|data|vbscript|file|tel|sms|skype|whatsapp|tg):\S+", re.IGNORECASE)

_HIDDEN_DOT = re.compile(
    r"\s*[\[({<]\s*(?:\.|dot|punkt|punto|point|نقطة)\s*[\])}>]\s*|[。․．｡]|"
    rf"\s+(?:dot|punkt|punto|point|نقطة)\s+(?=(?:{_PLAIN_ENDINGS})(?!\w))",
    re.IGNORECASE,
)
_SPACED_DOT = re.compile(rf"(?<=[\w-])\s+\.\s?(?=(?:{_PLAIN_ENDINGS})(?!\w))", re.IGNORECASE)
_HIDDEN_AT = re.compile(r"\s*[\[({<]\s*(?:@|at|ät|arroba|arobase)\s*[\])}>]\s*", re.IGNORECASE)
_SAID_AT = re.compile(rf"(?<=\w)\s+(?:at|arroba|arobase)\s+(?=[\w-]+\.(?:{_ENDINGS})(?!\w))", re.IGNORECASE)
_SPELT = re.compile(r"(?<!\w)(?:[\w.]\s){4,}[\w.](?!\w)")
_SCHEME = re.compile(r"\bh(?:xx|tt|\*\*)p(s?)\s*(?::|\[:\])\s*[/\\]{2}\s*", re.IGNORECASE)


def unmasked(text: str) -> str:
    """As a person reads it: without invisible letters, look-alike ones as the plain ones, `evil [dot] com` joined."""
    shown = "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf")
    shown = _SPELT.sub(lambda match: re.sub(r"\s", "", match[0]), shown)
    for pattern, plain in ((_HIDDEN_DOT, "."), (_SPACED_DOT, "."), (_HIDDEN_AT, "@"), (_SAID_AT, "@")):
        shown = pattern.sub(plain, shown)
    return _SCHEME.sub(r"http\1://", shown)


def links(text: str) -> list[str]:
    """Addresses of web pages in a text, also those without https://; none of an e-mail address."""
    shown = EMAIL.sub(" ", unmasked(text))
    found: list[str] = []
    for pattern in (URL, _BARE_SCHEME, _DOMAIN, _NUMBERED):
        found += [match[0].rstrip(".,;:!?") for match in pattern.finditer(shown)]
        shown = pattern.sub(" ", shown)
    return found


def without_addresses(text: str) -> str:
    """The text without web and e-mail addresses; what was masked stays as it is written."""
    return _DOMAIN.sub(" ", EMAIL.sub(" ", URL.sub(" ", text)))


def plain_url(url: str) -> str:
    """An address as it is compared: without scheme, `www.` and the mark behind it, its host in small letters."""
    plain = re.sub(r"^(?:https?://)?(?:www\.)?", "", url.strip().rstrip(".,;:!?/"), flags=re.IGNORECASE)
    host, slash, path = plain.partition("/")
    return f"{host.lower()}{slash}{path}"
