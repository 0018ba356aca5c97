import type { Strings } from './dictionary';
import { numbersOf } from './numbers';

const { count } = numbersOf('es');

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
  left: count({ one: 'queda # carácter', other: 'quedan # caracteres' }),
  over: count({ one: 'sobra # carácter', other: 'sobran # caracteres' }),
  summary: count({ one: 'Hay un dato que revisar', other: 'Hay # datos que revisar' }),
  submit: 'Enviar mensaje',
  sending: 'Enviando…',
  tryAgain: 'Intentar de nuevo',
  signedIn: (who) => `Escribe como ${who}`,
  trap: 'Deje este campo vacío',
  failures: {
    offline: 'No tiene conexión. Su mensaje sigue aquí.',
    unreachable: 'No se ha podido contactar con nosotros. Su mensaje sigue aquí.',
    unavailable: 'Ahora mismo no podemos recibir su mensaje. Sigue aquí.',
    rate_limited: 'Han sido muchos mensajes en poco tiempo. El suyo sigue aquí.',
    too_large: 'Su mensaje es demasiado largo. Acórtelo, por favor.',
    refused: 'No se ha aceptado su mensaje. Revise los datos y envíelo de nuevo.',
    not_found:
      'No se ha encontrado la dirección para los mensajes. Avise al responsable de este sitio.',
    closed: 'Esta conversación está cerrada. Empiece una nueva, por favor.',
    trapped:
      'Algo ha rellenado un campo que solo ven las máquinas, quizá una extensión del navegador. Lo hemos vaciado: envíe su mensaje de nuevo, por favor.',
    too_fast:
      'Ha sido más rápido de lo que escribe una persona, así que esperamos un momento. Su mensaje sigue aquí.',
    challenged:
      'No hemos podido comprobar que escribe una persona. Su mensaje sigue aquí: recargue la página y envíelo de nuevo.',
    identity:
      'Este sitio no ha podido confirmar quién es usted. Inicie sesión otra vez, o envíe el mensaje de nuevo para seguir sin ello.',
    unexpected: 'Algo ha fallado por nuestra parte. Su mensaje sigue aquí.',
  },
  retry: {
    goesOn: 'Seguimos intentándolo por nuestra cuenta.',
    in: (span) => `Lo intentaremos de nuevo en ${span}.`,
    online: 'Lo enviaremos en cuanto vuelva a tener conexión.',
    byHand: 'Inténtelo de nuevo en un minuto, por favor.',
  },
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
  escalated:
    'Alguien de nuestro equipo lee su conversación y responde aquí mismo. No tiene que hacer nada más.',
  trust: {
    claimed:
      'Le hemos enviado un correo con un enlace que confirma su dirección. Ábralo si quiere que le recordemos la próxima vez; la respuesta aparecerá aquí en cualquier caso.',
    verified: 'Gracias, su correo electrónico está confirmado. A partir de ahora le recordaremos.',
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
  back: 'Volver a su conversación anterior',
  anew: 'Preguntar otra cosa',
  reply: {
    label: 'Añadir un mensaje',
    reopen: '¿No está resuelto? Escriba de nuevo',
    send: 'Enviar',
    attach: 'Adjuntar archivos',
    drop: 'Suelte aquí los archivos',
    limits: count({ one: 'Un archivo', other: 'Hasta # archivos' }),
    limitOfEach: (size) => `${size} como máximo cada uno`,
    chosen: 'Archivos para enviar',
    remove: (name) => `Quitar ${name}`,
    uploading: 'Enviando los archivos',
    nothing: 'Escriba un mensaje o adjunte un archivo.',
    tooMany: count({
      one: 'Un mensaje puede llevar un archivo. Los demás se han descartado.',
      other: 'Un mensaje puede llevar # archivos. Los demás se han descartado.',
    }),
    tooBig: (name, most) => `${name} ocupa más de ${most} y se ha descartado.`,
    tooMuch: (most) =>
      `Juntos, los archivos ocupan más de ${most}. Envíe menos de una vez, por favor.`,
    empty: (name) => `${name} está vacío y se ha descartado.`,
    again: (names) =>
      `Elija de nuevo estos archivos; la página no puede conservarlos al recargarse: ${names}`,
  },
  files: {
    list: 'Archivos adjuntos',
    download: 'Descargar:',
    failed: 'No se ha podido obtener el archivo. Inténtelo de nuevo, por favor.',
  },
  rating: {
    question: '¿Qué le ha parecido la respuesta?',
    asked: 'Su consulta está cerrada. ¿Qué le ha parecido nuestra ayuda?',
    scores: { 1: 'Muy mala', 2: 'Mala', 3: 'Correcta', 4: 'Buena', 5: 'Muy buena' },
    comment: '¿Qué deberíamos saber al respecto?',
    send: 'Enviar valoración',
    thanks: (score) => `Gracias. Su valoración: ${score}`,
    change: 'Cambiar valoración',
    failed: 'Su valoración no nos ha llegado. Envíela de nuevo, por favor.',
  },
  launcher: {
    open: 'Ayuda',
    close: 'Cerrar',
    news: count({ one: '# respuesta nueva', other: '# respuestas nuevas' }),
  },
};
