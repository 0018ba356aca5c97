"""The check that runs before the model: what must reach a person, and what must not."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.agent.escalation import FOUND_HERE, Escalation, Reason, check
from shared.channels.fold import fold
from shared.conversations.desk import PEOPLES_MATTERS

MUST_REACH_A_PERSON = {
    Reason.REFUND: [
        "I want a refund.",
        "Can I get my money back? We cancelled last week.",
        "Please reimburse me for last month.",
        "You charged us twice in October",
        "we were billed double",
        "i cancelled in may but you still charged my card",
        "There is an unauthorised charge on my statement",
        "give me my 50 dollars back",
        "I'd like the renewal reversed and the payment returned",
        "I did not mean to renew, kindly credit my account",
        "Refnud please",
        "r e f u n d",
        "REFUUUUND",
        "I will open a chargeback if this isn't solved",
        "We shouldn't have to pay for a month in which nothing worked",
        "I expect compensation for the outage",
        "your company took 90 euros from my account without permission",
        "Ich möchte mein Geld zurück",
        "Bitte um Rückerstattung der letzten Zahlung",
        "Mir wurde der Betrag doppelt abgebucht",
        "Quiero un reembolso",
        "me cobraron dos veces este mes",
        "Je demande un remboursement",
        "J'ai été débité deux fois",
        "أريد استرداد المبلغ",
        "اريد فلوسي",
        "مجھے اپنے پیسے واپس چاہیے",
        "mere paise wapas karo",
    ],
    Reason.PRICING: [
        "How much does the Team plan cost?",
        "What is the price for 12 users?",
        "pricing?",
        "how much",
        "Do you offer discounts for nonprofits?",
        "Is there a cheaper option for us",
        "It is too expensive for a business like ours",
        "Could you send us a quote for 40 seats?",
        "What would we pay per month for twenty people?",
        "Why did our bill go up, it is much higher than before",
        "do you charge extra for the API",
        "any promo code available?",
        "Can we get a better rate if we pay for two years?",
        "what does it cost to add another user",
        "Could you extend our free trial by two weeks?",
        "Was kostet der Business-Tarif?",
        "Gibt es einen Rabatt für Vereine?",
        "¿Cuánto cuesta al mes?",
        "¿Hay algún descuento?",
        "Combien coûte l'abonnement ?",
        "Quel est le prix pour dix personnes",
        "كم السعر؟",
        "اس کی قیمت کیا ہے؟",
        "kitne ka hai ye plan",
    ],
    Reason.LEGAL: [
        "My lawyer will be in touch.",
        "We will take legal action",
        "I'm going to sue you",
        "see you in court",
        "This is a breach of contract",
        "I am filing a complaint with the data protection authority",
        "Under article 17 GDPR I request erasure of everything you hold",
        "we hold you liable for the loss",
        "Our solicitors have asked for a signed statement",
        "I'll report you to the police for fraud",
        "Our laywer needs your written answer",
        "Please sign the attached NDA before we go on",
        "Ich schalte meinen Anwalt ein",
        "Wir werden Klage erheben",
        "Voy a poner una denuncia",
        "Mi abogado se pondrá en contacto",
        "Je vais saisir le tribunal",
        "سأرفع دعوى قضائية وأتصل بالمحامي",
        "میں عدالت جاؤں گا",
    ],
    Reason.ANGRY: [
        "This is absolutely unacceptable!!!",
        "I am furious. Nothing works and nobody answers.",
        "Worst customer service ever",
        "Are you kidding me? Lost all my hours again",
        "this is the third time i'm writing about the same problem",
        "What a joke",
        "You people are useless",
        "I'm really frustrated with your app",
        "complete waste of time and money",
        "I have been waiting three weeks for an answer",
        "still no reply from you after ten days",
        "fuck this app",
        "your software is garbage",
        "I want to make a formal complaint",
        "We're fed up and going to a competitor",
        "I have lost all confidence in you",
        "how many times do I have to explain this?",
        "I find it rather disappointing that this fails again, and must say I am very disappointed",
        "Das ist eine Frechheit, ich bin stinksauer",
        "Esto es inaceptable, estoy harto de ustedes",
        "C'est inadmissible, j'en ai marre de votre service",
        "هذا غير مقبول أبدا",
        "یہ بکواس سروس ہے",
    ],
    Reason.HUMAN: [
        "a person please",
        "I want to talk to a human",
        "Can I speak with a real person?",
        "Agent please",
        "human",
        "connect me to customer support",
        "please put me through to your manager",
        "stop sending me bot answers",
        "are you a bot?",
        "Could somebody call me back?",
        "I'd rather discuss this with someone from your team",
        "let me talk to a supervisor",
        "i dont want to chat with a robot",
        "can i speek to a humen",
        "get me someone who works there, I need to reach a live agent",
        "Ich möchte mit einem Menschen sprechen",
        "Kann mich bitte jemand zurückrufen? Rückruf erbeten",
        "Quiero hablar con una persona",
        "Je veux parler à quelqu'un",
        "أريد التحدث مع شخص حقيقي",
        "kisi insan se baat karni hai",
    ],
}

ORDINARY = [
    "How do I download my invoice?",
    "Which payment methods can I store?",
    "How do I reset my password?",
    "Where can I change the credit card on file?",
    "Our card was declined, how can we update it?",
    "When is our subscription charged?",
    "How do I upgrade to Business?",
    "How do I switch from monthly to yearly billing?",
    "How do I cancel my subscription?",
    "Where is the VAT number set?",
    "How do I add a discount to an invoice for a client?",
    "How can I set my hourly rates?",
    "Can I enter the price of a service on an invoice?",
    "My client wants a refund, how do I write a credit note?",
    "How do I record a refund I gave to a customer?",
    "How do I invite a person to my workspace?",
    "Can I assign a task to another person?",
    "How do I make someone a manager?",
    "How do I set the contact person of a client?",
    "Which user agents do your webhooks send?",
    "Is there an integration for human resources software?",
    "Does the app work offline??",
    "HOW DO I RESET MY PASSWORD",
    "I CAN'T LOG IN!!!",
    "HELP!! the page is blank",
    "I'm a bit confused by the new schedule",
    "sorry for the stupid question, where is the export?",
    "I hate to bother you, but where do I find the reports?",
    "It is a little annoying that the timer stops, how do I keep it running?",
    "Can you tell me again how I export my data?",
    "The import failed again with error 12, what does it mean?",
    "I deleted a project by mistake, can I restore it?",
    "How much storage do we have left?",
    "How much time did the team track last week?",
    "How do I see what a project costs us?",
    "Where do I set the cost rate of an employee?",
    "How do I make a quote for a customer?",
    "How do I charge a client a late fee?",
    "We are a law firm and need matter numbers on invoices",
    "My client is a lawyer, can he use the portal?",
    "We clean tennis courts. Can I plan two crews on one court?",
    "Where is our data stored and is it encrypted?",
    "Where do I find the data processing agreement?",
    "Are you ISO 27001 certified?",
    "How do I delete my account?",
    "Can I have one person's data deleted?",
    "How are sick days entered?",
    "She called in sick today, how do I take her off the plan?",
    "How do I plan rubbish collection every Tuesday?",
    "Can clients pay invoices in the portal?",
    "How do I remind customers who pay late?",
    "Can members talk to clients in the portal?",
    "How do I get the mobile app?",
    "Is there a limit on the number of projects?",
    "Which features does the Starter plan have?",
    "What happens when the trial ends?",
    "Who is the owner of our workspace?",
    "I changed my phone and need a new code",
    "How do I change the callback URL of a webhook?",
    "The layer with the map is missing in the report",
    "I manage five crews, can I see only mine?",
    "How do I mark an hour as billable twice a week automatically?",
    "Someone from our team left, how do I remove her?",
    "Can I call an endpoint for every project?",
    "Please add a dark mode",
    "Thanks, that helped a lot!",
    "The new wall view is great",
    "👍",
    "",
    "Wie kann ich meine Rechnungen herunterladen?",
    "Wie lade ich einen Kollegen ein?",
    "¿Cómo exporto mis datos?",
    "Comment changer la langue ?",
    "كيف أغير كلمة المرور؟",
    "password kaise change karoon",
    "Regards, Owen Price",
    "We are moving to Entra ID next week, where do I set up single sign-on?",
    "We leave for holidays on Friday, how do I set an absence?",
    'It offers "legal" paper and letter but no A5. Where is the format set?',
    "I mail the tenant a link. Does he have to register to sign the contract?",
    "Where do I note that my flatmate will pay me back on Monday?",
]


@pytest.mark.parametrize(
    ("reason", "text"), [(reason, text) for reason, texts in MUST_REACH_A_PERSON.items() for text in texts]
)
def test_reaches_a_person(reason: Reason, text: str) -> None:
    """R5.2: pricing, refund, law, anger and the wish for a person are found however they are said."""
    found = check([text])
    assert found is not None
    assert reason in (found.reason, *found.others)


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_question_is_left_to_the_agent(text: str) -> None:
    """A false alarm costs a person's time: everyday questions do not sound it."""
    assert check([text]) is None


