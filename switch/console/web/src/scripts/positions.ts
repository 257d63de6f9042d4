// Places of the checker are line and column from 1, the column in bytes of
// UTF-8; the editor counts UTF-16 units from the start of the text.

/** How many UTF-16 units of line lie before a byte column (from 1). */
export function unitsBefore(line: string, col: number): number {
  let bytes = 1
  let i = 0
  while (i < line.length && bytes < col) {
    const c = line.codePointAt(i)!
    bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4
    i += c < 0x10000 ? 1 : 2
  }
  return i
}

/** The byte column (from 1) of a place in a line. */
export function columnOf(line: string, units: number): number {
  return new TextEncoder().encode(line.slice(0, units)).length + 1
}

/** What positions need of a text; CodeMirror's Text is one. */
export interface Lines {
  readonly lines: number
  readonly length: number
  line(n: number): { from: number; to: number; text: string }
}

/** Where a place of the checker is in the text; places outside are moved in. */
export function offset(doc: Lines, line: number, col: number): number {
  if (line < 1) return 0
  if (line > doc.lines) return doc.length
  const l = doc.line(line)
  return l.from + unitsBefore(l.text, col)
}

/**
 * The span to mark: never empty where the text has something to mark, so a
 * place without an end (or at the end of a line) takes one letter.
 */
export function span(doc: Lines, d: { line: number; col: number; end_line: number; end_col: number }): { from: number; to: number } {
  const from = offset(doc, d.line, d.col)
  const to = d.end_line > 0 ? offset(doc, d.end_line, d.end_col) : from
  if (to > from) return { from, to }
  if (from < doc.length) return { from, to: from + 1 }
  return { from: Math.max(0, from - 1), to: doc.length }
}

/** Lines over a plain string, for text that is in no editor. */
export function linesOf(text: string): Lines {
  const all = text.split('\n')
  const starts: number[] = []
  let at = 0
  for (const l of all) {
    starts.push(at)
    at += l.length + 1
  }
  return {
    lines: all.length,
    length: text.length,
    line: n => ({ from: starts[n - 1]!, to: starts[n - 1]! + all[n - 1]!.length, text: all[n - 1]! }),
  }
}

/** The text after a fix of the checker. */
export function applied(text: string, fix: { text: string; line: number; col: number; end_line: number; end_col: number }): string {
  const doc = linesOf(text)
  return text.slice(0, offset(doc, fix.line, fix.col)) + fix.text + text.slice(offset(doc, fix.end_line, fix.end_col))
}
