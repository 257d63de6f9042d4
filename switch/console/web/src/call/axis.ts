// One time axis for waveform, source, events and ladder: seconds from the first
// event of the call. Pure: what is now is told.
import type { Event } from '../api/types.ts'

/** A Span is a command, or a recording, from its start to its end. */
export interface Span {
  kind: 'command' | 'recording'
  name: string
  text: string
  doc: string
  line: number
  col: number
  from: number // seconds
  to: number | null // null: it still runs
  failed: boolean
  depth: number // of commands that ran around it
}

/** Milliseconds since 1970 with their fraction: Date.parse alone takes several events of a burst for one moment. */
export function instant(t: string): number {
  const m = /\.(\d+)/.exec(t)
  return m ? Date.parse(t.replace(m[0], '')) + Number('0' + m[0]) * 1000 : Date.parse(t)
}

/** The moment that is 0, in milliseconds since 1970; 0 without events. */
export function origin(events: readonly Event[]): number {
  return events.length > 0 ? instant(events[0]!.t) : 0
}

/** Seconds of an event on the axis. */
export function at(e: Event, zero: number): number {
  return Math.max(0, (instant(e.t) - zero) / 1000)
}

/** 3.21 -> "3.21", 63.1 -> "1:03.10", 3670 -> "1:01:10.00"; digits after the point as wanted. */
export function clock(seconds: number, digits = 2): string {
  const unit = 10 ** digits
  const n = Math.round(Math.max(0, seconds) * unit)
  const whole = Math.floor(n / unit)
  const rest = digits > 0 ? '.' + String(n % unit).padStart(digits, '0') : ''
  if (whole < 60) return whole + rest
  const two = (v: number) => String(v).padStart(2, '0')
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return (h > 0 ? `${h}:${two(m)}` : String(m)) + ':' + two(s) + rest
}

/** 7 -> "00:07", for calls in lists. */
export function elapsed(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  const two = (v: number) => String(v).padStart(2, '0')
  return s < 3600 ? `${two(Math.floor(s / 60))}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
}

/** Finds what ran from when to when. */
export function spans(events: readonly Event[], zero: number): Span[] {
  const all: Span[] = []
  const open: Span[] = []
  const end = (kind: Span['kind'], e: Event, failed: boolean) => {
    for (let i = open.length - 1; i >= 0; i--) {
      const s = open[i]!
      if (s.kind !== kind || s.doc !== (e.doc ?? '') || s.line !== (e.line ?? 0) || s.col !== (e.col ?? 0)) continue
      s.to = at(e, zero)
      s.failed = failed
      open.splice(i, 1)
      return
    }
  }
  for (const e of events) {
    switch (e.type) {
      case 'command.started':
      case 'recording.started': {
        const s: Span = {
          kind: e.type === 'command.started' ? 'command' : 'recording', name: e.name ?? '', text: e.text ?? '',
          doc: e.doc ?? '', line: e.line ?? 0, col: e.col ?? 0, from: at(e, zero), to: null, failed: false, depth: open.filter(x => x.kind === 'command').length,
        }
        all.push(s)
        open.push(s)
        break
      }
      case 'command.ended': end('command', e, false); break
      case 'command.failed': end('command', e, true); break
      case 'recording.ended': end('recording', e, false); break
      case 'recording.failed': end('recording', e, true); break
      case 'script.ended':
      case 'call.ended': // nothing sounds after this
        for (const s of open) if (s.kind === 'recording' || e.type === 'call.ended') s.to ??= at(e, zero)
        break
    }
  }
  return all
}

/** The command that ran at t: the one begun last of those not ended; without one, what still was recorded. */
export function running(all: readonly Span[], t: number): Span | null {
  const last: Record<Span['kind'], Span | null> = { command: null, recording: null }
  for (const s of all) {
    if (s.from > t + 1e-6) break
    if (s.to === null || s.to > t || s.to === s.from && s.to >= t - 0.05) last[s.kind] = s
  }
  return last.command ?? last.recording
}

/** Index of the last of sorted times that is not after t; -1 if all are. */
export function indexAt(times: readonly number[], t: number): number {
  let lo = 0, hi = times.length
  while (lo < hi) {
    const mid = (lo + hi) >> 1
    if (times[mid]! <= t + 1e-6) lo = mid + 1
    else hi = mid
  }
  return lo - 1
}

/** Steps of about `count` marks on a scale of so many seconds: 0.1, 0.2, 0.5, 1, 2, 5, 10 … */
export function marks(length: number, count: number): number[] {
  if (!(length > 0)) return [0]
  const rough = length / Math.max(1, count)
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]
  const step = steps.find(s => s >= rough) ?? 7200
  const out: number[] = []
  for (let i = 0; i * step <= length + 1e-9; i++) out.push(Math.round(i * step * 10) / 10)
  return out
}
