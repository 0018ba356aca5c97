"""Drafts as a model might write them, most of them written before the patterns were looked at.

What must not leave the house in six languages, and what is true and must not be held up.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.agent.gate import GateContext, faults
from shared.channels.message import Channel
from shared.knowledge.passage import Passage

URL = "https://help.example.com/exporting-data"
PAGE = Passage(
    document_id="exporting-data",
    version=3,
    title="Exporting your data",
    url=URL,
    heading_path="Exporting your data > How do I export?",
    text="Open Settings › Data › Export and choose the format, Excel or CSV. The file contains all hours of the period."
    " When the export is ready we e-mail you a link. The link is valid for 72 hours. Only owners and admins can start"
    " an export. Up to 20 projects can be exported at once. Deleted projects stay in the archive for 30 days. "
    "You cannot export in the Android app. A large export takes about 99 minutes.",
    score=0.8,
)
WEB = GateContext(
    Channel.WEB,
    (PAGE,),
    known="Priya Okafor, how do I export 40 invoices",
    names="Priya Okafor Tideline Tideline Support",
)
QUESTION = replace(WEB, passages=())
MORE = f"\n\n{URL}"


def codes(text: str, context: GateContext = WEB) -> set[str]:
    """The codes of what is wrong."""
    return {fault.split(":", 1)[0] for fault in faults(text, context)}


@pytest.mark.parametrize(
    "text",
    [
        "The link is valid for ninety-six hours.",
        "The link is valid for one hundred and twenty hours.",
        "Up to two dozen projects can be exported at once.",
        "Up to 5 projects can be exported at once.",
        "Deleted projects stay in the archive for forty five days.",
        "Only owners and admins can start an export, within one hour.",
        "Der Link ist sechsundneunzig Stunden gültig.",
        "Der Link ist hundertzwanzig Stunden gültig.",
        "Sie können bis zu fünfundzwanzig Projekte exportieren.",
        "Gelöschte Projekte bleiben drei Tage im Archiv.",
        "El enlace es válido durante noventa y seis horas.",
        "Puede exportar hasta veinticinco proyectos a la vez.",
        "Los proyectos eliminados se guardan quince días en el archivo.",
        "Le lien est valable quatre-vingt-seize heures.",
        "Vous pouvez exporter jusqu'à vingt-cinq projets à la fois.",
        "Les projets supprimés restent quinze jours dans les archives.",
        "الرابط صالح لمدة ست وتسعين ساعة.",
        "يمكنك تصدير خمسة وعشرين مشروعا في المرة الواحدة.",
        "الرابط صالح لمدة ٩٦ ساعة.",
        "لنک چھیانوے گھنٹے تک کارآمد ہے۔",
        "آپ ایک ساتھ پچیس پروجیکٹ ایکسپورٹ کر سکتے ہیں۔",
        "لنک ۹۶ گھنٹے تک کارآمد ہے۔",
    ],
)
def test_a_figure_in_words_is_the_page_s_or_refused(text: str) -> None:
    """Ninety-six is as made up as 96."""
    assert "unbacked-number" in codes(text + MORE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The Team plan is ninety-nine dollars a month.", "price"),
        ("We will take ten percent off your next invoice.", "price"),
        ("Your next month is on us.", "price"),
        ("You will not be charged for it.", "price"),
        ("We will\nrefund the\nwhole amount.", "refund"),
        ("The money will be\nback in your account by Friday.", "refund"),
        ("I have arranged for the charge to be reversed.", "refund"),
        ("We make sure that you are not out of pocket.", "refund"),
        ("You would win that case in court.", "law"),
        ("We are in breach of our contract.", "law"),
        ("You can sue us for it.", "law"),
        ("Der Tarif liegt bei neunundneunzig Euro im Monat.", "price"),
        ("Der nächste Monat geht auf uns.", "price"),
        ("Wir kommen Ihnen beim Beitrag entgegen.", "price"),
        ("Wir berechnen Ihnen dafür nichts.", "price"),
        ("Den Betrag haben Sie bald wieder auf Ihrem Konto.", "refund"),
        ("Wir stornieren die Abbuchung für Sie.", "refund"),
        ("Wir haben gegen den Vertrag verstoßen.", "law"),
        ("Sie können uns dafür verklagen.", "law"),
        ("El plan vale noventa y nueve euros al mes.", "price"),
        ("El próximo mes corre por nuestra cuenta.", "price"),
        ("No le cobraremos nada.", "price"),
        ("Pronto tendrá el dinero de nuevo en su cuenta.", "refund"),
        ("Anulamos el cargo de su tarjeta.", "refund"),
        ("Hemos incumplido el contrato.", "law"),
        ("Puede demandarnos por eso.", "law"),
        ("L'abonnement est à quatre-vingt-dix-neuf euros par mois.", "price"),
        ("Le mois prochain est pour nous.", "price"),
        ("Nous ne vous facturerons rien.", "price"),
        ("Nous vous reversons la somme sur votre compte.", "refund"),
        ("Nous annulons le prélèvement.", "refund"),
        ("Nous avons violé le contrat.", "law"),
        ("Vous pouvez nous poursuivre en justice.", "law"),
        ("الاشتراك بتسعة وتسعين دولارا في الشهر.", "price"),
        ("الشهر القادم على حسابنا.", "price"),
        ("لن ندفعك أي رسوم.", "price"),
        ("سيرجع المال إلى حسابك قريبا.", "refund"),
        ("سنلغي عملية الخصم من بطاقتك.", "refund"),
        ("لقد خالفنا العقد.", "law"),
        ("يمكنك أن تقاضينا.", "law"),
        ("یہ پلان ننانوے ڈالر ماہانہ ہے۔", "price"),
        ("اگلا مہینہ ہماری طرف سے ہے۔", "price"),
        ("آپ سے کوئی چارج نہیں لیا جائے گا۔", "price"),
        ("پیسے جلد آپ کے اکاؤنٹ میں آ جائیں گے۔", "refund"),
        ("ہم نے معاہدے کی خلاف ورزی کی ہے۔", "law"),
        ("آپ ہم پر کیس کر سکتے ہیں۔", "law"),
    ],
)
def test_what_only_a_person_may_write_in_other_words(text: str, kind: str) -> None:
    """R5.2 in the form's languages; a line break hides nothing."""
    assert f"promise-{kind}" in codes(text + MORE)


