import assert from 'node:assert/strict'
import { test } from 'node:test'
import { find } from './find.ts'
import { taken } from './keys.ts'
import { lastCalls } from './last.ts'
import { clean } from './number.ts'
import { judge, level, look, type Look } from './quality.ts'
import { clock, initial, lineWords, next, talkWords, type Happening, type Phase, type State } from './state.ts'
import { endWords, micWords, refusedWords } from './why.ts'

// play gives the state after events, and what the page said after each.
function play(events: Happening[]): { s: State; said: string[] } {
  let s: State = initial
  const said: string[] = []
  for (const e of events) {
    s = next(s, e)
    said.push(talkWords(s) || lineWords(s))
  }
  return { s, said }
}

test('a call out, in words', () => {
  const { s, said } = play([
    { type: 'start', user: '1001' }, { type: 'connected' }, { type: 'registered' },
    { type: 'call', number: '9000' }, { type: 'sent', listenOnly: '' }, { type: 'ringing' },
    { type: 'accepted', at: 5000 }, { type: 'key', key: '1' }, { type: 'hold', ours: true }, { type: 'unhold', ours: true },
    { type: 'muted' }, { type: 'broken' }, { type: 'mended' }, { type: 'over', why: 'the other side hung up', at: 9000 },
  ])
  assert.deepEqual(said, [
    '1001 connecting', '1001 connecting', '1001 ready',
    'waiting for the microphone', 'calling 9000', '9000 is ringing',
    'connected with 9000', 'connected with 9000', '9000 is on hold', 'connected with 9000',
    'connected with 9000, you are muted', 'connected with 9000, the sound is interrupted', 'connected with 9000, you are muted',
    'ended: the other side hung up',
  ])
  assert.equal(s.talk?.keys, '1')
  assert.equal(s.talk!.over - s.talk!.begun, 4000)
})

test('a call in, and what cannot happen', () => {
  const { s, said } = play([
    { type: 'start', user: '1001' }, { type: 'registered' },
    { type: 'key', key: '1' }, { type: 'answer' }, // nothing rings
    { type: 'invited', number: '1002', name: 'Bob' },
    { type: 'call', number: '9000' }, { type: 'invited', number: '1003', name: '' }, { type: 'key', key: '5' }, { type: 'forget' },
    { type: 'answer' }, { type: 'sent', listenOnly: 'there is no microphone' }, { type: 'accepted', at: 1 }, { type: 'accepted', at: 2 },
  ])
  assert.equal(said[4], 'Bob (1002) is calling you')
  assert.equal(said[8], said[4])
  assert.equal(said[9], 'answering Bob (1002)')
  assert.equal(said.at(-1), 'connected with Bob (1002)')
  assert.equal(s.talk?.begun, 1)
  assert.equal(s.talk?.listenOnly, 'there is no microphone')
  assert.equal(s.talk?.keys, '')
  const over = next(s, { type: 'over', why: 'you hung up', at: 3 })
  assert.equal(next(over, { type: 'over', why: 'again', at: 4 }).talk?.why, 'you hung up')
  assert.equal(next(over, { type: 'forget' }).talk, null)
})

test('the socket drops during a call', () => {
  const { s, said } = play([
    { type: 'start', user: '1001' }, { type: 'registered' }, { type: 'call', number: '9000' }, { type: 'sent', listenOnly: '' }, { type: 'accepted', at: 1 },
    { type: 'disconnected' }, { type: 'connected' },
  ])
  assert.equal(said.at(-1), 'connected with 9000')
  assert.equal(lineWords(s), '1001 reconnecting')
  assert.equal(lineWords(next(s, { type: 'registered' })), '1001 ready')
  assert.equal(lineWords(next(s, { type: 'refused', why: 'the password is not right' })), '1001 refused: the password is not right')
})

test('why a call ended', () => {
  const cases: [Parameters<typeof endWords>[0], string][] = [
    [{ cause: 'Terminated', originator: 'local', incoming: false }, 'you hung up'],
    [{ cause: 'Terminated', originator: 'remote', incoming: false, reason: 'SIP;cause=200;text="script ended"' }, 'the other side hung up: script ended'],
    [{ cause: 'Canceled', originator: 'remote', incoming: true }, 'the caller gave up'],
    [{ cause: 'Canceled', originator: 'local', incoming: false }, 'you gave up'],
    [{ cause: 'Not Found', originator: 'remote', incoming: false, status: 404, phrase: 'Not Found' }, 'there is no such number (404)'],
    [{ cause: 'Rejected', originator: 'remote', incoming: false, status: 403, warning: '399 ozswitch "no \\"guests\\""' }, 'refused (403): no "guests"'],
    [{ cause: 'SIP Failure Code', originator: 'remote', incoming: false, status: 500, phrase: 'Server Error' }, 'refused (500 Server Error)'],
    [{ cause: 'Rejected', originator: 'local', incoming: true }, 'you declined'],
    [{ cause: 'Connection Error', originator: 'system', incoming: false }, 'the connection to the switch was lost'],
  ]
  for (const [e, want] of cases) assert.equal(endWords(e), want)
  assert.equal(refusedWords('Rejected', 403), 'the password is not right')
  assert.equal(refusedWords('Request Timeout'), 'the switch did not answer')
  assert.equal(micWords('NotAllowedError', true), 'the microphone is not allowed')
  assert.match(micWords('NotAllowedError', false), /https/)
})

