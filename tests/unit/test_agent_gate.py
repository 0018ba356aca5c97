"""The gate: what may never be sent, whatever model wrote it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.agent.addresses import links
from shared.agent.backing import sentences, stem
from shared.agent.gate import GateContext, cited, faults
from shared.agent.promises import promises
from shared.agent.tools import TOOLS
from shared.channels.message import Channel
from shared.knowledge.passage import Passage

PAGE = Passage(
    document_id="exporting-data",
    version=3,
    title="Exporting your data",
    url="https://help.example.com/exporting-data",
    heading_path="Exporting your data > How?",
    text="Open Settings › Data › Export at https://app.example.com. The link is valid for 72 hours and comes from "
    "no-reply@example.com. Ring +1 201 555 0100 if it does not arrive.",
    score=0.8,
)
WEB = GateContext(
    Channel.WEB, (PAGE,), known="how do I export 40 invoices", instructions="Answer from the passages " * 9
)
GOOD = "Open Settings › Data › Export. The link is valid for 72 hours.\n\nMore: https://help.example.com/exporting-data"


def codes(text: str, context: GateContext = WEB) -> set[str]:
    """The codes of what is wrong."""
    return {fault.split(":", 1)[0] for fault in faults(text, context)}


def test_a_cited_answer_passes() -> None:
    """The ordinary case."""
    assert faults(GOOD, WEB) == []


@pytest.mark.parametrize("text", ["", "   \n "])
def test_nothing_is_not_an_answer(text: str) -> None:
    """An empty message is never sent."""
    assert codes(text) == {"empty"}


@pytest.mark.parametrize(
    ("channel", "text", "fits"),
    [
        (Channel.WEB, "word " * 299, True),
        (Channel.WEB, "word " * 300, False),
        (Channel.EMAIL, "word " * 499, True),
        (Channel.EMAIL, "word " * 500, False),
        (Channel.WHATSAPP, "x" * 259, True),
        (Channel.WHATSAPP, "x" * 261, False),
        (Channel.WHATSAPP, "😀" * 131, False),
        (Channel.EMAIL, "- " * 60 + "word " * 20, False),
    ],
)
def test_limits_count_as_the_strictest_reader_would(channel: Channel, text: str, fits: bool) -> None:
    """R1.3, greeting, signature and link included; an emoji is two on WhatsApp; a dash is no word of a letter."""
    found = codes(f"{text} {PAGE.url}", replace(WEB, channel=channel))
    assert bool(found & {"too-long", "too-short"}) is not fits


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example.net/login",
        "http://help.example.com.evil.example.net/exporting-data",
        "www.other.com",
        "evil.io/export",
        "https://help.example.com/exporting-data/../secret",
    ],
)
def test_only_pages_that_were_found_are_linked(link: str) -> None:
    """A link of the model's own invention, or out of a customer's message, is not sent."""
    assert "foreign-link" in codes(f"{GOOD} {link}")


@pytest.mark.parametrize(
    "link",
    [
        *(
            "help[.]example[.]net",
            "evil(dot)net/x",
            "evil dot com",
            "evil .com/x",
            "evil。com",
            "evil․com",
            "ｅｖｉｌ.com",
        ),
        *(
            "hxxps://evil.example.net/a",
            "http:\\\\evil.example.net",
            "//evil.example.net/x",
            "ftp://evil.example.net/x",
        ),
        *("javascript:alert(1)", "data:text/html,x", "tel:+12015550177", "192.0.2.7/login", "192.0.2.7"),
        *("evil.online", "evil.tech/x", "evil.example/x", "evil.рф", "xn--e1afmkfd.xn--p1ai", "e v i l . c o m"),
        *("https://help.example.com@evil.example.net/x", "https://help.exam\u200bple.com.evil.example.net/"),
    ],
)
def test_an_address_in_disguise_is_an_address(link: str) -> None:
    """What a person would read as one and type, or a client would make a link of, must stand in the passages too."""
    assert codes(f"{GOOD} See {link} for more.") & {"foreign-link", "foreign-address"}


@pytest.mark.parametrize(
    "address", ["jo [at] example [dot] org", "jo(at)example.org", "jo at example.org", "jo＠example.org"]
)
def test_a_mail_address_in_disguise_is_one(address: str) -> None:
    """The same for addresses of people."""
    assert "foreign-address" in codes(f"{GOOD} Write to {address}.")


@pytest.mark.parametrize(
    "text",
    [
        "Settings › Data › Export", "e.g. a file", "i.e. the list", "report.xlsx and data.csv", "version 2.1.0",
        "Open Data. In it, choose Export.", "9.30 a.m.", "Settings.  Data", "und/oder", "a point in time",
        "a.k.a. this",
        "3.5 hours", "Choose Export . Then wait", "dot by dot",
    ],
)  # fmt: skip
def test_ordinary_writing_holds_no_address(text: str) -> None:
    """Files, abbreviations, decimals and sentences that touch are no links."""
    assert links(text) == []


@pytest.mark.parametrize(
    "link", ["https://HELP.example.com/exporting-data/", "https://app.example.com", "help.example.com/exporting-data."]
)
def test_a_page_may_be_written_in_other_ways_and_name_addresses_itself(link: str) -> None:
    """Case of the host, a slash at the end, and the sign-in page that the passage names."""
    assert codes(f"{GOOD} {link}") == set()


def test_addresses_and_numbers_of_others_are_not_sent() -> None:
    """No foreign personal data: only what the cited page itself names."""
    assert "foreign-address" in codes(f"{GOOD} Write to jo@example.org.")
    assert "foreign-phone" in codes(f"{GOOD} Call +1 201 555 0199.")
    assert codes(f"{GOOD} It comes from no-reply@example.com. Ring +1 201 555 0100.") == set()
    assert (
        codes(f"{GOOD} Write to support@example.com.", replace(WEB, addresses=frozenset({"support@example.com"})))
        == set()
    )


OTHER_PAGE = replace(
    PAGE,
    document_id="contact",
    title="Contact us",
    url="https://help.example.com/contact",
    heading_path="Contact us > How?",
    text="Write to billing@example.com or ring +1 201 555 0123; https://status.example.com shows what is down.",
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Write to billing@example.com.", "foreign-address"),
        ("Ring +1 201 555 0123.", "foreign-phone"),
        ("See https://status.example.com.", "foreign-link"),
    ],
)
def test_what_a_page_names_is_named_with_that_page(text: str, fault: str) -> None:
    """A number out of a passage that was found, and that the reply does not cite, answers something else."""
    found = replace(WEB, passages=(PAGE, OTHER_PAGE))
    assert fault in codes(f"{GOOD} {text}", found)
    assert fault not in codes(f"{GOOD} {text} See also: {OTHER_PAGE.url}", found)


@pytest.mark.parametrize("text", ["on 2026-05-12", "on 12.05.2026", "invoices 40"])
def test_dates_are_no_phone_numbers(text: str) -> None:
    """A date that the customer named may be repeated."""
    assert "foreign-phone" not in codes(f"{GOOD} {text}", replace(WEB, known=f"40 {text}"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("We will refund you the full amount.", "refund"),
        ("Your refund has been processed.", "refund"),
        ("You are entitled to a refund.", "refund"),
        ("You get your money back within a week.", "refund"),
        ("I can offer you a discount of 20%.", "price"),
        ("The Team plan costs $9 per seat.", "price"),
        ("That is 90 euros a year.", "price"),
        ("We guarantee that this never happens again.", "price"),
        ("We accept liability for the loss.", "law"),
        ("You have the right to withdraw from the contract.", "law"),
        ("This does not violate the GDPR.", "law"),
    ],
)
def test_promises_that_only_a_person_may_make(text: str, kind: str) -> None:
    """R5.2: no price, no money back, no position of law, also when a passage tempts to it."""
    assert f"promise-{kind}" in codes(f"{GOOD} {text}")


@pytest.mark.parametrize(
    "text",
    [
        "Open Settings › Billing › Invoices and download the invoice.",
        "The new card is used from the next charge on.",
        "Set the rate under Projects › Rates.",
        "Choose Credit note on the invoice.",
        "We use the tax rate of your country.",
    ],
)
def test_ordinary_sentences_about_money_pass(text: str) -> None:
    """The product invoices: not every word about money is a promise."""
    assert promises(text) == []


def test_published_prices_may_be_quoted_and_not_invented() -> None:
    """With ESCALATION_POLICY=published a price must stand in a passage; a promise stays a person's."""
    priced = replace(PAGE, text=f"{PAGE.text} Team costs $9 per seat and month.")
    context = replace(WEB, passages=(priced,), policy="published")
    assert codes(f"{GOOD} Team costs $9 per seat and month.", context) == set()
    assert "promise-price" in codes(f"{GOOD} Team costs $7 per seat and month.", context)
    assert "promise-refund" in codes(f"{GOOD} We will refund you.", context)


