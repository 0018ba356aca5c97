"""Words of RTF that stand for something a reader sees, or for nothing (RTF specification 1.9.1, MS-OXRTFEX 2.1.3)."""

from __future__ import annotations

#: What parts words and lines.
SPACES = {
    **dict.fromkeys(("par", "line", "sect", "page", "row", "nestrow"), "\n"),
    **dict.fromkeys(("tab", "cell", "nestcell"), "\t"),
    **dict.fromkeys(("emspace", "enspace", "qmspace"), " "),
}
SIGNS = {
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "zwj": "\u200d",
    "zwnj": "\u200c",
    "ltrmark": "\u200e",
    "rtlmark": "\u200f",
}
#: The same in HTML.
ENTITIES = {
    "emdash": "&mdash;",
    "endash": "&ndash;",
    "lquote": "&lsquo;",
    "rquote": "&rsquo;",
    "ldblquote": "&ldquo;",
    "rdblquote": "&rdquo;",
    "bullet": "&bull;",
}
#: Groups that hold no text of the message, marked with `\\*` by no means always.
_DOCUMENT = (
    "fonttbl colortbl stylesheet info header headerl headerr headerf footer footerl footerr footerf listtable"
    " listoverridetable revtbl rsidtbl generator themedata datastore latentstyles xmlnstbl mmathPr filetbl"
)
_OBJECTS = "pict object objdata nonshppict fldinst bkmkstart bkmkend annotation atnid atnauthor xe tc ud"
_PROPERTIES = "template operator author title subject keywords comment doccomm private"
DESTINATIONS = frozenset(f"{_DOCUMENT} {_OBJECTS} {_PROPERTIES}".split())
#: Code pages of fonts by their character set (`\\fcharset`); 0 and 1 are the document's own.
CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
#: Words that name the document's code page.
PAGES = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
