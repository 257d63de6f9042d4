import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Command, Diag, Event, Fetched } from '../api/types.ts'
import { fetchedWords, phpWords, sampleURL } from './fetched.ts'
import { applied, columnOf, linesOf, offset, span, unitsBefore } from './positions.ts'
import { elements, explain } from './schema.ts'
import { ago, countWords, diagWords, fileName, linesRun, runWords } from './words.ts'

test('columns are bytes', () => {
  const line = 'aé€😀b' // 1, 2, 3 and 4 bytes
  const places: [number, number][] = [[1, 0], [2, 1], [4, 2], [7, 3], [11, 5], [12, 6], [99, 6]]
  for (const [col, units] of places) assert.equal(unitsBefore(line, col), units, `column ${col}`)
  for (const units of [0, 1, 2, 3, 5, 6]) assert.equal(unitsBefore(line, columnOf(line, units)), units)
})

test('places in a text', () => {
  const doc = linesOf('<Response>\n  <Spéak>Hé</Spéak>\n</Response>')
  assert.equal(offset(doc, 1, 1), 0)
  assert.equal(offset(doc, 2, 4), 14)
  assert.equal(offset(doc, 2, 10), 19)
  assert.equal(offset(doc, 99, 1), doc.length)
  assert.equal(offset(doc, 0, 0), 0)
  assert.deepEqual(span(doc, { line: 2, col: 4, end_line: 2, end_col: 10 }), { from: 14, to: 19 })
  assert.deepEqual(span(doc, { line: 2, col: 4, end_line: 0, end_col: 0 }), { from: 14, to: 15 })
  assert.deepEqual(span(doc, { line: 9, col: 1, end_line: 9, end_col: 1 }), { from: doc.length - 1, to: doc.length })
  assert.deepEqual(span(linesOf(''), { line: 1, col: 1, end_line: 0, end_col: 0 }), { from: 0, to: 0 })
})

test('a fix changes only its place', () => {
  const text = 'é\n  <Spaek>Hé</Spaek>\n'
  assert.equal(applied(text, { text: 'Speak', line: 2, col: 4, end_line: 2, end_col: 9 }), 'é\n  <Speak>Hé</Spaek>\n')
  assert.equal(applied('<a/>', { text: '', line: 1, col: 1, end_line: 1, end_col: 5 }), '')
})

const diag = (severity: Diag['severity'], hint = ''): Diag =>
  ({ line: 3, col: 4, end_line: 3, end_col: 9, code: 'OZ1101', severity, message: 'unknown command <Spaek>', hint, fix: null })

test('sentences', () => {
  assert.equal(diagWords(diag('error', 'did you mean <Speak>?')), 'OZ1101: unknown command <Spaek>; did you mean <Speak>?')
  assert.equal(diagWords(diag('error')), 'OZ1101: unknown command <Spaek>')
  assert.equal(countWords([]), 'no problems')
  assert.equal(countWords([diag('error'), diag('error'), diag('warning')]), '2 errors, 1 warning')
  assert.equal(runWords(2, 3.21, 5.4), '2 lines, 3.2 s, took 5 ms')
  assert.equal(runWords(1, 0, 0.3), '1 line, 0.0 s, took less than 1 ms')
  const now = Date.parse('2026-01-02T12:00:00Z')
  assert.deepEqual(['2026-01-02T11:59:30Z', '2026-01-02T11:00:00Z', '2026-01-01T13:00:00Z', '2025-12-24T00:00:00Z', ''].map(t => ago(t, now)),
    ['now', '1 h ago', '23 h ago', '2025-12-24', ''])
})

test('the lines that ran', () => {
  const e = (type: string, line: number, doc = 'a.xml'): Event => ({ t: '', seq: 1, call: 'x', type, line, doc })
  assert.deepEqual(linesRun([e('call.started', 0), e('command.started', 2), e('command.ended', 2), e('command.started', 3), e('command.started', 2), e('command.started', 9, 'b.xml')], 'a.xml'), [2, 3])
})

