// Lists of calls, in words. Pure.
import type { CallList, LiveCall, PastCall } from '../api/types.ts'
import { docName, resultWords, wentWell } from '../call/words.ts'

/** "Today", "Yesterday" or the date, of a moment, where the user is. */
export function day(iso: string, now: number): string {
  const d = new Date(iso)
  const start = (t: number) => new Date(t).setHours(0, 0, 0, 0)
  const days = Math.round((start(now) - start(d.getTime())) / 86_400_000)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  return d.toLocaleDateString(undefined, { year: 'numeric', month: 'long', day: 'numeric' })
}

/** Neighbours of the same day together, in the order they come. */
export function byDay<C extends { started: string }>(calls: readonly C[], now: number): { day: string; calls: C[] }[] {
  const out: { day: string; calls: C[] }[] = []
  for (const c of calls) {
    const d = day(c.started, now)
    if (out[out.length - 1]?.day !== d) out.push({ day: d, calls: [] })
    out[out.length - 1]!.calls.push(c)
  }
  return out
}

/** How many recordings a call has; /v1 gives their number or themselves. */
export function recordings(c: { recordings?: number | unknown[] | null }): number {
  return Array.isArray(c.recordings) ? c.recordings.length : c.recordings ?? 0
}

/** Whether something went wrong with a call. */
export function failed(c: PastCall): boolean {
  return Boolean(c.problem) || !wentWell(c.result)
}

/** What became of a call: its problem if it had one, else how it ended. */
export function outcome(c: PastCall): string {
  return c.problem || resultWords(c.result, c.reason)
}

/** Where a call went, with its script. */
export function target(c: LiveCall | PastCall): { to: string; script: string } {
  const dialed = 'dialed' in c ? c.dialed : c.callee_dialed
  const ext = 'extension' in c ? c.extension : ''
  return { to: c.to || dialed || ext || '?', script: c.script ? docName(c.script) : '' }
}

/** Seconds as lists show them: "12 s", "0.4 s", "3 min 5 s". */
export function length(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`
  const s = Math.round(seconds)
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`
}

/** Whether there is nothing to show, and nothing was asked for. */
export function nothing(list: CallList | null, live: number, asked: boolean): boolean {
  return list !== null && !asked && live === 0 && list.past_total === 0
}
