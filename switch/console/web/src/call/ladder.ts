// Where the arrows of SIP and HTTP messages go. Pure: columns and rows, no pixels.
import type { Event } from '../api/types.ts'
import { at } from './axis.ts'
import { sipLine } from './words.ts'

export interface Column { id: string; label: string; title: string }

export interface Row {
  key: string
  t: number // seconds on the axis
  from: number // index of the column
  to: number
  label: string
  note: string // "12 ms", "again", ''
  tone: 'ask' | 'good' | 'bad' | 'middle'
  event: Event
  part: 'message' | 'request' | 'response'
}

export interface Ladder { columns: Column[]; rows: Row[] }

const us = 'ozswitch'

/** The far end of an exchange over HTTP: its host. */
function host(url: string): string {
  try {
    return new URL(url).host
  } catch {
    return url || 'app'
  }
}

function toneOf(status: number | undefined): Row['tone'] {
  if (!status) return 'ask'
  return status < 200 ? 'middle' : status < 400 ? 'good' : 'bad'
}

/** Lays out a call: who calls left, the switch in the middle, whom it calls and apps right. */
export function ladder(events: readonly Event[], zero: number): Ladder {
  const phones: Column[] = []
  const apps: Column[] = []
  const col = (list: Column[], id: string, label: string, title: string) => {
    if (!list.some(c => c.id === id)) list.push({ id, label, title })
  }
  const started = events.find(e => e.type === 'call.started')
  const rang = new Map(events.flatMap(e => e.type === 'leg.ringing' && e.leg && e.to ? [[e.leg, e.to]] : []))
  type Raw = Omit<Row, 'from' | 'to'> & { a: string; b: string }
  const raw: Raw[] = []
  let before = ''
  for (const e of events) {
    const t = at(e, zero)
    const key = `${e.seq}`
    switch (e.type) {
      case 'sip.received':
      case 'sip.sent': {
        const peer = `sip:${e.peer ?? ''}`
        const name = phones.length === 0 ? started?.from : rang.get(e.leg ?? '') ?? (phones.length === 1 && !phones.some(c => c.id === peer) ? started?.to : undefined)
        col(phones, peer, name || e.peer || 'phone', `${e.peer ?? ''} ${e.source ?? ''}`.trim())
        const again = (e.text ?? '') !== '' && `${e.type}${e.peer}${e.text}` === before
        before = `${e.type}${e.peer}${e.text}`
        const inward = e.type === 'sip.received'
        raw.push({
          key, t, a: inward ? peer : us, b: inward ? us : peer, label: sipLine(e), note: again ? 'again' : '',
          tone: toneOf(e.status), event: e, part: 'message',
        })
        break
      }
      case 'script.fetch':
      case 'notify.sent':
      case 'notify.failed': {
        if (!e.url) break
        const app = `http:${host(e.url)}`
        col(apps, app, 'app', host(e.url))
        const path = e.url.replace(/^[a-z]+:\/\/[^/]+/, '') || '/'
        raw.push({
          key: key + 'a', t: Math.max(0, t - (e.ms ?? 0) / 1000), a: us, b: app, label: `${e.method ?? 'POST'} ${path}`,
          note: e.name ?? '', tone: 'ask', event: e, part: 'request',
        })
        raw.push({
          key: key + 'b', t, a: app, b: us, label: e.status ? String(e.status) : 'failed',
          note: e.ms ? `${e.ms < 10 ? e.ms.toFixed(1) : Math.round(e.ms)} ms` : '', tone: e.status ? toneOf(e.status) : 'bad', event: e, part: 'response',
        })
        break
      }
    }
  }
  raw.sort((x, y) => x.t - y.t || x.event.seq - y.event.seq || (x.part === 'request' ? -1 : 1))
  if (apps.length > 1) for (const c of apps) c.label = c.title
  const columns = [...phones.slice(0, 1), { id: us, label: us, title: 'this switch' }, ...phones.slice(1), ...apps]
  const index = new Map(columns.map((c, i) => [c.id, i]))
  return { columns, rows: raw.map(({ a, b, ...r }) => ({ ...r, from: index.get(a)!, to: index.get(b)! })) }
}

/** A SIP message in three: its first line, its headers and its body. */
export function sipParts(text: string): { first: string; headers: [string, string][]; body: string } {
  const split = /\r?\n\r?\n/.exec(text)
  const head = split ? text.slice(0, split.index) : text
  const [first = '', ...lines] = head.split(/\r?\n/)
  const headers: [string, string][] = []
  for (const l of lines) {
    const colon = l.indexOf(':')
    if (colon > 0) headers.push([l.slice(0, colon), l.slice(colon + 1).trim()])
    else if (l && headers.length > 0) headers[headers.length - 1]![1] += ' ' + l.trim()
  }
  return { first, headers, body: split ? text.slice(split.index + split[0].length) : '' }
}

/** Makes JSON, XML and forms readable; anything else stays as it is. */
export function pretty(body: string): string {
  const s = body.trim()
  if (/^[[{]/.test(s)) {
    try {
      return JSON.stringify(JSON.parse(s), null, 2)
    } catch { /* it only looks like JSON */ }
  }
  if (/^<[?!a-zA-Z]/.test(s)) return prettyXML(s)
  if (/^[\w.%+-]+=[^\n<]*$/.test(s) && s.includes('&')) {
    return [...new URLSearchParams(s)].map(([k, v]) => `${k} = ${v}`).join('\n')
  }
  return body
}

function prettyXML(s: string): string {
  const out: string[] = []
  let depth = 0
  // A tag with text and its end is one line; CDATA and comments stay whole.
  for (const m of s.matchAll(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<([\w:.-]+)([^<>]*[^<>/])?>([^<]*)<\/\1>|<[^>]*>|[^<]+/g)) {
    const part = m[0].trim()
    if (!part) continue
    if (part.startsWith('</')) depth = Math.max(0, depth - 1)
    out.push('  '.repeat(depth) + part)
    if (/^<[\w]/.test(part) && !part.endsWith('/>') && m[1] === undefined) depth++
  }
  return out.join('\n')
}
