// What happened, in words: one sentence for each type of event. The one place
// that turns events into text for people.
import type { Event, Leg } from '../api/types.ts'

export type Tone = 'plain' | 'call' | 'command' | 'key' | 'record' | 'http' | 'sip' | 'warn' | 'bad'

export interface Said {
  text: string
  tone: Tone
  /** What to do about it, '' when there is nothing. */
  hint: string
  /** Not worth a line of its own unless everything is asked for. */
  minor?: boolean
}

const num = (v: number | undefined, digits = 1) => (v ?? 0).toFixed(digits)
const quote = (s: string, most = 90) => {
  const one = s.replace(/\s+/g, ' ').trim()
  return one.length > most ? one.slice(0, one.lastIndexOf(' ', most) > most / 2 ? one.lastIndexOf(' ', most) : most) + ' …' : one
}
const dots = (n: number | undefined) => '•'.repeat(Math.max(1, n ?? 1))

/** How a call ended, in a few words; the results are those of switch/call.Result. */
export const results: Record<string, string> = {
  script: 'ended by the script', caller: 'the caller hung up', callee: 'the callee hung up', api: 'ended over HTTP',
  rejected: 'refused', busy: 'busy', 'no answer': 'nobody answered', 'not found': 'no such number',
  'media timeout': 'no sound came any more', network: 'the connection was lost', 'time limit': 'the time limit was reached',
  overload: 'the switch was overloaded', shutdown: 'the switch was stopped', error: 'ended by an error', transferred: 'transferred',
}

export function resultWords(result: string, reason = ''): string {
  if (result === 'api' && reason === 'hung up from the console') return reason
  return results[result] ?? (reason || result)
}

/** Whether a result is no fault of anybody. */
export function wentWell(result: string): boolean {
  return /^(script|caller|callee|api|transferred|)$/.test(result)
}

const reasons: Record<string, string> = {
  digit: 'by a key', silence: 'by silence', hangup: 'because the call ended', script: 'by the script', limit: 'at its longest',
  caller: 'because the caller hung up', 'given up': 'given up', cancelled: 'cancelled', takeover: 'because other commands took over', gone: 'because the caller was gone',
}
const because = (e: Event) => {
  if (!e.reason) return ''
  if (e.reason === 'digit' && e.key) return ` by key ${e.key}`
  return ' ' + (reasons[e.reason] ?? `(${e.reason})`)
}

const problem = (e: Event) => [e.code, e.text].filter(Boolean).join(' ') || 'something failed'

const named = (e: Event) => e.name ?? 'a command'

/** What a command does, as one reads it. */
function command(e: Event): string {
  const text = e.text ?? ''
  if (!text) return named(e)
  return e.name === 'Speak' ? `Speak “${quote(text)}”` : `${named(e)} ${quote(text)}`
}

function exchange(e: Event, what: string): Said {
  const lead = `${what} ${e.method ?? 'POST'} ${e.url ?? ''}`
  if (e.reason === 'given up') return { text: `${lead}: the answer was no longer wanted`, tone: 'http', hint: '', minor: true }
  if (!e.status) return { text: `${lead} failed: ${problem(e)}`, tone: 'bad', hint: e.hint ?? '' }
  const bad = e.status >= 400 || Boolean(e.code)
  const text = `${lead} → ${e.status} in ${Math.round(e.ms ?? 0)} ms` + (e.code || e.text ? `: ${problem(e)}` : '')
  return { text, tone: bad ? 'bad' : 'http', hint: e.hint ?? '' }
}

/** First line of a SIP message without its version: "INVITE", "200 OK to INVITE". */
export function sipLine(e: Event): string {
  const text = e.text ?? ''
  const first = text.split(/\r?\n/, 1)[0] ?? ''
  const answer = /^SIP\/2\.0 (\d+) (.*)$/.exec(first)
  if (!answer) return e.method || first.split(' ', 1)[0] || 'a message'
  const cseq = /^CSeq:\s*\d+\s+(\w+)/im.exec(text)?.[1]
  return `${answer[1]} ${answer[2]}` + (cseq ? ` to ${cseq}` : '')
}

/** About something that a script sends to people, which has no URL. */
const toPeople = (e: Event) => !e.method && !e.url && ['sms', 'mail', 'message'].includes(e.name ?? '')