@pytest.mark.parametrize(
    "text",
    [
        "As discussed, I need a few more days.",
        "I think resending is what you asked me for.",
        "There were excessive notifications, I have switched them off.",
    ],
)
def test_a_right_word_is_no_slip_of_another(text: str) -> None:
    """Two letters lie between discussed and disgusted, resending and refunding, excessive and expensive."""
    assert check([text]) is None


@pytest.mark.parametrize(
    "text",
    [
        "We track pricing experiments in your A/B tool. How do I segment the results by country?",
        "Our price survey ends tonight. Where do I stop it?",
        "I want to assign a call to another representative in the phone module. Where's the button?",
        "I need a report of the refunds that my shop gave in Q3. Which filter is right?",
        "I need a chart of refunds per month for my store.",
        "Does the refund that I give to a shopper also put the item back in stock?",
        "Which webhook tells me that a buyer of mine was refunded?",
        "What does image compensation do in the camera settings?",
        "Error: illegal argument in line 4 of my formula. What's wrong with it?",
        "Your SDK throws 'IllegalStateException' when I rotate the screen.",
        "Which emoji set does the reaction bar use? I miss the angry face.",
        "¿Qué informe muestra los reembolsos que dio mi tienda?",
        "Wie trage ich einen Mengenrabatt in einer Rechnung an meinen Kunden ein?",
    ],
)
def test_a_word_of_a_matter_that_means_a_thing_of_theirs_is_no_matter(text: str) -> None:
    """A pricing experiment, a refund their shop gave, an illegal argument, the angry face."""
    assert check([text]) is None


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason.REFUND, "Send me a list of all refunds you owe us, please."),
        (Reason.REFUND, "I am the buyer and was refunded only half."),
        (Reason.REFUND, "We ask for compensation, the noise kept the guests awake."),
        (Reason.PRICING, "What pricing could you give 30 nurses?"),
        (Reason.PRICING, "Gibt es einen Mengenrabatt, wenn wir 60 Geräte auf einmal bestellen?"),
        (Reason.LEGAL, "There was illegal access to my data, I want an explanation."),
        (Reason.HUMAN, "Please transfer this chat to another agent."),
        (Reason.HUMAN, "I want to be passed to another representative."),
    ],
)
def test_what_stands_next_to_a_thing_of_theirs_still_counts(reason: Reason, text: str) -> None:
    """The same words, from us to the customer."""
    found = check([text])
    assert found is not None
    assert reason in (found.reason, *found.others)