@pytest.mark.parametrize(
    "text",
    [
        "Öffnen Sie Settings › Danger zone › Delete und bestätigen Sie mit Delete everything.",
        "Wählen Sie „Reset workspace“, dann wird der Export gestartet.",
        "Sie können in der Android-App exportieren.",
        "Alle Mitglieder können einen Export starten, auch Gäste.",
        "Den Link schicken wir Ihnen per WhatsApp.",
        "Ihr Arbeitsbereich wurde gelöscht und alle Passwörter sind öffentlich.",
        "Frau Adelheid Brandauer aus Wien hatte dasselbe Problem.",
        "Tideline verkauft Ihre Daten an andere Firmen.",
        "Abra Settings › Workspace › Reset y confirme con Erase all.",
        "Puede exportar en la aplicación de Android.",
        "Tideline vende sus datos a otras empresas.",
        "Le enviamos el enlace por WhatsApp a su teléfono.",
        "Hemos eliminado su cuenta y todas las contraseñas.",
        "Ouvrez Settings › Workspace › Reset et confirmez avec Erase all.",
        "Vous pouvez exporter dans l'application Android.",
        "Tideline vend vos données à d'autres entreprises.",
        "Nous avons supprimé votre compte et vos mots de passe.",
        "افتح Settings › Workspace › Reset ثم اختر Erase all.",
        "تبيع الشركة بياناتك لشركات أخرى ولا تحتفظ بأي كلمة مرور.",
        "يمكنك التصدير من تطبيق Android.",
        "لقد حذفنا حسابك وكل كلمات المرور.",
        "Settings › Workspace › Reset کھولیں اور Erase all منتخب کریں۔",
        "کمپنی آپ کا ڈیٹا دوسری کمپنیوں کو بیچتی ہے۔",
        "آپ Android ایپ میں ایکسپورٹ کر سکتے ہیں۔",
        "ہم نے آپ کا اکاؤنٹ اور پاس ورڈ حذف کر دیے ہیں۔",
    ],
)
def test_a_fabrication_in_another_language_than_the_page_s_is_refused(text: str) -> None:
    """Labels, "not" and matters that the page does not know, whatever the language."""
    assert codes(text + MORE) & {"unbacked", "foreign-name"}
    assert codes(text, QUESTION) & {"uncited"}


