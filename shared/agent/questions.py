"""Questions back to the customer in the languages that the gate reads besides English: they presume nothing."""

from __future__ import annotations

import re

from shared.channels.fold import fold, letters

#: Words beyond which a question tells more than it asks.
_MOST_WORDS = 35

_ASKED = {
    "de": r"^(?:und |oder |also |bitte |(?:in|auf|mit|bei|von|an|fur|um) )?(?:welche\w*|was|wo|wohin|woher|wann|wer|wem"
    r"|wen|wie|worum|womit|konn(?:en|ten)|haben|hatten|ist|sind|mochten|wollen|sollen|durfen|meinen|verwenden|benutzen|nutzen"
    r"|sehen|wurden|geht|tritt|erscheint|funktioniert|erhalten|bekommen|handelt|melden|arbeiten)\b",
    "es": r"^[¿ ]*(?:y |o |por favor,? |(?:en|a|de|con|desde|para|por) )?(?:que|cual\w*|cuando|donde|quien\w*"
    r"|como|cuant\w*|pued\w+|podr\w+|tiene\w*|ha|han|usa\w*|utiliza\w*|esta\w*|es|necesita\w*|quiere\w*|desea\w*"
    r"|se refiere\w*|ve|le|les|aparece\w*|recibe\w*|nos)\b",
    "fr": r"^(?:et |ou |s'il vous plait,? |(?:dans|sur|a|de|avec|pour|depuis) )?(?:quel\w*|qu'|que|quoi|ou|quand"
    r"|qui|comment|combien|pouv\w+|pourri\w+|avez|est-ce|est|etes|utilisez|voyez|parlez|souhaitez"
    r"|voulez|voudriez|recevez|s'agit)(?:\b|(?<='))",
    "ar": r"^(?:و|في |من |علي |ب|ل)?(?:هل|ماذا|ما|اي|ايهما|متي|اين|كيف|كم|من)(?!\w)",
    "ur": r"(?<!\w)(?:كيا|كون|كونسا|كونسي|كب|كهاں|كيسے|كتن\w*|كس|كن)(?!\w)",
}
_PRESUMED = {
    "de": r"\b(?:wussten|wissen sie|bewusst|klar,? dass|warum|weshalb|wieso|nachdem|nicht wahr|weil)\b"
    r"|\bda (?:wir|tideline)\b|\bnun,? da\b",
    "es": r"\b(?:sabia\w*|sabe\w* que|por que|ya que|porque|ahora que|puesto que|no es asi)\b|\bverdad ?\?",
    "fr": r"\b(?:saviez|savez-vous|pourquoi|parce que|puisque|maintenant que|sachant|n'est-ce pas)\b",
    "ar": r"(?:تعلم|تعرف) (?:ان|بان)|(?<!\w)(?:لماذا|لان\w*|بما ان|بعد ان|اليس)(?!\w)",
    "ur": r"(?:جانتے|معلوم|علم) (?:هيں|هے|تھا|ركھتے)|(?<!\w)(?:كيوں|كيونكه|چونكه)(?!\w)|درست ?[؟?]",
}
_SECRET = {
    "de": r"passwort\w*|kennwort\w*|\bpin\b|\btan\b|\w*codes?\b|kartennummer\w*|\biban\b|zugangsdaten",
    "es": r"contrasen\w*|\bclaves?\b|\bcodigos?\b|\bpin\b|numero de (?:la |su )?tarjeta|\biban\b|\bcvv\b",
    "fr": r"mots? de passe|\bcodes?\b|\bpin\b|numero de (?:la |votre )?carte|\biban\b|identifiants",
    "ar": r"كلم(?:ه|ات) (?:ال)?(?:مرور|سر)|(?:ال)?رمز|رقم (?:ال)?بطاق\w*|الرقم السري",
    "ur": r"پاس ?ورڈ|كوڈ|(?<!\w)پن(?!\w)|كارڈ (?:كا )?نمبر",
}


def _compiled(patterns: dict[str, str]) -> dict[str, re.Pattern[str]]:
    return {language: re.compile(letters(pattern)) for language, pattern in patterns.items()}


_PATTERNS = tuple(map(_compiled, (_ASKED, _PRESUMED, _SECRET)))


def asks(sentence: str, language: str) -> bool:
    """Whether a sentence in that language is a plain question: short, nothing taken for granted, no secret wanted."""
    asked, presumed, secret = _PATTERNS
    plain = fold(sentence)
    if language not in asked or not plain.endswith(("?", "؟")) or len(plain.split()) > _MOST_WORDS:
        return False
    return bool(asked[language].search(plain)) and not (
        presumed[language].search(plain) or secret[language].search(plain)
    )
