// Sentences of the scripts' pages.
import type { Diag, Event } from '../api/types.ts'

/** A problem as `ozswitch vet` says it, without the file: "3:4 OZ1101 …". */
export function diagWords(d: Diag): string {
  return `${d.code}: ${d.message}${d.hint ? `; ${d.hint}` : ''}`
}

/** "no problems", "1 error", "2 errors, 1 warning". */
export function countWords(problems: readonly { severity: string }[]): string {
  const n = (severity: string) => problems.filter(p => p.severity === severity).length
  const some = (count: number, word: string) => count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`
  return [some(n('error'), 'error'), some(n('warning'), 'warning'), some(n('note') + n('info'), 'note')].filter(Boolean).join(', ') || 'no problems'
}

/** The lines of doc that ran, in the order of their first time. */
export function linesRun(events: readonly Event[], doc?: string): number[] {
  const seen = new Set<number>()
  for (const e of events) {
    if (e.type === 'command.started' && e.line && (doc === undefined || !e.doc || e.doc === doc)) seen.add(e.line)
  }
  return [...seen]
}

/** "2 lines, 3.2 s, took 5 ms". */
export function runWords(lines: number, seconds: number, took: number): string {
  const ms = took < 1 ? 'less than 1 ms' : `${Math.round(took)} ms`
  return `${lines} ${lines === 1 ? 'line' : 'lines'}, ${seconds.toFixed(1)} s, took ${ms}`
}

/** "now", "5 min ago", "3 h ago", then the day. */
export function ago(then: string, now: number): string {
  const s = (now - Date.parse(then)) / 1000
  if (Number.isNaN(s)) return ''
  if (s < 60) return 'now'
  if (s < 3600) return `${Math.floor(s / 60)} min ago`
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`
  return then.slice(0, 10)
}

/** A name that a new script may have: letters, digits, . _ - and .xml behind. */
export function fileName(typed: string): string {
  const s = typed.trim().replace(/\s+/g, '-').replace(/[^\w.-]/g, '').replace(/^[.-]+/, '')
  if (!s) return ''
  return s.endsWith('.xml') ? s : s.replace(/\.+$/, '') + '.xml'
}