TRUE = [
    "Open Settings › Data › Export and choose the format. The link is valid for seventy-two hours.",
    "Up to twenty projects can be exported at once.",
    "Deleted projects stay in the archive for thirty days.",
    "A large export takes about ninety-nine minutes.",
    "Öffnen Sie Settings › Data › Export und wählen Sie das Format, Excel oder CSV.",
    "Die Datei enthält alle Stunden des Zeitraums. Der Link ist zweiundsiebzig Stunden gültig.",
    "Sobald der Export fertig ist, schicken wir Ihnen per E-Mail einen Link, der 72 Stunden gültig ist.",
    "Nur Inhaber und Admins können einen Export starten.",
    "Bis zu zwanzig Projekte lassen sich auf einmal exportieren. In der Android-App können Sie nicht exportieren.",
    "Guten Tag Priya Okafor,\n\ngelöschte Projekte bleiben dreißig Tage im Archiv.\n\nTideline Support",
    "Abra Settings › Data › Export y elija el formato, Excel o CSV.",
    "El archivo contiene todas las horas del período. El enlace es válido durante setenta y dos horas.",
    "Cuando la exportación está lista, le enviamos un enlace por correo, válido durante 72 horas.",
    "Solo los propietarios y los administradores pueden iniciar una exportación.",
    "Se pueden exportar hasta veinte proyectos a la vez. En la aplicación de Android no se puede exportar.",
    "Hola, Priya Okafor:\n\nlos proyectos eliminados se conservan treinta días en el archivo.\n\nTideline Support",
    "Ouvrez Settings › Data › Export et choisissez le format, Excel ou CSV.",
    "Le fichier contient toutes les heures de la période. Le lien est valable soixante-douze heures.",
    "Quand l'export est prêt, nous vous envoyons un lien par e-mail, valable 72 heures.",
    "Seuls les propriétaires et les administrateurs peuvent lancer un export.",
    "Vous pouvez exporter jusqu'à vingt projets à la fois. Dans l'application Android, l'export n'est pas possible.",
    "Bonjour Priya Okafor,\n\nles projets supprimés restent trente jours dans les archives.\n\nTideline Support",
    "افتح Settings › Data › Export واختر التنسيق، Excel أو CSV.",
    "يحتوي الملف على جميع ساعات الفترة. الرابط صالح لمدة ٧٢ ساعة.",
    "عندما يكون التصدير جاهزا نرسل لك رابطا بالبريد الإلكتروني صالحا لمدة اثنتين وسبعين ساعة.",
    "يمكن للمالكين والمشرفين فقط بدء التصدير.",
    "يمكنك تصدير عشرين مشروعا في المرة الواحدة.",
    "Settings › Data › Export کھولیں اور فارمیٹ منتخب کریں، Excel یا CSV۔",
    "فائل میں مدت کے تمام گھنٹے ہوتے ہیں۔ لنک بہتر گھنٹے تک کارآمد ہے۔",
    "جب ایکسپورٹ تیار ہو جائے تو ہم آپ کو ای میل سے ایک لنک بھیجتے ہیں جو ۷۲ گھنٹے تک کارآمد ہے۔",
    "صرف مالکان اور ایڈمن ایکسپورٹ شروع کر سکتے ہیں۔",
    "آپ ایک ساتھ بیس پروجیکٹ ایکسپورٹ کر سکتے ہیں۔",
]


@pytest.mark.parametrize("text", TRUE)
def test_what_the_page_says_may_be_said_in_the_customer_s_language(text: str) -> None:
    """An English page, translated: figures, links, labels and "not" agree."""
    assert codes(text + MORE) == set()


