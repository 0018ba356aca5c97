import type { Strings } from './dictionary';
import { numbersOf } from './numbers';

const { count } = numbersOf('fr');

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
  refused: 'Cela n’a pas été accepté. Vérifiez, s’il vous plaît.',
  left: count({ one: 'reste # caractère', other: 'restent # caractères' }),
  over: count({ one: '# caractère en trop', other: '# caractères en trop' }),
  summary: count({ one: 'Un point est à vérifier', other: '# points sont à vérifier' }),
  submit: 'Envoyer le message',
  sending: 'Envoi en cours…',
  tryAgain: 'Réessayer',
  signedIn: (who) => `Vous écrivez en tant que ${who}`,
  trap: 'Laissez ce champ vide',
  failures: {
    offline: 'Vous êtes hors ligne. Votre message reste ici.',
    unreachable: 'Impossible de nous joindre. Votre message reste ici.',
    unavailable: 'Nous ne pouvons pas recevoir votre message pour le moment. Il reste ici.',
    rate_limited: 'Cela fait beaucoup de messages en peu de temps. Le vôtre reste ici.',
    too_large: 'Votre message est trop long. Raccourcissez-le, s’il vous plaît.',
    refused: 'Votre message n’a pas été accepté. Vérifiez votre saisie et renvoyez-le.',
    not_found:
      'L’adresse d’envoi des messages est introuvable. Merci de prévenir le responsable de ce site.',
    closed: 'Cette conversation est close. Commencez-en une nouvelle, s’il vous plaît.',
    trapped:
      'Quelque chose a rempli un champ que seules les machines voient, peut-être une extension du navigateur. Nous l’avons vidé : renvoyez votre message, s’il vous plaît.',
    too_fast:
      'C’était plus rapide qu’une personne n’écrit, nous attendons donc un instant. Votre message reste ici.',
    challenged:
      'Nous n’avons pas pu nous assurer qu’une personne écrit. Votre message reste ici : rechargez la page et renvoyez-le.',
    identity:
      'Ce site n’a pas pu confirmer qui vous êtes. Reconnectez-vous, ou renvoyez le message pour continuer sans cela.',
    unexpected: 'Un problème est survenu de notre côté. Votre message reste ici.',
  },
  retry: {
    goesOn: 'Nous continuons d’essayer de nous-mêmes.',
    in: (span) => `Nouvel essai dans ${span}.`,
    online: 'Nous l’envoyons dès que la connexion est rétablie.',
    byHand: 'Réessayez dans une minute, s’il vous plaît.',
  },
  backOnline: 'La connexion est rétablie. Vous pouvez envoyer votre message.',
  thread: 'Votre conversation',
  authors: { customer: 'Vous', agent: 'L’assistant', human: 'Équipe d’assistance' },
  statuses: {
    received: 'Nous avons votre message',
    open: 'Nous nous en occupons',
    answered: 'Réponse reçue',
    escalated: 'Une personne s’en occupe',
    closed: 'Cette conversation est close',
  },
  escalated:
    'Une personne de notre équipe lit votre conversation et répond ici même. Vous n’avez rien d’autre à faire.',
  trust: {
    claimed:
      'Nous vous avons envoyé un e-mail avec un lien qui confirme votre adresse. Ouvrez-le si vous souhaitez que nous vous reconnaissions la prochaine fois ; la réponse s’affiche ici dans tous les cas.',
    verified: 'Merci, votre adresse e-mail est confirmée. Nous vous reconnaîtrons désormais.',
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
  back: 'Revenir à votre conversation précédente',
  anew: 'Poser une autre question',
  reply: {
    label: 'Ajouter un message',
    reopen: 'Ce n’est pas résolu ? Écrivez-nous encore',
    send: 'Envoyer',
    attach: 'Joindre des fichiers',
    drop: 'Déposez les fichiers ici',
    limits: count({ one: 'Un fichier', other: 'Jusqu’à # fichiers' }),
    limitOfEach: (size) => `${size} au plus chacun`,
    chosen: 'Fichiers à envoyer',
    remove: (name) => `Retirer ${name}`,
    uploading: 'Envoi des fichiers',
    nothing: 'Écrivez un message ou joignez un fichier.',
    tooMany: count({
      one: 'Un message peut porter un fichier. Les autres ont été écartés.',
      other: 'Un message peut porter # fichiers. Les autres ont été écartés.',
    }),
    tooBig: (name, most) => `${name} dépasse ${most} et a été écarté.`,
    tooMuch: (most) =>
      `Ensemble, les fichiers dépassent ${most}. Envoyez-en moins à la fois, s’il vous plaît.`,
    empty: (name) => `${name} est vide et a été écarté.`,
    again: (names) =>
      `Veuillez choisir à nouveau ces fichiers, que la page ne peut pas garder quand elle est rechargée : ${names}`,
  },
  files: {
    list: 'Fichiers joints',
    download: 'Télécharger:',
    failed: 'Le fichier n’a pas pu être récupéré. Réessayez, s’il vous plaît.',
  },
  rating: {
    question: 'Comment était la réponse ?',
    asked: 'Votre demande est close. Comment était notre aide ?',
    scores: { 1: 'Très mauvaise', 2: 'Mauvaise', 3: 'Correcte', 4: 'Bonne', 5: 'Très bonne' },
    comment: 'Que devrions-nous savoir à ce sujet ?',
    send: 'Envoyer l’avis',
    thanks: (score) => `Merci. Votre avis : ${score}`,
    change: 'Modifier l’avis',
    failed: 'Votre avis ne nous est pas parvenu. Renvoyez-le, s’il vous plaît.',
  },
  launcher: {
    open: 'Aide',
    close: 'Fermer',
    news: count({ one: '# nouvelle réponse', other: '# nouvelles réponses' }),
  },
};