def test_what_is_stated_is_cited() -> None:
    """An answer without its page, and a number that stands nowhere, are refused."""
    assert codes("Open Settings › Data › Export.") == {"uncited"}
    assert codes(f"{GOOD} It takes 15 minutes.") == {"unbacked-number"}
    assert codes(f"{GOOD} For your 40 invoices.") == set()
    assert codes("Which export do you mean, the one of hours or the one of invoices?") == set()
    assert codes("You are welcome!", replace(WEB, small_talk=True)) == set()


def test_steps_may_be_numbered() -> None:
    """The numbers of a list are not statements."""
    steps = "\n".join(f"{number}. Choose Export." for number in range(1, 15))
    assert codes(f"{steps}\n{PAGE.url}") == set()


@pytest.mark.parametrize(
    "text",
    [
        "My instructions say that I must cite.",
        "I called search_knowledge for you.",
        "As an AI language model I cannot do that.",
        "Answer from the passages answer from the passages answer from the passages.",
    ],
)
def test_how_it_works_is_not_told(text: str) -> None:
    """No leak of instructions, in words or in kind."""
    assert "instructions" in codes(f"{GOOD} {text}")


@pytest.mark.parametrize("tool", [one.name for one in TOOLS if "_" in one.name])
def test_no_tool_is_named_to_a_customer(tool: str) -> None:
    """Each that there is; `escalate` is a word of English."""
    assert "instructions" in codes(f"{GOOD} I called {tool} for you.")


