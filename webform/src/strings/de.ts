import type { Strings } from './dictionary';

export const de: Strings = {
  heading: 'Wie können wir helfen?',
  intro: 'Schreiben Sie uns. Die Antwort erscheint direkt hier auf dieser Seite.',
  optional: 'optional',
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
  left: (n) => `noch ${n.toLocaleString('de')} Zeichen`,
  over: (n) => `${n.toLocaleString('de')} Zeichen zu viel`,
  summary: (n) =>
    n === 1
      ? 'Eine Angabe fehlt noch oder stimmt nicht'
      : `${n} Angaben fehlen noch oder stimmen nicht`,
  submit: 'Nachricht senden',
  sending: 'Wird gesendet …',
  tryAgain: 'Erneut versuchen',
  failures: {
    offline:
      'Sie sind offline. Ihre Nachricht bleibt hier: Senden Sie sie, sobald Sie wieder verbunden sind.',
    unreachable:
      'Wir sind nicht erreichbar. Ihre Nachricht bleibt hier. Prüfen Sie Ihre Verbindung und versuchen Sie es erneut.',
    unavailable:
      'Wir können Ihre Nachricht gerade nicht annehmen. Sie bleibt hier: Bitte versuchen Sie es in einer Minute erneut.',
    rate_limited:
      'Das waren viele Nachrichten in kurzer Zeit. Ihre bleibt hier: Bitte warten Sie ein wenig und senden Sie sie dann.',
    too_large: 'Ihre Nachricht ist zu lang. Bitte kürzen Sie sie.',
    refused:
      'Ihre Nachricht wurde nicht angenommen. Bitte prüfen Sie Ihre Angaben und senden Sie sie erneut.',
    not_found:
      'Die Adresse für Nachrichten wurde nicht gefunden. Bitte sagen Sie dem Betreiber dieser Seite Bescheid.',
    unexpected:
      'Bei uns ist etwas schiefgegangen. Ihre Nachricht bleibt hier: Bitte versuchen Sie es in einer Minute erneut.',
  },
  waitFor: (s) =>
    s >= 90 ? `Sie können in ${Math.ceil(s / 60)} Minuten senden.` : `Sie können in ${s} s senden.`,
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
  slow: 'Das dauert etwas länger. Bleiben Sie hier, oder kopieren Sie den Link und kommen Sie später wieder.',
  reconnecting: 'Die Verbindung ist abgebrochen. Wir versuchen es weiter.',
  offlineThread: 'Sie sind offline. Neue Nachrichten erscheinen, sobald Sie wieder verbunden sind.',
  notFound:
    'Wir finden dieses Gespräch nicht. Der Link ist vielleicht unvollständig oder nicht mehr gültig.',
  copyLink: 'Link kopieren',
  copied: 'Link kopiert',
  linkToKeep: 'Der Link zu diesem Gespräch',
  anew: 'Etwas anderes fragen',
};
