// What is typed or pasted as a number, made into what is dialled.

const pad = ['abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz'] // of the keys 2 to 9

function digitOf(letter: string): string {
  const i = pad.findIndex(p => p.includes(letter.toLowerCase()))
  return i < 0 ? '' : String(i + 2)
}

/**
 * Gives what to dial: "+36 (1) 234-5678" is +3612345678, "1-800-FLOWERS" is
 * 18003569377 (the letters of the keypad), "ann" stays a name, and an address
 * keeps its domain unless that is ours. "" when nothing can be dialled.
 */
export function clean(typed: string, domain = ''): string {
  let s = typed.normalize('NFKC').trim().replace(/^(tel|sips?|callto):(\/\/)?/i, '')
  const at = s.indexOf('@')
  if (at > 0) {
    const host = s.slice(at + 1).replace(/[;?].*$/, '').trim()
    s = s.slice(0, at).trim()
    if (host !== domain && /^[\w.\-:[\]]+$/.test(host)) return /^[\w.+*#!-]+$/.test(s) ? `sip:${s}@${host}` : ''
  }
  s = s.replace(/[;?,].*$/, '')
  s = s.replace(/(\+\d{1,3}[ .-]*)\(0\)/, '$1') // +44 (0)20 …: the 0 is for inland callers
  const bare = s.replace(/[\s()./\u2010-\u2015-]/gu, '')
  if (/^\+?[\d*#]+$/.test(bare)) return bare
  if (/^\p{L}[\w.+-]*$/u.test(s) && !/\d.*[-.].*\p{L}/u.test(s)) return s // a name
  if (/^\+?[\da-z*#]+$/i.test(bare)) return bare.replace(/[a-z]/gi, digitOf)
  return ''
}
