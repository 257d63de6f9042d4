import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from './client.ts'
import { follow } from './sse.ts'

type Answer = (headers: Headers) => Response

/** Follows a stream whose connections get these answers, one each; gives what was told when it has ended. */
async function followed(answers: Answer[]): Promise<string[]> {
  const told: string[] = []
  const before = globalThis.fetch
  globalThis.fetch = ((_: string, init: RequestInit) => {
    const headers = new Headers(init.headers)
    told.push(`asks from ${headers.get('Last-Event-ID') ?? 'the beginning'}`)
    const next = answers.shift()
    return next ? Promise.resolve().then(() => next(headers)) : Promise.reject(new Error('asked too often'))
  }) as typeof fetch
  try {
    await new Promise<void>(done => {
      follow('/v1/calls/q7/events', {
        event: e => told.push(e.type),
        connected: up => told.push(up ? 'up' : 'down'),
        returned: () => told.push('read again'),
        ended: (why: Problem | null) => {
          told.push(why ? `${why.status} ${why.message}` : 'over')
          done()
        },
      })
    })
  } finally {
    globalThis.fetch = before
  }
  return told
}

const events = (...ids: number[]) => 'retry: 1\n\n' + ids.map(i => `id: ${i}\nevent: key\ndata: {"type":"key${i}"}\n\n`).join('')
const over: Answer = () => new Response(null, { status: 204 })

test('a stream that ends in order is asked once more, from where it was', async () => {
  assert.deepEqual(await followed([() => new Response(events(1, 2)), over]),
    ['asks from the beginning', 'up', 'key1', 'key2', 'asks from 2', 'over'])
})

test('a stream that breaks says so, comes back and misses nothing', async () => {
  const broken: Answer = () => new Response(new ReadableStream({
    start(c) {
      c.enqueue(new TextEncoder().encode(events(1)))
    },
    pull(c) {
      c.error(new Error('the line is cut'))
    },
  }))
  assert.deepEqual(await followed([broken, () => new Response(events(2)), over]),
    ['asks from the beginning', 'up', 'key1', 'down', 'asks from 1', 'up', 'read again', 'key2', 'asks from 2', 'over'])
})

test('a stream that is refused ends with the reason', async () => {
  const refused: Answer = () => new Response('{"status":404,"detail":"there is no call q7"}', { status: 404 })
  assert.deepEqual(await followed([refused]), ['asks from the beginning', '404 there is no call q7'])
})
