// Home: the calls that are up on top, those that are over below, and one search
// over calls, scripts and extensions.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api } from '../api/client.ts'
import type { CallList, Extension, LiveCall, PastCall, ScriptInfo } from '../api/types.ts'
import { elapsed } from '../call/axis.ts'
import * as phone from '../phone/phone.ts'
import { busy } from '../phone/state.ts'
import { go, query } from '../router.ts'
import { callsChanged, liveCalls, now } from '../state/live.ts'
import { session } from '../state/session.ts'
import { Button, complain, Empty, Loading, Trouble } from '../ui/base.tsx'
import { Icon } from '../ui/icon.tsx'
import { useKeys } from '../ui/keys.tsx'
import { byDay, failed, length, nothing, outcome, recordings, target } from './group.ts'

const rows = 25

// The filters of /v1/calls that the page offers, by name, with their values.
const filters = {
  direction: { all: 'any direction', Internal: 'internal', Inbound: 'inbound', Outbound: 'outbound', External: 'external' },
  result: {
    all: 'any ending', failed: 'went wrong', script: 'ended by the script', caller: 'the caller hung up', callee: 'the callee hung up', api: 'ended over HTTP',
    rejected: 'refused', busy: 'busy', 'no answer': 'nobody answered', 'not found': 'no such number', error: 'ended by an error',
  },
} as const

/** The address of this page with some of the query changed. */
function address(change: Record<string, string>): string {
  const q = new URLSearchParams(query.peek())
  for (const [k, v] of Object.entries(change)) {
    if (v && v !== 'all') q.set(k, v)
    else q.delete(k)
  }
  if (!('page' in change)) q.delete('page')
  const s = q.toString()
  return s ? `/?${s}` : '/'
}

function Live({ c, chosen }: { c: LiveCall; chosen: boolean }) {
  const { to, script } = target(c)
  return (
    <a class={chosen ? 'call-row live chosen' : 'call-row live'} href={`/calls/${c.id}`} data-row>
      <span class="dot" title="up" />
      <span class="who"><b>{c.from || c.source || 'unknown'}</b> → <b>{to}</b> {script && <span class="soft">{script}</span>}</span>
      <span class="what mono">{c.doing || c.state}</span>
      <span class="when mono">{elapsed((now.value - Date.parse(c.started)) / 1000)}</span>
    </a>
  )
}

function Past({ c, chosen }: { c: PastCall; chosen: boolean }) {
  const { to, script } = target(c)
  const bad = failed(c)
  const n = recordings(c)
  return (
    <a class={chosen ? 'call-row chosen' : 'call-row'} href={`/calls/${c.id}`} data-row>
      <span class={bad ? 'bad' : 'good'} title={bad ? 'something went wrong' : 'went well'}><Icon name={bad ? 'bad' : 'ok'} /></span>
      <span class="who"><b>{c.from || c.source || 'unknown'}</b> → <b>{to}</b> {script && <span class="soft">{script}</span>}</span>
      <span class={bad ? 'what bad' : 'what soft'}>
        {outcome(c)}{n > 0 && ` · ${n} ${n === 1 ? 'recording' : 'recordings'}`}
      </span>
      <span class="when soft">{length(c.ring_seconds + c.talk_seconds)}</span>
      <time class="when mono soft" dateTime={c.started}>{new Date(c.started).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })}</time>
    </a>
  )
}

/** What to do when there is no call yet. */
function First() {
  const s = session.value
  const number = s?.script_number || s?.default_number || ''
  const up = busy(phone.state.value)
  return (
    <Empty title="No calls yet">
      {s?.phone && number ? (
        <>
          <p>Press the button: this page is a telephone, and {number} answers with a script.</p>
          <p><Button kind="primary" class="big" icon="phone" busy={up} onClick={() => phone.call(number).catch(complain)}>Call {number}</Button></p>
          <p class="hint">The browser will ask for the microphone. Without it you can listen all the same.</p>
        </>
      ) : (
        <p>Call {number || 'a number of the switch'} from a telephone.</p>
      )}
      <p class="hint">In a terminal: <code>ozswitch call {number || '9000'}</code></p>
    </Empty>
  )
}

/** What else fits a search: scripts and extensions. */
function Elsewhere({ q }: { q: string }) {
  const [scripts, setScripts] = useState<ScriptInfo[]>([])
  const [extensions, setExtensions] = useState<Extension[]>([])
  useEffect(() => {
    api.scripts().then(setScripts, () => {})
    api.extensions().then(setExtensions, () => {})
  }, [])
  const has = (...of: (string | undefined)[]) => of.some(s => s?.toLowerCase().includes(q.toLowerCase()))
  const found = scripts.filter(s => has(s.name, s.url, ...(s.numbers ?? [])))
  const numbers = extensions.filter(x => has(x.number, x.name, x.file, x.url))
  if (found.length + numbers.length === 0) return null
  return (
    <section class="elsewhere" aria-label="Scripts and extensions">
      {found.map(s => (
        <a key={s.name} class="call-row" href={`/scripts/${encodeURIComponent(s.name)}`} data-row>
          <Icon name="scripts" /><span class="who"><b>{s.name}</b></span>
          <span class="what soft">script{(s.numbers ?? []).length > 0 && ` of ${s.numbers!.join(', ')}`}</span>
        </a>
      ))}
      {numbers.map(x => (
        <div key={x.number} class="call-row">
          <Icon name="phone" /><span class="who"><b>{x.number}</b> {x.name}</span>
          <span class="what soft">{x.type} {x.file || x.url}{(x.registered ?? []).length > 0 && ' · registered'}</span>
          <a class="when" href={address({ q: x.number })}>its calls</a>
        </div>
      ))}
    </section>
  )
}

