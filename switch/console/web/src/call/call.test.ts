import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Parser } from '../api/sse.ts'
import type { Event } from '../api/types.ts'
import { at, clock, elapsed, indexAt, instant, marks, origin, running, spans } from './axis.ts'
import { ladder, pretty, sipParts } from './ladder.ts'
import { scenario } from './paper.ts'
import { docName, fault, known, legWords, repeats, words } from './words.ts'

const zero = Date.parse('2026-01-01T12:00:00Z')
let seq = 0
const ev = (s: number, type: string, rest: Partial<Event> = {}): Event =>
  ({ t: new Date(zero + s * 1000).toISOString(), seq: ++seq, call: 'q7Lx2', type, ...rest })

// A call as the switch logs it: Speak, Record that goes on during Delay, a key.
const doc = 'http://127.0.0.1:8080/ivr.php?x=1'
const invite = 'INVITE sip:9000@127.0.0.1 SIP/2.0\r\nCSeq: 1 INVITE\r\nSubject: a\r\n b\r\n\r\nv=0\r\n'
const call: Event[] = [
  ev(0, 'sip.received', { method: 'INVITE', peer: '127.0.0.1:5066', source: 'udp', text: invite }),
  ev(0.1, 'sip.received', { method: 'INVITE', peer: '127.0.0.1:5066', source: 'udp', text: invite }),
  ev(0.1, 'call.started', { from: '1001', to: '9000' }),
  ev(0.2, 'script.fetch', { method: 'POST', url: doc, status: 200, ms: 90, name: 'IncomingCall' }),
  ev(0.2, 'script.parsed', { doc, count: 4 }),
  ev(0.2, 'sip.sent', { status: 200, peer: '127.0.0.1:5066', text: 'SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n' }),
  ev(0.2, 'call.answered'),
  ev(0.2, 'command.started', { doc, line: 2, col: 3, name: 'Speak', text: 'Welcome' }),
  ev(2.2, 'command.ended', { doc, line: 2, col: 3, name: 'Speak', seconds: 2 }),
  ev(2.2, 'command.started', { doc, line: 3, col: 3, name: 'Record' }),
  ev(2.2, 'recording.started', { doc, line: 3, col: 3, name: 'Record', file: 'recordings/a.wav' }),
  ev(2.2, 'command.ended', { doc, line: 3, col: 3, name: 'Record' }),
  ev(2.2, 'command.started', { doc, line: 4, col: 3, name: 'Delay' }),
  ev(4.7, 'key', { key: '1', source: 'event' }),
  ev(4.7, 'recording.ended', { doc, line: 3, col: 3, name: 'Record', reason: 'digit', key: '1', seconds: 2.5 }),
  ev(6.2, 'command.ended', { doc, line: 4, col: 3, name: 'Delay', seconds: 4 }),
  ev(6.2, 'call.ended', { reason: 'caller', seconds: 6.1 }),
]

test('the axis begins with the first event', () => {
  assert.equal(origin(call), zero)
  assert.equal(origin([]), 0)
  assert.equal(at(call[7]!, zero), 0.2)
})

test('events of one millisecond stand apart', () => {
  assert.ok(instant('2026-01-01T12:00:00.000251Z') - instant('2026-01-01T12:00:00.00025Z') > 0)
  assert.equal(instant('2026-01-01T13:00:01.5+01:00'), zero + 1500)
  assert.equal(instant('2026-01-01T12:00:01Z'), zero + 1000)
})

test('times are read as people write them', () => {
  assert.equal(clock(3.214), '3.21')
  assert.equal(clock(59.999), '1:00.00') // not 60.00
  assert.equal(clock(63.1, 1), '1:03.1')
  assert.equal(clock(3670, 0), '1:01:10')
  assert.equal(elapsed(7.9), '00:07')
  assert.equal(elapsed(3670), '1:01:10')
})

test('spans: a recording goes on after its command', () => {
  const all = spans(call, zero)
  assert.deepEqual(all.map(s => [s.kind, s.name, s.from, s.to]), [
    ['command', 'Speak', 0.2, 2.2], ['command', 'Record', 2.2, 2.2], ['recording', 'Record', 2.2, 4.7], ['command', 'Delay', 2.2, 6.2],
  ])
  assert.equal(running(all, 1)?.name, 'Speak')
  assert.equal(running(all, 3)?.name, 'Delay')
  assert.equal(running(all, 0.1), null)
  assert.equal(running(all, 7), null)
})

