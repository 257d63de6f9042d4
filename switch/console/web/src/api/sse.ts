// Server-Sent Events by fetch: unlike EventSource it sees the status, says when
// the stream is down, and can begin after an event that is already known.
import { Problem, problemOf } from './client.ts'
import type { Event } from './types.ts'

/** A Frame is one event of a stream, its data not yet read. */
export interface Frame { id: string; event: string; data: string }

/** A Parser cuts what arrives into frames; comments and `retry` pass by. */
export class Parser {
  private rest = ''
  retry = 0 // milliseconds the server asks for, 0 = nothing said

  push(chunk: string): Frame[] {
    const frames: Frame[] = []
    this.rest += chunk
    for (;;) {
      const end = /\r?\n\r?\n/.exec(this.rest)
      if (!end) return frames
      const block = this.rest.slice(0, end.index)
      this.rest = this.rest.slice(end.index + end[0].length)
      const f: Frame = { id: '', event: '', data: '' }
      for (const line of block.split(/\r?\n/)) {
        const colon = line.indexOf(':')
        if (colon <= 0) continue
        const value = line.slice(colon + 1).replace(/^ /, '')
        switch (line.slice(0, colon)) {
          case 'id': f.id = value; break
          case 'event': f.event = value; break
          case 'data': f.data += (f.data ? '\n' : '') + value; break
          case 'retry': this.retry = Number(value) || 0; break
        }
      }
      if (f.data) frames.push(f)
    }
  }
}

export interface Listener {
  event: (e: Event) => void
  /** up, after it was down: read again what you show. */
  returned?: () => void
  /** Says whether events arrive at the moment. */
  connected?: (up: boolean) => void
  /** The stream has ended for good: the call is over, or not allowed. */
  ended?: (why: Problem | null) => void
}

// The server writes a comment each 15 s; a stream silent for longer is dead.
const silence = 40_000

/** Follows a stream until the returned function is called. */
export function follow(url: string, l: Listener, lastID = ''): () => void {
  const stop = new AbortController()
  let retry = 2000
  let down = false

  async function once(): Promise<boolean> {
    const round = new AbortController()
    const abort = () => round.abort()
    stop.signal.addEventListener('abort', abort)
    let watch: ReturnType<typeof setTimeout> | undefined
    const alive = () => {
      clearTimeout(watch)
      watch = setTimeout(abort, silence)
    }
    try {
      alive()
      const headers: Record<string, string> = { Accept: 'text/event-stream' }
      if (lastID) headers['Last-Event-ID'] = lastID
      const r = await fetch(url, { headers, signal: round.signal, credentials: 'same-origin' })
      if (r.status === 204) {
        l.ended?.(null)
        return false
      }
      if (!r.ok) {
        const p = await problemOf(r)
        if (r.status < 500) {
          l.ended?.(p)
          return false
        }
        throw p
      }
      l.connected?.(true)
      if (down) l.returned?.()
      down = false
      const parser = new Parser()
      const reader = r.body!.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return true
        alive()
        for (const f of parser.push(value)) {
          if (f.id) lastID = f.id
          try {
            l.event(JSON.parse(f.data) as Event)
          } catch (err) {
            console.error('an event could not be shown', f.event, err)
          }
        }
        if (parser.retry) retry = parser.retry
      }
    } finally {
      clearTimeout(watch)
      stop.signal.removeEventListener('abort', abort)
    }
  }

  void (async () => {
    while (!stop.signal.aborted) {
      let clean = false
      try {
        if (!await once()) return
        clean = true
      } catch { /* the loop comes back */ }
      if (stop.signal.aborted) return
      // A stream that the server closed in order may simply be over: ask at once.
      if (!clean || down) l.connected?.(false)
      const wait = clean && !down ? 50 : retry
      down = true
      await new Promise(done => setTimeout(done, wait))
    }
  })()
  return () => stop.abort()
}