@pytest.mark.parametrize(
    "text",
    [
        'The tab reads "Chat with support" and should read "Ask us".',
        'the button says "Speak to an advisor" on my site, where is that text kept',
    ],
)
def test_the_words_on_a_label_of_their_own_are_no_wish_for_a_person(text: str) -> None:
    """Customers build pages and menus that offer a person to theirs."""
    assert check([text]) is None


def test_a_label_of_ours_hides_no_wish_for_a_person() -> None:
    """Whoever pressed our button and says so still wants somebody."""
    assert check(['Your button "Talk to sales" does nothing, so let me speak to somebody.']) is not None


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason.REFUND, "ibalik nyo ang pera ko"),
        (Reason.PRICING, "magkano po ang isang buwan"),
        (Reason.LEGAL, "magsasampa ng kaso ang kapatid ko"),
        (Reason.ANGRY, "walang kwenta itong app ninyo"),
        (Reason.HUMAN, "may makakausap ba akong tao sa telepono?"),
    ],
)
def test_the_plainest_words_of_filipino_are_known(reason: Reason, text: str) -> None:
    """Many customers there mix it with English; the encoder of likeness does not know it."""
    found = check([text])
    assert found is not None
    assert reason in (found.reason, *found.others)


@pytest.mark.parametrize("text", ["paano mag upload ng file", "paano ibalik ang deleted na file", "salamat, gumana na"])
def test_ordinary_questions_in_filipino_are_left_to_the_agent(text: str) -> None:
    """Bringing back a file is not bringing back money."""
    assert check([text]) is None