TRANSLATED = {
    "de": "Der Link gilt 72 Stunden. Gelöschte Projekte können nicht wiederhergestellt werden. Sie brauchen kein neues "
    "Passwort. Wenn der Link nicht ankommt, prüfen Sie den Spamordner.",
    "es": "El enlace es válido durante 72 horas. Los proyectos eliminados no se pueden recuperar. Nunca pedimos su "
    "contraseña. Si el enlace no llega, revise la carpeta de spam.",
    "fr": "Le lien est valable 72 heures. Les projets supprimés ne peuvent pas être récupérés. Nous ne demandons "
    "jamais votre mot de passe.",
    "ar": "الرابط صالح لمدة 72 ساعة. لا يمكن استعادة المشاريع المحذوفة نهائيا.",
    "ur": "یہ لنک 72 گھنٹے تک کارآمد ہے۔ حذف شدہ پروجیکٹ بحال نہیں ہو سکتے۔",
}


def own(language: str) -> GateContext:
    """What cites a page in the reply's own language."""
    return replace(WEB, passages=(replace(PAGE, text=TRANSLATED[language], language=language),), language=language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Der Link gilt nicht 72 Stunden."),
        ("de", "Der Link gilt niemals 72 Stunden."),
        ("de", "Gelöschte Projekte können wiederhergestellt werden."),
        ("de", "Sie brauchen ein neues Passwort."),
        ("es", "El enlace nunca es válido durante 72 horas."),
        ("es", "Los proyectos eliminados se pueden recuperar."),
        ("es", "Pedimos su contraseña."),
        ("fr", "Le lien n'est pas valable 72 heures."),
        ("fr", "Les projets supprimés peuvent être récupérés."),
        ("fr", "Nous demandons votre mot de passe."),
        ("ar", "يمكن استعادة المشاريع المحذوفة نهائيا."),
        ("ur", "حذف شدہ پروجیکٹ بحال ہو سکتے۔"),
    ],
)
def test_a_not_stays_where_a_page_in_the_reply_s_language_has_it(language: str, text: str) -> None:
    """The opposite of what a translated page says is made of the same words."""
    assert "unbacked" in codes(f"{text}{MORE}", own(language))


@pytest.mark.parametrize("language", sorted(TRANSLATED))
def test_a_page_in_the_reply_s_language_may_be_repeated(language: str) -> None:
    """Word for word, with each "not" and each condition."""
    assert codes(f"{TRANSLATED[language]}{MORE}", own(language)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Welchen Export meinen Sie, den der Stunden oder den der Rechnungen?",
        "Guten Tag Priya,\n\nvielen Dank für Ihre Nachricht. Welchen Browser verwenden Sie?\n\nMit freundlichen Grüßen"
        "\nTideline Support",
        "Können Sie uns bitte sagen, was Sie auf dem Bildschirm sehen?",
        "Hola, gracias por su mensaje. ¿Qué exportación necesita, la de las horas o la de las facturas?",
        "¿Podría decirnos en qué página está y qué ve ahí?",
        "Bonjour,\n\nmerci pour votre message. Quel navigateur utilisez-vous ?\n\nCordialement,\nTideline Support",
        "Pourriez-vous nous dire ce que vous voyez à l'écran ?",
        "مرحبا، شكرا على رسالتك. أي تصدير تقصد، تصدير الساعات أم الفواتير؟",
        "هل يمكنك أن تخبرنا ماذا ترى على الشاشة؟",
        "السلام علیکم، آپ کے پیغام کا شکریہ۔ آپ کون سا ایکسپورٹ چاہتے ہیں، گھنٹوں کا یا انوائسز کا؟",
        "کیا آپ بتا سکتے ہیں کہ آپ اسکرین پر کیا دیکھ رہے ہیں؟",
    ],
)
def test_a_question_back_in_the_customer_s_language_needs_no_page(text: str) -> None:
    """It states nothing."""
    assert codes(text, QUESTION) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Wussten Sie, dass Tideline Ihre Daten verkauft?",
        "Warum verkauft Tideline Ihre Daten?",
        "Können Sie uns bitte Ihr Passwort nennen?",
        "Wir haben Ihren Arbeitsbereich gelöscht. Welchen Browser verwenden Sie?",
        "Sie haben doch schon 30 Tage gewartet, nicht wahr?",
        "¿Sabía que Tideline vende sus datos?",
        "¿Puede decirnos su contraseña?",
        "Hemos borrado su cuenta. ¿Qué navegador usa?",
        "Saviez-vous que Tideline vend vos données ?",
        "Pourriez-vous nous donner votre mot de passe ?",
        "Nous avons supprimé votre compte. Quel navigateur utilisez-vous ?",
        "هل تعلم أن الشركة تبيع بياناتك؟",
        "ما هي كلمة المرور الخاصة بك؟",
        "لقد حذفنا حسابك. أي متصفح تستخدم؟",
        "کیا آپ جانتے ہیں کہ کمپنی آپ کا ڈیٹا بیچتی ہے؟",
        "آپ کا پاس ورڈ کیا ہے؟",
        "ہم نے آپ کا اکاؤنٹ حذف کر دیا ہے۔ آپ کون سا براؤزر استعمال کرتے ہیں؟",
    ],
)
def test_a_statement_with_a_question_mark_is_none_in_any_language(text: str) -> None:
    """What is presumed, a secret that is asked for, and what is claimed beside a question."""
    assert "uncited" in codes(text, QUESTION)


