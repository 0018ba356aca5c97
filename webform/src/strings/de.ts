import type { Strings } from './dictionary';
import { numbersOf } from './numbers';

const { count } = numbersOf('de');

export const de: Strings = {
  heading: 'Wie können wir helfen?',
  intro: 'Schreiben Sie uns. Die Antwort erscheint direkt hier auf dieser Seite.',
  optional: 'freiwillig',
  labels: {
    name: 'Ihr Name',
    email: 'E-Mail-Adresse',
    phone: 'Telefonnummer',
    subject: 'Betreff',
    category: 'Worum geht es?',
    message: 'Ihre Nachricht',
  },
  hints: {
    email: 'Damit wir wissen, wer schreibt. Die Antwort erscheint hier.',
    phone: 'Zum Beispiel +1 201 555 0123',
  },
  categories: {
    general: 'Allgemeine Frage',
    technical: 'Technisches Problem',
    billing: 'Rechnung und Zahlung',
    feedback: 'Rückmeldung oder Idee',
  },
  problems: {
    missing: {
      name: 'Geben Sie Ihren Namen ein.',
      email: 'Geben Sie Ihre E-Mail-Adresse ein.',
      phone: 'Geben Sie eine Telefonnummer ein.',
      subject: 'Geben Sie einen Betreff ein.',
      category: 'Wählen Sie aus, worum es geht.',
      message: 'Geben Sie Ihre Nachricht ein.',
    },
    too_long: {
      name: 'Der Name darf höchstens 200 Zeichen haben.',
      email: 'Die E-Mail-Adresse darf höchstens 254 Zeichen haben.',
      phone: 'Die Telefonnummer darf höchstens 15 Ziffern haben.',
      subject: 'Der Betreff darf höchstens 200 Zeichen haben.',
      category: 'Wählen Sie aus, worum es geht.',
      message: 'Die Nachricht darf höchstens 20.000 Zeichen haben.',
    },
    malformed: {
      name: 'Prüfen Sie Ihren Namen.',
      email: 'Geben Sie eine E-Mail-Adresse wie name@example.com ein.',
      phone: 'Geben Sie eine Nummer wie +1 201 555 0123 ein oder lassen Sie das Feld leer.',
      subject: 'Prüfen Sie den Betreff.',
      category: 'Wählen Sie aus, worum es geht.',
      message: 'Prüfen Sie die Nachricht.',
    },
  },
  refused: 'Das wurde nicht angenommen. Bitte prüfen Sie es.',
  left: count({ other: 'noch # Zeichen' }),
  over: count({ other: '# Zeichen zu viel' }),
  summary: count({
    one: 'Eine Angabe fehlt noch oder stimmt nicht',
    other: '# Angaben fehlen noch oder stimmen nicht',
  }),
  submit: 'Nachricht senden',
  sending: 'Wird gesendet …',
  tryAgain: 'Erneut versuchen',
  signedIn: (who) => `Sie schreiben als ${who}`,
  trap: 'Dieses Feld leer lassen',
  failures: {
    offline: 'Sie sind offline. Ihre Nachricht bleibt hier.',
    unreachable: 'Wir sind nicht erreichbar. Ihre Nachricht bleibt hier.',
    unavailable: 'Wir können Ihre Nachricht gerade nicht annehmen. Sie bleibt hier.',
    rate_limited: 'Das waren viele Nachrichten in kurzer Zeit. Ihre bleibt hier.',
    too_large: 'Ihre Nachricht ist zu lang. Bitte kürzen Sie sie.',
    refused:
      'Ihre Nachricht wurde nicht angenommen. Bitte prüfen Sie Ihre Angaben und senden Sie sie erneut.',
    not_found:
      'Die Adresse für Nachrichten wurde nicht gefunden. Bitte sagen Sie dem Betreiber dieser Seite Bescheid.',
    closed: 'Dieses Gespräch ist beendet. Bitte beginnen Sie ein neues.',
    trapped:
      'Etwas hat ein Feld ausgefüllt, das nur Maschinen sehen, vielleicht eine Browser-Erweiterung. Wir haben es geleert: Bitte senden Sie Ihre Nachricht noch einmal.',
    too_fast:
      'Das war schneller, als Menschen schreiben, darum warten wir einen Augenblick. Ihre Nachricht bleibt hier.',
    challenged:
      'Wir konnten nicht feststellen, dass ein Mensch schreibt. Ihre Nachricht bleibt hier: Bitte laden Sie die Seite neu und senden Sie sie noch einmal.',
    identity:
      'Diese Seite konnte nicht bestätigen, wer Sie sind. Melden Sie sich neu an, oder senden Sie noch einmal, um ohne Bestätigung fortzufahren.',
    unexpected: 'Bei uns ist etwas schiefgegangen. Ihre Nachricht bleibt hier.',
  },
  retry: {
    goesOn: 'Wir versuchen es von selbst weiter.',
    in: (span) => `Nächster Versuch in ${span}.`,
    online: 'Wir senden sie, sobald Sie wieder verbunden sind.',
    byHand: 'Bitte versuchen Sie es in einer Minute erneut.',
  },
  backOnline: 'Sie sind wieder verbunden. Sie können Ihre Nachricht jetzt senden.',
  thread: 'Ihr Gespräch',
  authors: { customer: 'Sie', agent: 'Assistent', human: 'Support-Team' },
  statuses: {
    received: 'Wir haben Ihre Nachricht',
    open: 'Wir kümmern uns darum',
    answered: 'Beantwortet',
    escalated: 'Ein Mensch kümmert sich darum',
    closed: 'Dieses Gespräch ist beendet',
  },
  escalated:
    'Jemand aus unserem Team liest Ihr Gespräch und antwortet genau hier. Sie müssen nichts weiter tun.',
  trust: {
    claimed:
      'Wir haben Ihnen eine E-Mail mit einem Link geschickt, der Ihre Adresse bestätigt. Öffnen Sie ihn, wenn wir Sie beim nächsten Mal wiedererkennen sollen; die Antwort erscheint in jedem Fall hier.',
    verified: 'Danke, Ihre E-Mail-Adresse ist bestätigt. Ab jetzt erkennen wir Sie wieder.',
  },
  slow: 'Das dauert etwas länger. Bleiben Sie hier, oder kopieren Sie den Link und kommen Sie später wieder.',
  reconnecting: 'Die Verbindung ist abgebrochen. Wir versuchen es weiter.',
  offlineThread: 'Sie sind offline. Neue Nachrichten erscheinen, sobald Sie wieder verbunden sind.',
  notFound:
    'Wir finden dieses Gespräch nicht. Der Link ist vielleicht unvollständig oder nicht mehr gültig.',
  copyLink: 'Link kopieren',
  copied: 'Link kopiert',
  linkToKeep: 'Der Link zu diesem Gespräch',
  back: 'Zurück zu Ihrem früheren Gespräch',
  anew: 'Etwas anderes fragen',
  reply: {
    label: 'Nachricht hinzufügen',
    reopen: 'Noch nicht gelöst? Schreiben Sie noch einmal',
    send: 'Senden',
    attach: 'Dateien anhängen',
    drop: 'Dateien hier ablegen',
    limits: count({ one: 'Eine Datei', other: 'Bis zu # Dateien' }),
    limitOfEach: (size) => `je höchstens ${size}`,
    chosen: 'Ausgewählte Dateien',
    remove: (name) => `${name} entfernen`,
    uploading: 'Die Dateien werden gesendet',
    nothing: 'Schreiben Sie etwas, oder hängen Sie eine Datei an.',
    tooMany: count({
      one: 'Eine Nachricht kann eine Datei tragen. Die übrigen wurden weggelassen.',
      other: 'Eine Nachricht kann # Dateien tragen. Die übrigen wurden weggelassen.',
    }),
    tooBig: (name, most) => `${name} ist größer als ${most} und wurde weggelassen.`,
    tooMuch: (most) =>
      `Zusammen sind die Dateien größer als ${most}. Bitte senden Sie weniger auf einmal.`,
    empty: (name) => `${name} ist leer und wurde weggelassen.`,
    again: (names) =>
      `Bitte noch einmal auswählen, denn beim Neuladen kann die Seite keine Dateien behalten: ${names}`,
  },
  files: {
    list: 'Angehängte Dateien',
    download: 'Herunterladen:',
    failed: 'Die Datei ließ sich nicht laden. Bitte versuchen Sie es erneut.',
  },
  rating: {
    question: 'Wie war die Antwort?',
    asked: 'Ihre Anfrage ist abgeschlossen. Wie war unsere Hilfe?',
    scores: { 1: 'Sehr schlecht', 2: 'Schlecht', 3: 'In Ordnung', 4: 'Gut', 5: 'Sehr gut' },
    comment: 'Was sollten wir dazu wissen?',
    send: 'Bewertung senden',
    thanks: (score) => `Vielen Dank. Ihre Bewertung: ${score}`,
    change: 'Bewertung ändern',
    failed: 'Ihre Bewertung ist nicht angekommen. Bitte senden Sie sie noch einmal.',
  },
  launcher: {
    open: 'Hilfe',
    close: 'Schließen',
    news: count({ one: '# neue Antwort', other: '# neue Antworten' }),
  },
};