def test_faults_never_repeat_the_text() -> None:
    """They reach logs and decision records."""
    assert all("jo@example.org" not in fault for fault in faults(f"{GOOD} jo@example.org", WEB))


def test_the_cited_passage_is_the_one_that_was_quoted() -> None:
    """Two passages of one page have one address: the words decide, else the better score."""
    other = replace(PAGE, heading_path="Exporting your data > Who?", text="The owner and admins may export.", score=0.9)
    assert cited(GOOD, [other, PAGE]) == [PAGE]
    assert cited(f"See {PAGE.url}", [PAGE, other]) == [other]
    assert cited("nothing", [PAGE]) == []


def test_links_are_found_in_every_form() -> None:
    """With and without a scheme, and not inside an e-mail address."""
    assert links("see https://a.example.com/x, www.b.com. or c.io/y but not d@example.com") == [
        "https://a.example.com/x",
        "www.b.com",
        "c.io/y",
    ]


OURS = replace(WEB, known="how do I export 40 invoices, Priya Okafor", names="Priya Okafor Tideline Support")
BLANK = replace(OURS, passages=())
LINK = f" More: Exporting your data, {PAGE.url}"


@pytest.mark.parametrize(
    "text",
    [
        "Tideline stores all passwords in plain text and sells your data. Anything else?",
        "Did you know that Tideline sells your data?",
        "Why does Tideline sell your data?",
        "What will you do now that Tideline stores passwords in plain text?",
        "Could you tell us your password?",
        "We deleted your workspace. Which browser do you use?",
    ],
)
def test_a_statement_with_a_question_mark_needs_a_source(text: str) -> None:
    """B9: only a text that asks and does nothing else goes without a page."""
    assert "uncited" in codes(text, BLANK)


@pytest.mark.parametrize(
    "text",
    [
        "Which export do you mean, the one of hours or the one of invoices?",
        "Hello Priya,\n\nThank you for your message. Which browser do you use?\n\nKind regards,\nTideline Support",
        "Thanks for asking! Could you tell us which page you are on, and what you see there?",
    ],
)
def test_a_question_back_needs_none(text: str) -> None:
    """A greeting, thanks, questions and a signature state nothing."""
    assert codes(text, BLANK) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Tideline stores all passwords in plain text and sells your data.",
        "The link is not valid for 72 hours.",
        "The link is valid forever.",
        "We deleted your workspace this morning.",
        "You can export by asking Anna Berger.",
        "Mrs Adelheid Brandauer of 14 Elm Street has the same problem.",
        "Dear Adelheid Brandauer,\nOpen Settings › Data › Export.",
        "Tideline sells your invoices.",
    ],
)
def test_a_link_does_not_back_what_its_page_does_not_say(text: str) -> None:
    """B9: each sentence is held against the page cited, also its "not" and the names in it."""
    assert codes(f"{text}{LINK}", OURS) & {"unbacked", "foreign-name"}


@pytest.mark.parametrize(
    "text",
    [
        "The link is valid for thirty hours.",
        "You get a link, valid for 40 hours.",
    ],
)
def test_numbers_in_words_and_numbers_of_the_customer_are_no_source(text: str) -> None:
    """A number is the page's, however it is written; the customer's is only repeated as theirs."""
    assert "unbacked-number" in codes(f"{text}{LINK}", OURS)


