// Calls of /v1. Every function throws a Problem that can be shown as it is.
import type * as T from './types.ts'

/** A Problem is why a request did not work, in words. */
export class Problem extends Error {
  readonly status: number // 0: the switch did not answer
  readonly code: string
  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

let onSignedOut = () => {}

/** Says what to do when the session has ended. */
export function whenSignedOut(f: () => void) { onSignedOut = f }

/** Reads the answer's problem, whatever form it has. */
export async function problemOf(r: Response): Promise<Problem> {
  let body: T.ProblemBody = { status: r.status }
  try {
    body = await r.json() as T.ProblemBody
  } catch { /* no JSON: the status has to do */ }
  return new Problem(r.status, body.code ?? '', body.detail || body.title || `the switch answered ${r.status} ${r.statusText}`)
}

/** Sends a request; etag is for If-Match. */
async function send(method: string, path: string, body?: unknown, etag?: string): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-Ozswitch'] = '1'
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (etag !== undefined) headers['If-Match'] = etag
  let r: Response
  try {
    r = await fetch(path, { method, headers, body: body === undefined ? null : JSON.stringify(body), credentials: 'same-origin' })
  } catch {
    throw new Problem(0, '', 'the switch does not answer; is it running?')
  }
  if (r.ok) return r
  if (r.status === 401 && path !== '/v1/session') onSignedOut()
  throw await problemOf(r)
}

async function json<R>(method: string, path: string, body?: unknown, etag?: string): Promise<R> {
  return await (await send(method, path, body, etag)).json() as R
}

async function nothing(method: string, path: string, body?: unknown, etag?: string): Promise<void> {
  await send(method, path, body, etag)
}

const e = encodeURIComponent

export const api = {
  session: () => json<T.Session>('GET', '/v1/session'),
  signIn: (name: string, password: string) => json<T.Session>('POST', '/v1/session', { name, password }),
  signOut: () => nothing('DELETE', '/v1/session'),
  status: () => json<T.Status>('GET', '/v1/status'),

  calls: (query: URLSearchParams) => json<T.CallList>('GET', `/v1/calls?${query}`),
  call: (id: string) => json<T.Call>('GET', `/v1/calls/${e(id)}`),
  log: (id: string) => json<T.Event[]>('GET', `/v1/calls/${e(id)}/log`),
  document: (id: string, name: string) => json<T.Source>('GET', `/v1/calls/${e(id)}/documents?name=${e(name)}`),
  peaks: (id: string, width: number) => json<T.Peaks>('GET', `/v1/calls/${e(id)}/peaks?width=${width}`),
  start: (to: string, script?: string) => json<{ id: string }>('POST', '/v1/calls', script ? { to, script } : { to }),
  hangup: (id: string) => nothing('POST', `/v1/calls/${e(id)}/hangup`),
  keys: (id: string, keys: string) => nothing('POST', `/v1/calls/${e(id)}/keys`, { keys }),
  file: (id: string, name: 'sound.wav' | 'export.json' | 'export.pcap' | 'export.mmd' | 'export.zip') => `/v1/calls/${e(id)}/${name}`,

  scripts: () => json<T.ScriptInfo[]>('GET', '/v1/scripts'),
  script: (name: string) => json<T.Script>('GET', `/v1/scripts/${e(name)}`),
  save: (name: string, text: string, etag: string) => json<T.Saved>('PUT', `/v1/scripts/${e(name)}`, { text }, etag),
  create: (name: string, text: string) => json<T.Saved>('PUT', `/v1/scripts/${e(name)}`, { text }), // no If-Match: there is none yet
  remove: (name: string) => nothing('DELETE', `/v1/scripts/${e(name)}`, undefined, '*'), // whatever it says by now
  lint: (text: string, name?: string) => json<{ problems: T.Diag[] | null }>('POST', '/v1/lint', { text, name }),
  run: (what: { text?: string; name?: string; caller?: string }) => json<T.RunResult>('POST', '/v1/run', what),
  commands: () => json<T.Command[]>('GET', '/v1/commands'),
  fetchNow: (url: string, number?: string) => json<T.Fetched>('POST', '/v1/fetch', { url, number }),
  extensions: () => json<T.Extension[]>('GET', '/v1/extensions'),
  lines: () => json<T.Line[]>('GET', '/v1/lines'),
  setExtension: (number: string, what: { type: 'script' | 'api'; file?: string; url?: string }) =>
    json<T.Extension>('PUT', `/v1/extensions/${e(number)}`, what),
  samples: (url: string) => json<T.Sample[]>('GET', `/v1/samples?url=${e(url)}`),
}