type Sayer = (e: Event) => Said
const say = (text: string, tone: Tone, minor = false): Said => ({ text, tone, hint: '', minor })

const table: Record<string, Sayer> = {
  'call.started': e => say(`${e.from || 'unknown'} calls ${e.to || 'nobody'}`, 'call'),
  'call.ringing': e => say(`${e.to || 'the other side'} rings`, 'call'),
  'call.answered': () => say('answered', 'call'),
  'call.routed': e => say(e.text || 'the dial plan decides', e.status ? 'warn' : 'call'),
  'call.bridged': e => say(`connected${e.to ? ` with ${e.to}` : ''}`, 'call'),
  'call.held': () => say('on hold', 'call'),
  'call.resumed': () => say('no longer on hold', 'call'),
  'call.transferred': e => say(e.text ? `${e.to || 'a party'} ${e.text}` : `${e.to || 'somebody'} takes the place of ${e.from || 'somebody'}`, 'call'),
  'leg.ringing': e => say(`${e.to || 'a telephone'} rings`, 'call'),
  'leg.failed': e => say(e.status === 487 ? `${e.to || 'a telephone'} stops ringing: ${e.reason ?? ''}` : `${e.to || 'a telephone'} did not answer: ${e.status ?? ''} ${e.reason ?? ''}`.trim(), 'call'),
  'call.ended': e => say(`the call is over: ${resultWords(e.reason ?? '', e.text)}, ${num(e.seconds)} s`, wentWell(e.reason ?? '') ? 'call' : 'bad'),
  'script.fetch': e => exchange(e, 'asked'),
  'script.parsed': e => say(`${e.doc || 'the script'} was read${e.count ? `: ${e.count} ${e.count === 1 ? 'command' : 'commands'}` : ''}`, 'plain', true),
  'script.refused': e => ({ text: `${docName(e.doc ?? '') || 'the script'} was refused: ${problem(e)}`, tone: 'bad', hint: e.hint ?? '' }),
  'script.warning': e => ({ text: problem(e), tone: e.reason === 'note' ? 'plain' : 'warn', hint: e.hint ?? '', minor: e.reason === 'note' }),
  'script.ended': e => say(`the script ended${because(e)}`, 'plain', true),
  'command.started': e => say(command(e), 'command'),
  'command.ended': e => say(`${named(e)} ended${because(e)} after ${num(e.seconds)} s`, 'plain', true),
  'command.skipped': e => say(`${named(e)} was skipped${because(e)}`, 'plain'),
  'command.failed': e => ({ text: `${named(e)} failed: ${problem(e)}`, tone: 'bad', hint: e.hint ?? '' }),
  key: e => say(`key ${e.key || dots(e.count)}`, 'key'),
  input: e => {
    if (e.text === 'back') return say(`entered ${e.key || dots(e.count)}: back`, 'key')
    if (e.text && !e.count) return say(`no entry: ${e.text}`, 'key')
    const took = e.reason ? `, branch ${e.reason}` : e.text ? ` (${e.text})` : ''
    return say(`entered ${e.key || dots(e.count)}${took}`, 'key')
  },
  'recording.started': () => say('recording began', 'record'),
  'recording.paused': () => say('recording paused', 'record'),
  'recording.resumed': () => say('recording goes on', 'record'),
  'recording.ended': e => say(`recording ended${because(e)}, ${num(e.seconds)} s${e.reason === 'error' && e.text ? `: ${e.text}` : ''}`, 'record'),
  'recording.saved': e => say(`recording saved: ${e.file ?? ''}, ${num(e.seconds)} s`, 'record'),
  'recording.failed': e => ({ text: `recording failed: ${problem(e)}`, tone: 'bad', hint: e.hint ?? '' }),
  'notify.sent': e => toPeople(e) ? say(`${e.name} to ${e.to ?? 'nobody'} was sent`, 'command') : exchange(e, `told ${e.name ?? 'the app'}:`),
  'notify.failed': e => toPeople(e) ? {
    text: `${e.name} to ${e.to ?? 'nobody'} was not sent: ${problem(e)}${e.reason === 'retry' ? '; it is tried again' : ''}`, tone: 'bad', hint: e.hint ?? '',
  } : ({
    text: `${e.name ?? 'a notification'} could not be told to ${e.url ?? 'the app'}: ${problem(e)}`, tone: 'bad', hint: e.hint ?? '',
  }),
  'message.received': e => say(`message from ${e.from ?? 'somebody'}${e.text ? `: “${quote(e.text)}”` : ''}`, 'command'),
  'sip.received': e => say(`← ${sipLine(e)}`, 'sip', true),
  'sip.sent': e => say(`→ ${sipLine(e)}`, 'sip', true),
  'media.started': e => say(`sound flows${e.name ? ` as ${e.name}` : ''}${e.peer ? ` with ${e.peer}` : ''}`, 'plain', true),
  'media.quality': e => say(`sound: ${e.sent ?? 0} packets out, ${e.received ?? 0} in, ${e.lost ?? 0} lost, jitter ${num(e.jitter_ms)} ms`
    + (e.name ? `, ${e.name}` : ''), (e.lost ?? 0) * 20 > (e.received ?? 0) + (e.lost ?? 0) ? 'warn' : 'plain'),
  conference: e => say(`conference ${e.name ?? ''}: ${e.reason ?? ''}`, 'call'),
  queue: e => say(`queue ${e.name ?? ''}: ${e.reason ?? ''}${e.to ? ` ${e.to}` : ''}`, 'call'),
  voicemail: e => say(`mailbox ${e.name ?? ''}: ${e.reason ?? ''}`, 'call'),
  alarm: e => ({
    text: `alarm ${e.reason ?? ''}${e.to ? ` to ${e.to}` : ''}: ${e.text ?? ''}`, tone: e.reason === 'failed' ? 'bad' : 'call', hint: '',
  }),
  'key.sent': e => say(`sent ${e.key || dots(e.count)}${e.source ? ` by ${e.source}` : ''}`, 'key'),
  registration: e => say(`${e.from ?? 'a phone'} ${e.reason || 'registered'}${e.text ? `: ${e.text}` : ''}`, 'plain'),
  'log.dropped': e => say(`${e.count ?? 0} events of the log were dropped`, 'warn'),
  error: e => ({ text: problem(e), tone: 'bad', hint: e.hint ?? '' }),
}

