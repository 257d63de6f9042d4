// What a web app answered, in words.
import type { Diag, Fetched } from '../api/types.ts'
import { diagWords } from './words.ts'

/**
 * Says what PHP wrote before the script, if it did: "line 1 is PHP's warning
 * about $name in ivr.php line 7".
 */
export function phpWords(body: string): string {
  const plain = (s: string) => s.replace(/<[^>]*>/g, '').replace(/&gt;/g, '>').replace(/&lt;/g, '<').replace(/&quot;/g, '"').replace(/&#0*39;/g, '\'').replace(/&amp;/g, '&')
  const lines = body.split(/\r?\n/)
  for (const [i, line] of lines.entries()) {
    if (/^\s*<(\?xml|Response)/i.test(line)) break
    const m = /\b(Warning|Notice|Deprecated|Fatal error|Parse error):\s+(.*?) in (\S+?) on line (\d+)/.exec(plain(line))
    if (!m) continue
    const about = /\$\w+/.exec(m[2]!)?.[0] ?? `"${m[2]!}"`
    const file = m[3]!.replace(/^.*[\\/]/, '')
    const what = m[1] === 'Warning' || m[1] === 'Notice' ? m[1].toLowerCase() : m[1] === 'Deprecated' ? 'note on old ways' : m[1]!.toLowerCase()
    return `line ${i + 1} is PHP's ${what} about ${about} in ${file} line ${m[4]}`
  }
  return ''
}

/** The sentences on a fetch, the worst first; the first one alone when all is well. */
export function fetchedWords(f: Fetched): { good: boolean; say: string[] } {
  const php = f.body ? phpWords(f.body) : ''
  const problems: Diag[] = (f.problems ?? []).filter(d => d.severity !== 'note')
  const say: string[] = []
  if (f.error) say.push(f.error)
  if (php) say.push(php)
  if (!f.error && (f.status < 200 || f.status > 299)) say.push(`the app answered ${f.status}; the switch wants 200`)
  for (const d of problems) {
    if (php && d.code === 'OZ1003') continue // says the same once more
    say.push(`${d.line}:${d.col} ${diagWords(d)}`)
  }
  const good = say.length === 0
  if (good) say.push(f.body.trim() === '' ? 'the answer is empty: nothing would run' : 'a good script')
  return { good, say }
}

/** Where a sample answers, as its first line says; "" when it does not. */
export function sampleURL(text: string): string {
  return /Its URL:\s*(\S+)/.exec(text.split('\n', 1)[0] ?? '')?.[1] ?? ''
}