@pytest.mark.parametrize(
    "text",
    [
        'Der Filter "Rückerstattet" zeigt auch offene Bestellungen an. Ist das so gewollt?',
        'Wie benenne ich in der Bestellliste die Ansicht "Erstattet" um?',
        "wie blend ich die preis spalte im bericht aus",
        'El filtro "Reembolsado" del listado también muestra los borradores, ¿es así?',
        '¿Puedo renombrar el estado "devolución pendiente"?',
        "Le filtre « remboursé » affiche aussi les commandes en attente, est-ce normal ?",
        "La colonne Remboursements reste à zéro, est-ce normal ?",
        "Peut-on trier le tableau par prix ?",
        "refund status wala filter sahi nahi chal raha, pending orders bhi dikhata hai",
        "refund pending wale status ka naam badal sakte hain?",
        "refund ka column khali hai",
        'مینیو میں "ریفنڈ" والا حصہ خالی ہے، کیوں؟',
    ],
)
def test_the_name_of_a_column_or_filter_is_no_demand(text: str) -> None:
    """Lists of orders have states, views and columns that are called after money."""
    assert check([text]) is None


@pytest.mark.parametrize(
    "text",
    [
        "Der Filter geht nicht, und ich bitte um Rückerstattung.",
        "¿Cuál es el estado de mi reembolso?",
        "Le filtre ne marche pas, remboursez-moi.",
        "filter theek karo aur refund bhi do",
        "ما حالة استرداد المبلغ؟",
    ],
)
def test_a_column_or_filter_hides_no_demand(text: str) -> None:
    """Only the name itself is passed over, not what stands beside it."""
    assert check([text]) is not None


@pytest.mark.parametrize(
    "text", ["ما الفرق بين دور الوكيل ودور المشرف في الصلاحيات؟", "ما صلاحيات الوكيل مقارنة بالمشرف؟"]
)
def test_a_lawyer_in_persian_is_an_agent_in_arabic(text: str) -> None:
    """The same word: there a lawyer, here the role of whoever works on tickets."""
    assert check([text]) is None


@pytest.mark.parametrize("text", ["وکیل من با شما تماس می‌گیرد", "با وکیلم صحبت کردم", "میرے وکیل آپ کو خط لکھیں گے"])
def test_a_lawyer_in_persian_and_urdu_is_one(text: str) -> None:
    """What stands beside the word tells the languages apart."""
    found = check([text])
    assert found is not None
    assert Reason.LEGAL in (found.reason, *found.others)


@pytest.mark.parametrize("text", ["كيف أعرف كم شخص يتكلم في الغرفة", "أين أرى كم شخص يرد على التذاكر"])
def test_how_many_people_answer_is_no_wish_for_one(text: str) -> None:
    """Rooms and reports count those who speak."""
    assert check([text]) is None


def test_a_person_who_answers_is_still_wished_for_in_arabic() -> None:
    """The same words without the number."""
    found = check(["هل يوجد شخص يرد على أسئلتي؟"])
    assert found is not None
    assert Reason.HUMAN in (found.reason, *found.others)


FURTHER: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "evals" / "escalation.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("reason", "text"), [(reason, text) for reason, texts in FURTHER["reach"].items() for text in texts]
)
def test_reaches_a_person_in_further_words(reason: str, text: str) -> None:
    """As above, for the messages of tests/evals/escalation.yaml: short, misspelt, indirect."""
    found = check([text])
    assert found is not None
    assert reason in (found.reason, *found.others)


@pytest.mark.parametrize("text", FURTHER["leave"])
def test_further_ordinary_questions_are_left_to_the_agent(text: str) -> None:
    """No false alarm among them."""
    assert check([text]) is None


@pytest.mark.parametrize(
    "text", ["🤬🤬🤬", "😡", "🖕", "how do I export? 🤬", "still the same screen 😡😡", "كيف أضيف زميلا؟ 🤬"]
)
def test_a_face_says_anger_without_a_word(text: str) -> None:
    """Nothing but a furious face, or one behind an ordinary question."""
    found = check([text])
    assert found is not None
    assert found.reason is Reason.ANGRY


def test_the_mess_of_before_is_no_anger_and_ours_is() -> None:
    """What people did it with before they came to us may have been a mess; what they have with us is told in anger."""
    before = "Until last month we did it with a spreadsheet, which was a mess but everyone saw the same mess."
    assert check([before]) is None
    assert check(["Your update turned our whole schedule into a mess and nobody of you cares."]) is not None


@pytest.mark.parametrize(
    "text", ["👍", "🙏🙏", "😂", "how do I export? 🤔", "🎉 the new kiosk", "😅 how do i undo that"]
)
def test_other_faces_say_no_anger(text: str) -> None:
    """A friendly or puzzled face is no matter."""
    assert check([text]) is None