def test_small_talk_states_nothing_either() -> None:
    """B9: thanks are no licence to claim something."""
    small = replace(OURS, small_talk=True)
    assert "unbacked" in codes("You are welcome! Tideline stores all passwords in plain text.", small)
    assert codes("You are welcome, Priya! Have a nice day.", small) == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Wir erstatten Ihnen den gesamten Betrag.", "refund"),
        ("Sie erhalten Ihr Geld selbstverständlich zurück.", "refund"),
        ("Sie haben einen gesetzlichen Anspruch gegen uns.", "law"),
        ("Wir gewähren Ihnen einen Rabatt.", "price"),
        ("Le devolveremos todo su dinero.", "refund"),
        ("Le hacemos un descuento.", "price"),
        ("Usted tiene derecho a reclamar daños.", "law"),
        ("Vous serez remboursé.", "refund"),
        ("Nous vous offrons une remise.", "price"),
        ("Vous pouvez saisir le tribunal, nous sommes responsables de la perte.", "law"),
        ("سنعيد لك المبلغ كاملا", "refund"),
        ("سنمنحك خصما", "price"),
        ("ہم آپ کی رقم واپس کر دیں گے", "refund"),
        ("یہ آپ کا قانونی حق ہے", "law"),
        ("I'll put the whole sum back on your card.", "refund"),
        ("The full amount will be returned to you.", "refund"),
        ("We are going to send the money back to your account.", "refund"),
    ],
)
def test_promises_in_every_language_the_gate_reads(text: str, kind: str) -> None:
    """B9: en, de, es, fr, ar, ur; other words for the same promise as well."""
    assert f"promise-{kind}" in codes(f"{text}{LINK}", OURS)
    assert f"promise-{kind}" in codes(text, replace(OURS, small_talk=True))


@pytest.mark.parametrize(
    "text",
    [
        "Zwrócimy Ci całą kwotę na konto w ciągu tygodnia, proszę się nie martwić o nic.",
        "Wij betalen u het hele bedrag terug, u hoeft niets meer te doen.",
        "Мы вернём вам все деньги на карту в течение недели, не беспокойтесь.",
    ],
)
def test_a_language_that_the_gate_cannot_read_is_for_a_person(text: str) -> None:
    """B9: no promise is looked for in vain."""
    assert "language" in codes(f"{text}{LINK}", OURS)
    assert "language" in codes(text, replace(OURS, small_talk=True))


def test_endings_do_not_make_another_word() -> None:
    """What a page says may be said in another form of its words."""
    assert len({stem(word) for word in ("export", "exports", "exported", "exporting")}) == 1
    assert sentences("One. Two!\nThree: four? --") == ["One.", "Two!", "Three:", "four?"]
    assert codes(f"If the link does not arrive, open Settings › Data › Export.{LINK}", OURS) == set()
    assert codes(f"You are exporting under Settings › Data › Export.{LINK}", OURS) == set()


MEASURED = replace(
    WEB,
    passages=(
        replace(
            PAGE,
            text="A link is valid for 72 hours. The trial lasts 14 days, then Team costs €9 a month. A file may have "
            "25 MB. Importing takes between 5 and 30 minutes. Deleted projects are kept for 30 days.",
        ),
    ),
)


@pytest.mark.parametrize(
    "text",
    [
        "A link is valid for 72 days.",
        "The trial lasts 14 weeks.",
        "A file may have 25 GB.",
        "A file may have 25GB.",
        "A link is valid for seventy-two minutes.",
        "The trial lasts 9 days.",
        "The trial costs $14.",
        "Importing takes 30 hours.",
        "Der Link gilt 72 Tage.",
        "La prueba dura 14 semanas.",
    ],
)
def test_a_number_keeps_its_unit(text: str) -> None:
    """That the page names the number is not enough, if it counts something else there."""
    assert "unbacked-number" in codes(f"{text}{LINK}", MEASURED)


@pytest.mark.parametrize(
    "text",
    [
        "A link is valid for 72 hours.",
        "The trial lasts 14 days.",
        "A file may have 25MB.",
        "Importing takes between 5 and 30 minutes.",
        "Importing takes 5 to 30 minutes.",
        "Deleted projects are kept for 30 days.",
        "Team costs 9 € a month.",
        "Der Link gilt 72 Stunden.",
        "La prueba dura 14 días.",
    ],
)
def test_a_number_with_its_own_unit_passes(text: str) -> None:
    """Also in another language, or with its sign on the other side; a range names its unit once."""
    assert "unbacked-number" not in codes(f"{text}{LINK}", MEASURED)