/** Says what an event is. A type that is newer than this page is shown by its name. */
export function words(e: Event): Said {
  return (table[e.type] ?? (x => say([x.type, x.name, x.text].filter(Boolean).join(' '), 'plain')))(e)
}

/** How it went with one far end of a call. */
export function legWords(g: Leg): string {
  if (!g.answered) return g.reason || g.state
  const seconds = g.ended ? (Date.parse(g.ended) - Date.parse(g.answered)) / 1000 : 0
  const q = g.quality
  const lost = q && q.received + q.lost > 0 ? (100 * q.lost) / (q.received + q.lost) : 0
  return [seconds > 0 && `talked ${num(seconds, 0)} s`, g.reason, q?.codec, q?.codec && `${num(lost)} % lost`, q?.mos && `MOS ${num(q.mos)}`].filter(Boolean).join(', ')
}

/** Whether an event says once more what the one before it said: a refused script is an error as well. */
export function repeats(e: Event, before: Event | undefined): boolean {
  return e.type === 'error' && before?.type === 'script.refused' && e.code === before.code && e.text === before.text
}

/** The types that have words, for tests. */
export const known = Object.keys(table)

/** The fault of a call that its page names at the top: the first thing that is really wrong, else the first warning with a place. */
export function fault(events: readonly Event[]): Event | null {
  const bad = (e: Event) => /^(script\.refused|error|command\.failed|recording\.failed)$/.test(e.type)
    || e.type === 'script.fetch' && e.reason !== 'given up' && (!e.status || e.status >= 400)
  const withCode = events.find(e => bad(e) && e.code)
  return withCode ?? events.find(bad) ?? events.find(e => e.type === 'script.warning' && e.reason !== 'note' && e.code && e.line) ?? null
}

/** The name of a document, short enough for a tab. */
export function docName(doc: string): string {
  const tail = doc.replace(/[?#].*$/, '').replace(/\/+$/, '').split('/').pop() ?? ''
  return tail || doc
}
