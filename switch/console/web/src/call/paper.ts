// The same call on paper: its keys and its end become a scenario of
// `ozswitch run` (ozml/ozmltest).
import type { Event } from '../api/types.ts'

/** Lines such as "at 2.1s press 1". Blanked keys cannot be pressed again. */
export function scenario(events: readonly Event[]): { lines: string; blanked: number } {
  const lines: string[] = []
  let blanked = 0
  const started = events.find(e => e.type === 'call.started')
  if (started?.from && started.to) lines.push(`call ${started.from} -> ${started.to}`)
  // The script begins when the call is answered.
  const zero = Date.parse((events.find(e => e.type === 'call.answered') ?? started ?? events[0])?.t ?? '')
  for (const e of events) {
    const s = Math.max(0, (Date.parse(e.t) - zero) / 1000).toFixed(3).replace(/\.?0+$/, '')
    if (e.type === 'key') {
      if (/^[0-9A-D*#]$/.test(e.key ?? '')) lines.push(`at ${s}s press ${e.key}`)
      else blanked++
    }
    if (e.type === 'call.ended' && e.reason !== 'script') lines.push(`at ${s}s hangup`)
  }
  return { lines: lines.join('\n'), blanked }
}
