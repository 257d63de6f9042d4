// Which call of the switch is the one that this phone has: the switch gives a
// call its id, the phone knows only who calls whom and since when.

interface Candidate { id: string; from: string; to: string; caller_dialed?: string; started: string }

const bare = (s: string) => s.replace(/^sips?:/, '').replace(/@.*$/, '')

/** Gives the newest of the live calls between the two that is not in known, "" for none. */
export function find(live: readonly Candidate[], from: string, to: string, known: ReadonlySet<string>): string {
  const ours = live.filter(c => !known.has(c.id) && bare(c.from) === bare(from) && [c.to, c.caller_dialed ?? ''].some(n => bare(n) === bare(to)))
  ours.sort((a, b) => Date.parse(b.started) - Date.parse(a.started))
  return ours[0]?.id ?? ''
}