@pytest.mark.parametrize("channel", ["email", "whatsapp", "web"])
def test_sample_tickets_get_their_labels(channel: str) -> None:
    """Each ticket of the discovery log gets the reason a colleague gave it, or none."""
    path = Path(__file__).parents[2] / "context" / "sample-tickets" / f"{channel}.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        ticket = json.loads(line)
        found = check([ticket.get("subject", ""), ticket["body"]])
        assert (found.reason if found else "none") == ticket["label"], ticket["id"]


def test_the_subject_counts_as_much_as_the_message() -> None:
    """Decision 11 of the discovery log: subject and message are one text."""
    assert check(["Refund", "see subject"]) is not None


def test_the_first_reason_of_the_table_is_recorded_and_the_others_named() -> None:
    """One reason is counted; the person who takes over hears of the rest."""
    found = check(["This is ridiculous, I want a refund and my lawyer will call you"])
    assert found is not None
    assert found.reason is Reason.REFUND
    assert set(found.others) == {Reason.LEGAL, Reason.ANGRY}


def test_evidence_names_rules_and_never_repeats_the_text() -> None:
    """What is logged as evidence carries no customer's words."""
    found = check(["I want a refund for jo@example.com"])
    assert isinstance(found, Escalation)
    assert all("example.com" not in rule for rule in found.evidence)
    assert found.evidence[0].startswith("refund.")


@pytest.mark.parametrize(
    ("text", "escalates"),
    [
        ("How much does the Team plan cost?", False),
        ("What is your refund policy?", False),
        ("What are the prices of the plans", False),
        ("I want a refund", True),
        ("Do you offer a discount for charities?", True),
        ("Send us a quote for 40 seats", True),
        ("My lawyer will call you", True),
        ("How much does it cost? And I want my money back", True),
    ],
)
def test_published_policy_lets_questions_through_and_demands_never(text: str, escalates: bool) -> None:
    """ESCALATION_POLICY=published opens list prices and the refund policy, nothing else."""
    assert (check([text], policy="published") is not None) is escalates


@pytest.mark.parametrize("text", ["rеfund", "re\u200bfund", "ＲＥＦＵＮＤ", "réfund"])
def test_disguised_letters_are_read(text: str) -> None:
    """Look-alike letters, invisible characters and wide forms do not hide a word."""
    assert fold(text) == "refund"


def test_a_very_long_message_takes_no_time() -> None:
    """100 kB of text must not hold the event loop: ten times the words take about ten times the work, not a hundred."""
    sentence = "please look at the hours of monday in project nine "

    def work(times: int) -> float:
        started = time.process_time()
        check([sentence * times])
        return time.process_time() - started

    check(["warm up"])
    assert work(2000) < 40 * max(work(200), 0.005)


FILLER = "please look at the hours of monday in project nine and tell me what the list says. "
DEMAND = "I want my money back and my lawyer will sue you"


@pytest.mark.parametrize("length", [7_900, 8_100, 20_000, 200_000])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_a_long_text_hides_nothing(length: int, place: float) -> None:
    """B6: wherever the demand stands, and however much stands around it, it is found."""
    filler = (FILLER * (length // len(FILLER) + 1))[:length]
    at = int(place * length)
    found = check([f"{filler[:at]} {DEMAND} {filler[at:]}"])
    assert found is not None
    assert {found.reason, *found.others} >= {Reason.REFUND, Reason.LEGAL}


@pytest.mark.parametrize("shift", range(0, 3_000, 97))
def test_a_demand_on_the_edge_of_a_window_is_found(shift: int) -> None:
    """The windows overlap by more than a phrase is long."""
    assert check([f"{'x ' * 4_500}{'z ' * (shift // 2)}{DEMAND} {'x ' * 4_500}"]) is not None


def test_a_second_message_behind_a_long_one_is_read() -> None:
    """A burst is one turn: all of it counts."""
    assert check([FILLER * 400, DEMAND]) is not None


@pytest.mark.parametrize("text", ["a" * 200_000, "aс" * 100_000, "paid our " * 11_000, "r e f " * 20_000])
def test_a_hostile_text_ends_in_time(text: str) -> None:
    """No pattern runs away on one endless word, mixed alphabets, or a phrase begun again and again."""
    check(["warm up"])
    started = time.perf_counter()
    check([text])
    assert time.perf_counter() - started < 8.0


def test_the_desk_knows_the_same_matters() -> None:
    """What an operator is told stays with people on a return is what this check finds again."""
    assert PEOPLES_MATTERS == FOUND_HERE