test('spans: what still runs is lit, however late it is', () => {
  const all = spans(call.slice(0, 8), zero)
  assert.equal(running(all, Infinity)?.name, 'Speak')
  assert.equal(all[0]!.to, null)
})

test('spans: the same command twice at once ends the inner one', () => {
  const place = { doc, line: 5, col: 1, name: 'ForEach' }
  const all = spans([ev(0, 'command.started', place), ev(1, 'command.started', place), ev(2, 'command.ended', place)], zero)
  assert.deepEqual(all.map(s => [s.to, s.depth]), [[null, 0], [2, 1]])
})

test('the event at a moment', () => {
  assert.equal(indexAt([0, 1, 1, 2], 1), 2)
  assert.equal(indexAt([0, 1, 1, 2], 0.5), 0)
  assert.equal(indexAt([1], 0), -1)
})

test('marks of the scale', () => {
  assert.deepEqual(marks(1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1])
  assert.deepEqual(marks(12.4, 6), [0, 5, 10])
  assert.deepEqual(marks(0, 5), [0])
  assert.ok(marks(4 * 3600, 8).length <= 9)
})

test('the ladder: telephone, switch, app', () => {
  const l = ladder(call, zero)
  assert.deepEqual(l.columns.map(c => c.label), ['1001', 'ozswitch', 'app'])
  assert.deepEqual(l.rows.map(r => [r.label, r.from, r.to, r.note, r.tone]), [
    ['INVITE', 0, 1, '', 'ask'],
    ['INVITE', 0, 1, 'again', 'ask'],
    ['POST /ivr.php?x=1', 1, 2, 'IncomingCall', 'ask'],
    ['200', 2, 1, '90 ms', 'good'],
    ['200 OK to INVITE', 1, 0, '', 'good'],
  ])
  assert.ok(Math.abs(l.rows[2]!.t - 0.11) < 1e-9, 'the request was sent before its answer came')
})

test('the ladder: two apps are told apart, a failure is bad', () => {
  const l = ladder([
    ev(0, 'script.fetch', { url: 'http://a/x', status: 500, ms: 3 }), ev(1, 'notify.failed', { url: 'http://b/y', text: 'refused' }),
  ], zero)
  assert.deepEqual(l.columns.map(c => c.label), ['ozswitch', 'a', 'b'])
  assert.deepEqual(l.rows.filter(r => r.part === 'response').map(r => [r.label, r.tone]), [['500', 'bad'], ['failed', 'bad']])
})

test('the ladder: the switch is between who calls and whom it calls', () => {
  const l = ladder([
    ev(0, 'call.started', { from: '1001', to: '9200' }),
    ev(0.01, 'sip.received', { peer: '10.0.0.1:5060', text: 'INVITE sip:9200@h SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n' }),
    ev(0.02, 'sip.sent', { peer: '10.0.0.2:5060', leg: 'b', text: 'INVITE sip:1002@h SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n' }),
    ev(0.03, 'leg.ringing', { leg: 'b', to: '1002' }),
  ], zero)
  assert.deepEqual(l.columns.map(c => c.label), ['1001', 'ozswitch', '1002'])
  assert.deepEqual(l.rows.map(r => [r.from, r.to]), [[0, 1], [1, 2]])
})

test('messages are taken apart and made readable', () => {
  const p = sipParts(invite)
  assert.equal(p.first, 'INVITE sip:9000@127.0.0.1 SIP/2.0')
  assert.deepEqual(p.headers, [['CSeq', '1 INVITE'], ['Subject', 'a b']]) // a folded line
  assert.equal(p.body, 'v=0\r\n')
  assert.equal(pretty('<a><b x="1">t</b><c/></a>'), '<a>\n  <b x="1">t</b>\n  <c/>\n</a>')
  assert.equal(pretty('{"a":1}'), '{\n  "a": 1\n}')
  assert.equal(pretty('CallId=q7&Digits=1%2B'), 'CallId = q7\nDigits = 1+')
  assert.equal(pretty('Warning: x <b>'), 'Warning: x <b>')
  assert.equal(pretty('{no json'), '{no json')
})