test('names of files', () => {
  const cases: [string, string][] = [['hello', 'hello.xml'], ['hello.xml', 'hello.xml'], [' my script ', 'my-script.xml'], ['../etc/passwd', 'etcpasswd.xml'], ['.hidden', 'hidden.xml'], ['a/b.xml', 'ab.xml'], ['…', '']]
  for (const [typed, want] of cases) assert.equal(fileName(typed), want, typed)
})

test('what a web app answered', () => {
  const f = (body: string, more: Partial<Fetched> = {}): Fetched => ({ status: 200, content_type: 'text/xml', ms: 12, body, problems: null, ...more })
  const warned = '<br />\n<b>Warning</b>:  Undefined variable $name in <b>/srv/app/ivr.php</b> on line <b>7</b><br />\n<?xml version="1.0"?><Response/>'
  assert.equal(phpWords(warned), 'line 2 is PHP\'s warning about $name in ivr.php line 7')
  assert.equal(phpWords('Fatal error: Uncaught Error: Call to undefined function f() in C:\\app\\a.php on line 3'), 'line 1 is PHP\'s fatal error about "Uncaught Error: Call to undefined function f()" in a.php line 3')
  assert.equal(phpWords('<Response><Speak>Warning: x in y on line 3</Speak></Response>'), '')
  assert.deepEqual(fetchedWords(f('<Response><Hangup/></Response>', { problems: [diag('note')] })), { good: true, say: ['a good script'] })
  assert.deepEqual(fetchedWords(f('')), { good: true, say: ['the answer is empty: nothing would run'] })
  assert.deepEqual(fetchedWords(f(warned, { problems: [{ ...diag('error'), line: 1, col: 1, code: 'OZ1003', message: 'text before the XML' }] })),
    { good: false, say: ['line 2 is PHP\'s warning about $name in ivr.php line 7'] })
  assert.deepEqual(fetchedWords(f('oops<Response/>', { problems: [{ ...diag('error'), line: 1, col: 1, code: 'OZ1003', message: 'text before the XML' }] })).say, ['1:1 OZ1003: text before the XML'])
  assert.deepEqual(fetchedWords(f('', { status: 0, error: 'nobody listens at 127.0.0.1:8000' })), { good: false, say: ['nobody listens at 127.0.0.1:8000'] })
  assert.deepEqual(fetchedWords(f('oops', { status: 500 })).say, ['the app answered 500; the switch wants 200'])
  assert.equal(sampleURL('// Start it by: node app.mjs     Its URL: http://127.0.0.1:8000/\ncode'), 'http://127.0.0.1:8000/')
})

test('completion and help from the command table', () => {
  const speak: Command = {
    name: 'Speak', aliases: ['Say'], summary: 'Speak a text.', doc: '', example: '', children: null, parents: ['Response', 'Input'],
    params: [{ name: 'Voice', kind: 'text', default: 'auto', values: null, required: false, doc: 'who speaks' }, { name: 'Repeat', kind: 'bool', default: '', values: ['true', 'false'], required: true, doc: 'again' }],
  }
  const input: Command = { name: 'Input', aliases: null, summary: 'An entry.', doc: '', example: '', params: null, children: ['Speak'], parents: ['Inputs'] }
  const list = elements([speak, input])
  assert.deepEqual(list.map(e => e.name), ['Speak', 'Say', 'Input', 'Response'])
  assert.deepEqual(list[3]!.children, ['Speak'])
  assert.equal(list[3]!.top, true)
  assert.deepEqual(list[1]!.attributes.map(a => [a.name, a.values, a.completion.info]), [['Voice', undefined, 'text; default auto; who speaks'], ['Repeat', ['true', 'false'], 'true, false; required; again']])
  assert.equal(explain([speak], 'SAY')?.command.name, 'Speak')
  assert.equal(explain([speak], 'Speak', 'voice')?.param?.name, 'Voice')
  assert.equal(explain([speak], 'Speak', 'nope'), null)
  assert.equal(explain([speak], 'Nope'), null)
})