test('numbers as they are pasted', () => {
  const cases: [string, string][] = [
    ['9000', '9000'], [' 9 000 ', '9000'], ['+36 (1) 234-5678', '+3612345678'], ['+44 (0)20 7946 0000', '+442079460000'],
    ['tel:+3612345678', '+3612345678'], ['tel:9000;phone-context=x', '9000'], ['1-800-FLOWERS', '18003569377'],
    ['ann', 'ann'], ['ann.b', 'ann.b'], ['sip:1002@localhost', '1002'], ['sip:ann@example.net', 'sip:ann@example.net'],
    ['sip:ann@example.net;transport=tcp', 'sip:ann@example.net'], ['*21#', '*21#'], ['\u202f06\u00a030\u2013123', '0630123'],
    ['', ''], ['   ', ''], ['hello world!', ''], ['<b>', ''], ['sip:a b@example.net', ''],
  ]
  for (const [typed, want] of cases) assert.equal(clean(typed, 'localhost'), want, typed)
})

test('keys of the keyboard', () => {
  const does = (phase: Phase | '', number: boolean) => Object.fromEntries(taken(phase, number).flatMap(t => t.keys.map(k => [k, t.run])))
  assert.equal(does('', false)['5'], 'digit')
  assert.equal(does('', false).Enter, undefined)
  assert.deepEqual([does('ended', true).Enter, does('ended', true).Backspace, does('ended', true).Escape], ['call', 'erase', undefined])
  assert.deepEqual([does('talking', true)['#'], does('talking', true).Escape, does('talking', true).Enter], ['press', 'hangup', undefined])
  assert.deepEqual(does('incoming', true), { Enter: 'answer', Escape: 'hangup' })
  for (const p of ['microphone', 'calling', 'ringing', 'answering'] as const) assert.deepEqual(does(p, true), { Escape: 'hangup' })
})

test('how good the sound is', () => {
  const l = (at: number, received: number, lost: number, jitter = 0.002): Look => ({ at, received, lost, jitter, roundTrip: 0.012, codec: 'opus' })
  assert.deepEqual(judge(l(0, 0, 0), l(1000, 50, 0), false), {
    word: 'good', detail: '0 of 50 packets lost, 0.0 % just now, jitter 2 ms, round trip 12 ms, opus',
  })
  assert.equal(judge(l(0, 0, 0), l(1000, 49, 1), false).word, 'some loss')
  assert.equal(judge(l(0, 0, 0), l(1000, 45, 5), false).word, 'bad')
  assert.equal(judge(l(0, 500, 5), l(1000, 550, 5), false).word, 'good') // what is past is past
  assert.match(judge(l(0, 50, 0), l(1000, 50, 0), false).detail, /^no packets come/)
  assert.equal(judge(l(0, 50, 0), l(1000, 50, 0), true).word, '')
  const got = look([
    { type: 'inbound-rtp', kind: 'audio', packetsReceived: 7, packetsLost: -1, jitter: 0.5, codecId: 'c' },
    { type: 'codec', id: 'c', mimeType: 'audio/PCMU' }, { type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.25 },
  ], 9)
  assert.deepEqual(got, { at: 9, received: 7, lost: 0, jitter: 0.5, roundTrip: 0.25, codec: 'PCMU' })
})

test('level meter and clock', () => {
  assert.equal(level(new Float32Array(8)), 0)
  assert.equal(level(new Float32Array(8).fill(1)), 1)
  assert.ok(Math.abs(level(new Float32Array(8).fill(0.1)) - 40 / 60) < 1e-6)
  assert.deepEqual([0, 7.9, 61, 3723].map(clock), ['00:00', '00:07', '01:01', '1:02:03'])
})

test('which call of the switch is ours', () => {
  const live = [
    { id: 'a', from: '1001', to: '9000', started: '2026-01-01T10:00:00Z' },
    { id: 'b', from: '1001', to: '9000', started: '2026-01-01T10:00:09Z' },
    { id: 'c', from: '1002', to: '9000', started: '2026-01-01T10:00:10Z' },
    { id: 'd', from: '1001', to: 'script', caller_dialed: '9100', started: '2026-01-01T10:00:11Z' },
  ]
  assert.equal(find(live, '1001', '9000', new Set()), 'b')
  assert.equal(find(live, '1001', '9000', new Set(['b'])), 'a')
  assert.equal(find(live, '1001', 'sip:9100@localhost', new Set()), 'd')
  assert.equal(find(live, '1001', '9000', new Set(['a', 'b'])), '')
})

test('last calls', () => {
  const call = (id: string, from: string, to: string, dialed: string, talk: number) =>
    ({ id, from, from_name: from === '1002' ? 'Bob' : '', to, dialed, started: '2026-01-01T10:00:00Z', talk_seconds: talk })
  const got = lastCalls([call('1', '1001', '9000', '9000', 5), call('2', '1002', '1001', '1001', 0), call('3', '1001', '9000', '9000', 1),
    call('4', '1003', '9000', '9000', 1), call('5', '1001', 'carrier', '0036', 2)], '1001', 8, Date.parse('2026-01-01T10:05:00Z'))
  assert.deepEqual(got.map(c => `${c.id} ${c.incoming ? '<' : '>'} ${c.number} ${c.name} ${c.answered} ${c.when}`),
    ['1 > 9000  true 5 min ago', '2 < 1002 Bob false 5 min ago', '5 > 0036  true 5 min ago'])
})
