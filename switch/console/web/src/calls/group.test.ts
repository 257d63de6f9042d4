import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PastCall } from '../api/types.ts'
import { byDay, day, failed, length, outcome, recordings } from './group.ts'

const noon = new Date(2026, 10, 22, 12).getTime()
const call = (hoursAgo: number, c: Partial<PastCall> = {}) =>
  ({ started: new Date(noon - hoursAgo * 3_600_000).toISOString(), result: 'script', reason: '', ...c }) as PastCall

test('calls are grouped by the day where the user is', () => {
  assert.equal(day(call(11.9).started, noon), 'Today')
  assert.equal(day(call(12.1).started, noon), 'Yesterday')
  assert.deepEqual(byDay([call(1), call(2), call(13), call(80)], noon).map(g => g.calls.length), [2, 1, 1])
})

test('what became of a call', () => {
  assert.equal(outcome(call(1)), 'ended by the script')
  assert.equal(outcome(call(1, { problem: 'OZ1003 text before the XML' })), 'OZ1003 text before the XML')
  assert.equal(outcome(call(1, { result: 'new', reason: 'a new way' })), 'a new way')
  assert.equal(failed(call(1)), false)
  assert.equal(failed(call(1, { result: 'not found' })), true)
  assert.equal(failed(call(1, { problem: 'OZ1003' })), true)
})

test('recordings, as a number or as a list', () => {
  assert.equal(recordings({ recordings: 2 }), 2)
  assert.equal(recordings({ recordings: [{}] }), 1)
  assert.equal(recordings({}), 0)
})

test('lengths', () => {
  assert.equal(length(0.44), '0.4 s')
  assert.equal(length(12.4), '12 s')
  assert.equal(length(185), '3 min 5 s')
})
