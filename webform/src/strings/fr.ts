import type { Strings } from './dictionary';

export const fr: Strings = {
  heading: 'Comment pouvons-nous vous aider ?',
  intro: 'Écrivez-nous. La réponse s’affichera ici même, sur cette page.',
  optional: 'facultatif',
  labels: {
    name: 'Votre nom',
    email: 'Adresse e-mail',
    phone: 'Téléphone',
    subject: 'Objet',
    category: 'De quoi s’agit-il ?',
    message: 'Votre message',
  },
  hints: {
    email: 'Pour savoir qui écrit. La réponse s’affiche ici.',
    phone: 'Par exemple +1 201 555 0123',
  },
  categories: {
    general: 'Question générale',
    technical: 'Problème technique',
    billing: 'Facturation et paiement',
    feedback: 'Avis ou idée',
  },
  problems: {
    missing: {
      name: 'Saisissez votre nom.',
      email: 'Saisissez votre adresse e-mail.',
      phone: 'Saisissez un numéro de téléphone.',
      subject: 'Saisissez un objet.',
      category: 'Choisissez de quoi il s’agit.',
      message: 'Saisissez votre message.',
    },
    too_long: {
      name: 'Le nom peut compter 200 caractères au plus.',
      email: 'L’adresse e-mail peut compter 254 caractères au plus.',
      phone: 'Le téléphone peut compter 15 chiffres au plus.',
      subject: 'L’objet peut compter 200 caractères au plus.',
      category: 'Choisissez de quoi il s’agit.',
      message: 'Le message peut compter 20 000 caractères au plus.',
    },
    malformed: {
      name: 'Vérifiez votre nom.',
      email: 'Saisissez une adresse e-mail comme nom@example.com.',
      phone: 'Saisissez un numéro comme +1 201 555 0123, ou laissez le champ vide.',
      subject: 'Vérifiez l’objet.',
      category: 'Choisissez de quoi il s’agit.',
      message: 'Vérifiez le message.',
    },
  },
  refused: 'Cette valeur n’a pas été acceptée. Vérifiez-la, s’il vous plaît.',
  left: (n) => `encore ${n.toLocaleString('fr')} ${n === 1 ? 'caractère' : 'caractères'}`,
  over: (n) => `${n.toLocaleString('fr')} ${n === 1 ? 'caractère' : 'caractères'} de trop`,
  summary: (n) => (n === 1 ? 'Un point est à vérifier' : `${n} points sont à vérifier`),
  submit: 'Envoyer le message',
  sending: 'Envoi…',
  tryAgain: 'Réessayer',
  failures: {
    offline:
      'Vous êtes hors ligne. Votre message reste ici : envoyez-le une fois la connexion rétablie.',
    unreachable:
      'Impossible de nous joindre. Votre message reste ici. Vérifiez votre connexion et réessayez.',
    unavailable:
      'Nous ne pouvons pas recevoir votre message pour le moment. Il reste ici : réessayez dans une minute.',
    rate_limited:
      'Cela fait beaucoup de messages en peu de temps. Le vôtre reste ici : patientez un peu, puis envoyez-le.',
    too_large: 'Votre message est trop long. Raccourcissez-le, s’il vous plaît.',
    refused: 'Votre message n’a pas été accepté. Vérifiez votre saisie et renvoyez-le.',
    not_found:
      'L’adresse d’envoi des messages est introuvable. Merci de prévenir le responsable de ce site.',
    unexpected:
      'Un problème est survenu de notre côté. Votre message reste ici : réessayez dans une minute.',
  },
  waitFor: (s) =>
    s >= 90
      ? `Vous pourrez l’envoyer dans ${Math.ceil(s / 60)} minutes.`
      : `Vous pourrez l’envoyer dans ${s} s.`,
  backOnline: 'La connexion est rétablie. Vous pouvez envoyer votre message.',
  thread: 'Votre conversation',
  authors: { customer: 'Vous', agent: 'Assistant', human: 'Équipe d’assistance' },
  statuses: {
    received: 'Nous avons votre message',
    open: 'Nous nous en occupons',
    answered: 'Réponse reçue',
    escalated: 'Une personne s’en occupe',
    closed: 'Cette conversation est close',
  },
  slow: 'C’est un peu plus long que d’habitude. Restez ici, ou copiez le lien et revenez plus tard.',
  reconnecting: 'La connexion est perdue. Nous continuons d’essayer.',
  offlineThread:
    'Vous êtes hors ligne. Les nouveaux messages s’afficheront une fois la connexion rétablie.',
  notFound:
    'Cette conversation est introuvable. Le lien est peut-être incomplet ou n’est plus valable.',
  copyLink: 'Copier le lien',
  copied: 'Lien copié',
  linkToKeep: 'Le lien vers cette conversation',
  anew: 'Poser une autre question',
};