export function CallsPage() {
  const [list, setList] = useState<CallList | null>(null)
  const [trouble, setTrouble] = useState('')
  const [chosen, setChosen] = useState(-1)
  const [typed, setTyped] = useState(query.value.get('q') ?? '')
  const search = useRef<HTMLInputElement>(null)
  const page = useRef<HTMLDivElement>(null)
  const q = query.value
  const asked = q.get('q') || q.get('direction') || q.get('result')
  const number = Math.max(0, Number(q.get('page') ?? 1) - 1)
  const changed = callsChanged.value

  useEffect(() => { document.title = 'Calls · ozswitch' }, [])
  useEffect(() => {
    let stale = false
    const p = new URLSearchParams({ page: String(number), rows: String(rows) })
    for (const k of ['q', 'direction', 'result']) if (q.get(k)) p.set(k, q.get(k)!)
    if (q.get('result') === 'failed') {
      p.delete('result')
      p.set('failed', 'true')
    }
    api.calls(p).then(l => {
      if (stale) return
      setList(l)
      setTrouble('')
    }, err => { if (!stale) setTrouble((err as Error).message) })
    return () => { stale = true }
  }, [q, changed])
  useEffect(() => {
    if (typed === (query.peek().get('q') ?? '')) return
    const t = setTimeout(() => go(address({ q: typed }), true), 200)
    return () => clearTimeout(t)
  }, [typed])

  const links = () => [...page.current?.querySelectorAll<HTMLElement>('a[data-row]') ?? []]
  const move = (by: number) => {
    const all = links()
    if (all.length === 0) return
    const next = Math.min(all.length - 1, Math.max(0, chosen + by))
    setChosen(next)
    all[next]!.focus()
  }
  useKeys([
    { keys: ['/'], does: 'search', run: () => search.current?.focus() },
    { keys: ['j', 'ArrowDown'], does: 'next call', run: () => move(1) },
    { keys: ['k', 'ArrowUp'], does: 'call before', run: () => move(-1) },
  ], [chosen])

  const live = asked ? liveCalls.value.filter(c => {
    const s = (q.get('q') ?? '').toLowerCase()
    return !q.get('direction') && !q.get('result') && [c.id, c.from, c.to, c.callee_dialed, c.script].some(v => v?.toLowerCase().includes(s))
  }) : liveCalls.value
  const pages = list ? Math.max(1, Math.ceil(list.past_total / rows)) : 1
  const bad = list?.past.filter(failed).length ?? 0
  let row = 0

  return (
    <div class="calls" ref={page}>
      <header class="page-head">
        <h1>Calls</h1>
        <label class="search"><Icon name="search" />
          <input ref={search} type="search" placeholder="search calls, scripts, extensions  /" aria-label="search" value={typed}
            onInput={e => setTyped(e.currentTarget.value)}
            onKeyDown={e => {
              if (e.key === 'Escape') e.currentTarget.blur()
              if (e.key === 'Enter' || e.key === 'ArrowDown') { e.preventDefault(); e.currentTarget.blur(); move(1) }
            }} />
        </label>
        {(['direction', 'result'] as const).map(f => (
          <select key={f} aria-label={f} value={q.get(f) ?? 'all'} onChange={e => go(address({ [f]: e.currentTarget.value }), true)}>
            {Object.entries(filters[f]).map(([v, word]) => <option key={v} value={v}>{word}</option>)}
          </select>
        ))}
      </header>
      <Trouble text={trouble} />
      {!list && !trouble && <Loading what="Reading the calls" />}
      {q.get('q') && <Elsewhere q={q.get('q')!} />}
      {live.length > 0 && (
        <section aria-label="Live calls">
          <h2 class="group">Live <span class="count">{live.length}</span></h2>
          {live.map(c => <Live key={c.id} c={c} chosen={row++ === chosen} />)}
        </section>
      )}
      {nothing(list, live.length, Boolean(asked)) && <First />}
      {list && asked && list.past_total === 0 && live.length === 0 && (
        <Empty title="No call fits"><p><Button onClick={() => { setTyped(''); go('/', true) }}>Show all calls</Button></p></Empty>
      )}
      {list && byDay(list.past, now.peek()).map((g, i) => (
        <section key={g.day} aria-label={g.day}>
          <h2 class="group">{g.day}{i === 0 && bad > 0 && <span class="bad failures"><Icon name="warn" size={14} /> {bad} failed on this page</span>}</h2>
          {g.calls.map(c => <Past key={c.id} c={c} chosen={row++ === chosen} />)}
        </section>
      ))}
      {pages > 1 && (
        <nav class="pager" aria-label="Pages">
          <Button icon="back" disabled={number === 0} onClick={() => go(address({ page: String(number) }))}>Newer</Button>
          <span>page {number + 1} of {pages}, {list!.past_total} calls</span>
          <Button icon="next" disabled={number + 1 >= pages} onClick={() => go(address({ page: String(number + 2) }))}>Older</Button>
        </nav>
      )}
    </div>
  )
}
