// The calls that are up, kept true by the stream of all events. Everybody who
// shows live calls shares this one.
import { computed, signal } from '@preact/signals'
import { api } from '../api/client.ts'
import { follow } from '../api/sse.ts'
import type { Event, LiveCall } from '../api/types.ts'

export const liveCalls = signal<LiveCall[]>([])

/** Whether events arrive; false shows the bar "reconnecting". */
export const connected = signal(true)

/** Grows when a call has ended or begun: lists of past calls read again. */
export const callsChanged = signal(0)

/** The wall clock, once a second, for times that tick. */
export const now = signal(Date.now())

export const liveCount = computed(() => liveCalls.value.length)

type Heard = (e: Event) => void
const heard = new Set<Heard>()

/** Calls f with every event of every call until the returned function is called. */
export function onEvent(f: Heard): () => void {
  heard.add(f)
  return () => heard.delete(f)
}

/** Reads which calls are up. */
export async function readLive(): Promise<void> {
  const list = await api.calls(new URLSearchParams({ rows: '1' }))
  liveCalls.value = list.live
}

// Several calls begin and end at once under load: one reading serves all.
let wanted: ReturnType<typeof setTimeout> | undefined
function readSoon() {
  if (wanted !== undefined) return
  wanted = setTimeout(() => {
    wanted = undefined
    readLive().catch(() => { /* the stream says when it is down */ })
    callsChanged.value++
  }, 150)
}

/** What an event says a call is doing, '' when it says nothing about it. */
export function doing(e: Event): string {
  const place = e.line ? `${e.line}:${e.col} ` : ''
  switch (e.type) {
    case 'command.started': return place + (e.name ?? '')
    case 'script.fetch': return e.status ? `${e.method ?? 'POST'} ${e.status} in ${Math.round(e.ms ?? 0)} ms` : ''
    case 'call.bridged': return 'talking'
  }
  return ''
}

function take(e: Event) {
  for (const f of heard) f(e)
  if (/^(call\.(started|answered|ended)|recording\.(started|ended)|script\.ended)$/.test(e.type)) readSoon()
  // The history is written a moment after the call's end.
  if (e.type === 'call.ended' || e.type === 'recording.saved') setTimeout(readSoon, 600)
  const does = doing(e)
  if (!does) return
  const i = liveCalls.value.findIndex(c => c.id === e.call)
  if (i < 0) return
  const next = liveCalls.value.slice()
  next[i] = { ...next[i]!, doing: does, ...(e.doc ? { script: e.doc } : {}) }
  liveCalls.value = next
}

/** Follows all calls until the returned function is called. */
export function followCalls(): () => void {
  readLive().catch(() => {})
  const clock = setInterval(() => { now.value = Date.now() }, 1000)
  const stop = follow('/v1/events', {
    event: take,
    connected: up => { connected.value = up },
    returned: readSoon,
  })
  return () => {
    clearInterval(clock)
    stop()
  }
}
