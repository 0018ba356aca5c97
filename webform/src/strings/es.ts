import type { Strings } from './dictionary';

export const es: Strings = {
  heading: '¿En qué podemos ayudarle?',
  intro: 'Escríbanos. La respuesta aparecerá aquí mismo, en esta página.',
  optional: 'opcional',
  labels: {
    name: 'Su nombre',
    email: 'Correo electrónico',
    phone: 'Teléfono',
    subject: 'Asunto',
    category: '¿De qué se trata?',
    message: 'Su mensaje',
  },
  hints: {
    email: 'Para saber quién escribe. La respuesta aparece aquí.',
    phone: 'Por ejemplo, +1 201 555 0123',
  },
  categories: {
    general: 'Pregunta general',
    technical: 'Problema técnico',
    billing: 'Facturación y pagos',
    feedback: 'Opinión o idea',
  },
  problems: {
    missing: {
      name: 'Escriba su nombre.',
      email: 'Escriba su correo electrónico.',
      phone: 'Escriba un número de teléfono.',
      subject: 'Escriba un asunto.',
      category: 'Elija de qué se trata.',
      message: 'Escriba su mensaje.',
    },
    too_long: {
      name: 'El nombre puede tener 200 caracteres como máximo.',
      email: 'El correo electrónico puede tener 254 caracteres como máximo.',
      phone: 'El teléfono puede tener 15 cifras como máximo.',
      subject: 'El asunto puede tener 200 caracteres como máximo.',
      category: 'Elija de qué se trata.',
      message: 'El mensaje puede tener 20 000 caracteres como máximo.',
    },
    malformed: {
      name: 'Revise su nombre.',
      email: 'Escriba un correo electrónico como nombre@example.com.',
      phone: 'Escriba un número como +1 201 555 0123, o deje el campo vacío.',
      subject: 'Revise el asunto.',
      category: 'Elija de qué se trata.',
      message: 'Revise el mensaje.',
    },
  },
  refused: 'No se ha aceptado. Revíselo, por favor.',
  left: (n) => (n === 1 ? 'queda 1 carácter' : `quedan ${n.toLocaleString('es')} caracteres`),
  over: (n) => (n === 1 ? 'sobra 1 carácter' : `sobran ${n.toLocaleString('es')} caracteres`),
  summary: (n) => (n === 1 ? 'Hay un dato que revisar' : `Hay ${n} datos que revisar`),
  submit: 'Enviar mensaje',
  sending: 'Enviando…',
  tryAgain: 'Intentar de nuevo',
  failures: {
    offline: 'No tiene conexión. Su mensaje sigue aquí: envíelo cuando vuelva a estar conectado.',
    unreachable:
      'No se ha podido contactar con nosotros. Su mensaje sigue aquí. Compruebe su conexión e inténtelo de nuevo.',
    unavailable:
      'Ahora mismo no podemos recibir su mensaje. Sigue aquí: inténtelo de nuevo en un minuto.',
    rate_limited:
      'Han sido muchos mensajes en poco tiempo. El suyo sigue aquí: espere un poco y envíelo.',
    too_large: 'Su mensaje es demasiado largo. Acórtelo, por favor.',
    refused: 'No se ha aceptado su mensaje. Revise los datos y envíelo de nuevo.',
    not_found:
      'No se ha encontrado la dirección para los mensajes. Avise al responsable de este sitio.',
    unexpected:
      'Algo ha fallado por nuestra parte. Su mensaje sigue aquí: inténtelo de nuevo en un minuto.',
  },
  waitFor: (s) =>
    s >= 90 ? `Podrá enviarlo en ${Math.ceil(s / 60)} minutos.` : `Podrá enviarlo en ${s} s.`,
  backOnline: 'Vuelve a tener conexión. Ya puede enviar su mensaje.',
  thread: 'Su conversación',
  authors: { customer: 'Usted', agent: 'Asistente', human: 'Equipo de soporte' },
  statuses: {
    received: 'Hemos recibido su mensaje',
    open: 'Estamos en ello',
    answered: 'Respondido',
    escalated: 'Una persona se ocupa de ello',
    closed: 'Esta conversación está cerrada',
  },
  slow: 'Esto tarda un poco más. Quédese aquí, o copie el enlace y vuelva más tarde.',
  reconnecting: 'Se ha perdido la conexión. Seguimos intentándolo.',
  offlineThread:
    'No tiene conexión. Los mensajes nuevos aparecerán cuando vuelva a estar conectado.',
  notFound:
    'No encontramos esta conversación. Puede que el enlace esté incompleto o ya no sea válido.',
  copyLink: 'Copiar enlace',
  copied: 'Enlace copiado',
  linkToKeep: 'El enlace a esta conversación',
  anew: 'Preguntar otra cosa',
};