test('every type of event has words', () => {
  for (const type of known) {
    const s = words(ev(0, type))
    assert.ok(s.text.length > 2, type)
    assert.doesNotMatch(s.text, /undefined|NaN|null/, type)
  }
  assert.equal(words(ev(0, 'new.thing', { text: 'x' })).text, 'new.thing x')
})

test('words', () => {
  assert.equal(words(call[7]!).text, 'Speak “Welcome”')
  assert.equal(words(call[14]!).text, 'recording ended by key 1, 2.5 s')
  assert.equal(words(ev(0, 'input', { key: '12', reason: '12', count: 2 })).text, 'entered 12, branch 12')
  assert.equal(words(ev(0, 'input', { count: 4 })).text, 'entered ••••')
  assert.equal(words(call[16]!).text, 'the call is over: the caller hung up, 6.1 s')
  const bad = words(ev(0, 'script.refused', { doc: 'a.php', code: 'OZ1003', text: 'text before the XML', hint: 'switch warnings off' }))
  assert.deepEqual([bad.tone, bad.text, bad.hint], ['bad', 'a.php was refused: OZ1003 text before the XML', 'switch warnings off'])
  assert.equal(words(ev(0, 'script.fetch', { url: 'http://a', reason: 'given up' })).tone, 'http')
})

test('how it went with a leg', () => {
  const g = { id: 'a', party: 'callee', number: '1002', state: 'Busy', reason: 'Busy Here', started: '2026-01-01T00:00:00Z', quality: null }
  assert.equal(legWords(g), 'Busy Here')
  assert.equal(legWords({
    ...g, state: 'Completed', reason: 'hung up', answered: '2026-01-01T00:00:02Z', ended: '2026-01-01T00:00:09Z',
    quality: { codec: 'PCMA', sent: 1, received: 99, lost: 1, jitter_ms: 2, mos: 4.31 },
  }), 'talked 7 s, hung up, PCMA, 1.0 % lost, MOS 4.3')
})

test('the fault that heads the page is the one with a code', () => {
  const coded = ev(1, 'script.refused', { code: 'OZ1003' })
  assert.equal(fault(call), null)
  assert.equal(fault([ev(0, 'script.fetch', { status: 500 }), coded]), coded)
  assert.equal(fault([ev(0, 'script.warning', { code: 'OZ1101' })]), null)
})

test('a refused script is told once', () => {
  const refused = ev(0, 'script.refused', { code: 'OZ1003', text: 'a' })
  assert.equal(repeats(ev(0, 'error', { code: 'OZ1003', text: 'a' }), refused), true)
  assert.equal(repeats(ev(0, 'error', { code: 'OZ1003', text: 'b' }), refused), false)
  assert.equal(repeats(ev(0, 'error', { code: 'OZ1003', text: 'a' }), undefined), false)
})

test('names of documents', () => {
  assert.equal(docName(doc), 'ivr.php')
  assert.equal(docName('http://127.0.0.1:8080/'), '127.0.0.1:8080')
  assert.equal(docName('data/scripts/hello.xml'), 'hello.xml')
})

test('the same call on paper', () => {
  assert.deepEqual(scenario(call), { lines: 'call 1001 -> 9000\nat 4.5s press 1\nat 6s hangup', blanked: 0 })
  assert.equal(scenario([ev(0, 'call.answered'), ev(1, 'key', { count: 1 })]).blanked, 1)
  assert.equal(scenario([ev(0, 'call.answered'), ev(1, 'call.ended', { reason: 'script' })]).lines, '', 'the script ends it again by itself')
  assert.equal(scenario([ev(0, 'call.answered'), ev(10, 'call.ended', { reason: 'api' })]).lines, 'at 10s hangup')
})

test('a stream is cut into events wherever its pieces end', () => {
  const text = 'retry: 500\n\n: still here\n\nid: 7\nevent: key\ndata: {"a":\ndata: 1}\n\nid: 8\ndata: {}\n\n'
  for (let i = 0; i < text.length; i++) {
    const p = new Parser()
    const got = [...p.push(text.slice(0, i)), ...p.push(text.slice(i))]
    assert.deepEqual(got, [{ id: '7', event: 'key', data: '{"a":\n1}' }, { id: '8', event: '', data: '{}' }])
    assert.equal(p.retry, 500)
  }
})
