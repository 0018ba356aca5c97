"""The link of the mail that asks how satisfied a customer is: a page with one question, in the language of the mail.

Opening it changes nothing, since scanners and previews open links before people do; a button on the page does. Whoever
has the mail may answer, once or anew: the last word counts. The page shows nothing that anybody wrote.
"""

from __future__ import annotations

import html
from pathlib import Path

from fastapi import APIRouter, Request, Response

from shared.channels.plain_text import clean
from shared.channels.web.form import FormNeeded
from shared.channels.web.ticket import MAX_COMMENT
from shared.channels.web.worded_page import asked_language, fields_of, wait_after, what_failed, word, worded, words_of
from shared.errors import FteError, Rejected, Retryable
from shared.observability.logs import logger
from shared.observability.metrics import RATINGS

routes = APIRouter()

PATH = "/rate"
SCORES = ("1", "2", "3", "4", "5")

_WORDS = Path(__file__).with_name("rating_words.txt")


@routes.get(PATH, include_in_schema=False)
async def show_question(request: Request, form: FormNeeded, token: str = "") -> Response:
    """The question with its five answers; nothing is kept by it."""
    try:
        await form.door.admit(request)
        language = await form.surveys.look(token)
    except (Rejected, Retryable) as error:
        return _refusal(request, error)
    return worded(words_of(_WORDS), language, "question", 200, _answers(language, token))


@routes.post(PATH, include_in_schema=False)
async def take_answer(request: Request, form: FormNeeded) -> Response:
    """Keep the rating; 422 without a score, with the question once more."""
    try:
        # Before the body is read; Admission leaves this path to us, since people read the answer.
        await form.door.admit(request)
        fields = await fields_of(request)
        token, score = fields.get("token", ""), fields.get("score", "")
        if score not in SCORES:
            language = await form.surveys.look(token)
            return worded(words_of(_WORDS), language, "question", 422, _answers(language, token))
        language = await form.surveys.rate(token, int(score), clean(fields.get("comment", ""))[:MAX_COMMENT].strip())
    except (Rejected, Retryable) as error:
        return _refusal(request, error)
    RATINGS.labels("email", score).inc()
    return worded(words_of(_WORDS), language, "thanks", 200, "")


def _answers(language: str, token: str) -> str:
    words, secret = words_of(_WORDS), html.escape(token, quote=True)
    choices = "".join(
        f'<label><input type="radio" name="score" value="{score}" required> '
        f"{score} – {word(words, language, f'score.{score}')}</label>"
        for score in SCORES
    )
    return (
        f'<form method="post" action="rate"><input type="hidden" name="token" value="{secret}">'
        f"<fieldset><legend>{word(words, language, 'question.legend')}</legend>{choices}</fieldset>"
        f"<label>{word(words, language, 'question.comment')}"
        f'<textarea name="comment" rows="3" maxlength="{MAX_COMMENT}" dir="auto"></textarea></label>'
        f"<p><button>{word(words, language, 'question.send')}</button></p></form>"
    )


def _refusal(request: Request, error: FteError) -> Response:
    logger().warning("rating_link_refused", reason=error.reason, status=error.status)
    words = words_of(_WORDS)
    language, what = asked_language(words, request), what_failed(error)
    return wait_after(worded(words, language, what, error.status, ""), error)