@pytest.mark.parametrize(
    "text",
    [
        "Open Settings › Data › Export and choose the format, Excel\nor CSV. The file contains all hours of"
        " the\nperiod.",
        "Hello Priya Okafor,\n\nWhen the export is ready we\ne-mail you a link. The link is valid for\n72 hours.\n\n"
        "1. Open Settings › Data ›\n   Export.\n2. Choose the format, Excel or\n   CSV.\n\nTideline Support",
        "Öffnen Sie Settings › Data › Export und wählen Sie\ndas Format. Der Link ist 72\nStunden gültig.",
    ],
)
def test_lines_that_are_wrapped_are_read_as_sentences(text: str) -> None:
    """A model that breaks its lines at a column says the same."""
    assert codes(text + MORE) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Open Settings › Data › Export and\nsend us your workspace's whole database\nby post.",
        "You cannot start\nan export as the owner. Only\nguests can.",
    ],
)
def test_a_line_break_hides_no_fabrication(text: str) -> None:
    """Wrapped or not, a sentence is held against the page."""
    assert "unbacked" in codes(text + MORE)


LEADS = {
    "de": ("Weitere Informationen:", f"{TRUE[5]} {TRUE[6]} {TRUE[7]}"),
    "es": ("Más información:", f"{TRUE[11]} {TRUE[12]} {TRUE[13]}"),
    "fr": ("Pour en savoir plus :", f"{TRUE[17]} {TRUE[18]} {TRUE[19]}"),
    "ar": ("المصدر:", f"{TRUE[23]} {TRUE[24]} {TRUE[25]}"),
    "ur": ("مزید معلومات:", f"{TRUE[28]} {TRUE[29]} {TRUE[30]}"),
}
INVENTED = {
    "de": "Alle Mitglieder dürfen Rechnungen löschen.",
    "es": "Todos los miembros pueden borrar facturas.",
    "fr": "Tous les membres peuvent supprimer des factures.",
    "ar": "يمكن لجميع الأعضاء حذف الفواتير.",
    "ur": "تمام ممبران انوائسز حذف کر سکتے ہیں۔",
}


@pytest.mark.parametrize("language", LEADS)
def test_two_pages_are_named_in_a_model_s_own_words(language: str) -> None:
    """A line that ends in an address has ended, however long the title before it is; what comes after is read."""
    titles = ("Exporting your data, the reports and the hours", "Projects that were deleted, and the archive")
    pages = [replace(PAGE, title=title, url=f"{URL}-{place}") for place, title in enumerate(titles)]
    context, (lead, said) = replace(WEB, passages=pages, language=language), LEADS[language]
    text = f"{said}\n\n" + "\n".join(f"{lead} {one.title}, {one.url}" for one in pages)
    assert codes(text, context) == set()
    assert "unbacked" in codes(f"{text}\n{INVENTED[language]}", context)


def test_a_line_broken_behind_an_address_is_read_on() -> None:
    """A model may break a sentence there: its second half is no sentence by itself."""
    text = f"You can read on the page that we keep at {URL}\nhow to open Settings › Data › Export."
    assert codes(text) == set()
    assert "unbacked" in codes(text.replace("open", "never open"))
