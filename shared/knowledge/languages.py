"""Which of PostgreSQL's dictionaries stems a language.

Snowball's, as PostgreSQL 16 ships them (pg_ts_dict); a language without one is searched by its words as they stand.
"""

from __future__ import annotations

from shared.channels.language import without_region

_STEMMED = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


def dictionary(language: str) -> str:
    """The dictionary of a language tag (RFC 5646, `de-AT`), by its first part."""
    name = _STEMMED.get(without_region(language))
    return f"{name}_stem" if name else "simple"
