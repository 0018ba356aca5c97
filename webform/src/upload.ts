import { type Failure, failureOf, networkFailure } from './failure';

/** A file may be large and the connection slow: only silence ends an upload, not its length. */
const SILENCE_MS = 60_000;

/** Sends a form with files. `onProgress` hears shares from 0 to 1. Rejects with Failure. */
export function upload(
  url: string,
  headers: Record<string, string>,
  form: FormData,
  onProgress: (share: number) => void,
): Promise<unknown> {
  // fetch cannot tell how much of a body has left.
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject: (failure: Failure) => void) => {
    let silence = setTimeout(() => request.abort(), SILENCE_MS);
    request.upload.onprogress = ({ loaded, total }) => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), SILENCE_MS);
      onProgress(total > 0 ? loaded / total : 0);
    };
    request.onloadend = () => {
      clearTimeout(silence);
      if (request.status === 0) return reject(networkFailure());
      const body = jsonOf(request.responseText);
      if (request.status >= 200 && request.status < 300) return resolve(body);
      reject(failureOf(responseOf(request), body));
    };
    request.open('POST', url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(form);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function responseOf(request: XMLHttpRequest): Pick<Response, 'status' | 'headers'> {
  const wait = request.getResponseHeader('Retry-After');
  return { status: request.status, headers: new Headers(wait ? { 'Retry-After': wait } : {}) };
}
