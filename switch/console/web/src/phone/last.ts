// The last calls of one phone, out of the switch's list of past calls.
import { ago } from '../scripts/words.ts'

interface Past { id: string; from: string; from_name?: string; to: string; dialed?: string; started: string; talk_seconds: number; answered?: string }

export interface Last { id: string; incoming: boolean; number: string; name: string; answered: boolean; seconds: number; when: string }

/** Gives at most n calls of the user, each number once, newest first as they came. */
export function lastCalls(past: readonly Past[], user: string, n = 8, now = Date.now()): Last[] {
  const list: Last[] = []
  const seen = new Set<string>()
  for (const c of past) {
    const incoming = c.from !== user
    if (incoming && c.to !== user && c.dialed !== user) continue
    const number = incoming ? c.from : c.dialed || c.to
    if (!number || seen.has(number)) continue
    seen.add(number)
    list.push({ id: c.id, incoming, number, name: incoming ? c.from_name ?? '' : '', answered: c.talk_seconds > 0, seconds: c.talk_seconds, when: ago(c.started, now) })
    if (list.length === n) break
  }
  return list
}
