import type { Strings } from './dictionary';

export const en: Strings = {
  heading: 'How can we help?',
  intro: 'Write to us. The answer appears right here on this page.',
  optional: 'optional',
  labels: {
    name: 'Your name',
    email: 'E-mail address',
    phone: 'Phone number',
    subject: 'Subject',
    category: 'What is it about?',
    message: 'Your message',
  },
  hints: {
    email: 'So that we know who is writing. The answer appears here.',
    phone: 'For example +1 201 555 0123',
  },
  categories: {
    general: 'General question',
    technical: 'Technical problem',
    billing: 'Billing and payment',
    feedback: 'Feedback or an idea',
  },
  problems: {
    missing: {
      name: 'Enter your name.',
      email: 'Enter your e-mail address.',
      phone: 'Enter a phone number.',
      subject: 'Enter a subject.',
      category: 'Choose what it is about.',
      message: 'Enter your message.',
    },
    too_long: {
      name: 'The name can have 200 characters at most.',
      email: 'The e-mail address can have 254 characters at most.',
      phone: 'The phone number can have 15 digits at most.',
      subject: 'The subject can have 200 characters at most.',
      category: 'Choose what it is about.',
      message: 'The message can have 20,000 characters at most.',
    },
    malformed: {
      name: 'Check your name.',
      email: 'Enter an e-mail address like name@example.com.',
      phone: 'Enter a phone number like +1 201 555 0123, or leave it empty.',
      subject: 'Check the subject.',
      category: 'Choose what it is about.',
      message: 'Check the message.',
    },
  },
  refused: 'This was not accepted. Please check it.',
  left: (n) => (n === 1 ? '1 character left' : `${n.toLocaleString('en')} characters left`),
  over: (n) => (n === 1 ? '1 character too many' : `${n.toLocaleString('en')} characters too many`),
  summary: (n) => (n === 1 ? 'One thing needs your attention' : `${n} things need your attention`),
  submit: 'Send message',
  sending: 'Sending…',
  tryAgain: 'Try again',
  failures: {
    offline: 'You are offline. Your message is kept here: send it once you are connected again.',
    unreachable:
      'We could not be reached. Your message is kept here. Check your connection and try again.',
    unavailable:
      'We cannot take your message right now. It is kept here: please try again in a minute.',
    rate_limited:
      'That was a lot of messages in a short time. Yours is kept here: please wait a little, then send it.',
    too_large: 'Your message is too long to send. Please shorten it.',
    refused: 'Your message was not accepted. Please check what you entered and send it again.',
    not_found: 'The address for messages was not found. Please tell the owner of this site.',
    unexpected:
      'Something went wrong on our side. Your message is kept here: please try again in a minute.',
  },
  waitFor: (s) =>
    s >= 90 ? `You can send in ${Math.ceil(s / 60)} minutes.` : `You can send in ${s} s.`,
  backOnline: 'You are connected again. You can send your message now.',
  thread: 'Your conversation',
  authors: { customer: 'You', agent: 'Assistant', human: 'Support team' },
  statuses: {
    received: 'We have your message',
    open: 'We are on it',
    answered: 'Answered',
    escalated: 'A person is on it',
    closed: 'This conversation is closed',
  },
  slow: 'This one takes a little longer. Stay here, or copy the link and come back later.',
  reconnecting: 'The connection was lost. We keep trying.',
  offlineThread: 'You are offline. New messages appear when you are connected again.',
  notFound: 'We cannot find this conversation. The link may be incomplete or no longer valid.',
  copyLink: 'Copy link',
  copied: 'Link copied',
  linkToKeep: 'The link to this conversation',
  anew: 'Ask something else',
};
