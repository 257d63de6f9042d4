// One call, the same live and afterwards: sound, source, what happened, and the
// messages, on one axis with one cursor.
import { useComputed } from '@preact/signals'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { api } from '../api/client.ts'
import type { Leg, RunResult } from '../api/types.ts'
import { length } from '../calls/group.ts'
import { connected } from '../state/live.ts'
import { Button, complain, Dialog, Empty, LinkButton, Loading, toast } from '../ui/base.tsx'
import { Icon } from '../ui/icon.tsx'
import { useKeys } from '../ui/keys.tsx'
import { clock, elapsed } from './axis.ts'
import { ExchangesPane } from './exchanges.tsx'
import { HappenedPane } from './happened.tsx'
import { scenario } from './paper.ts'
import { SourcePane } from './source.tsx'
import { CallState } from './state.ts'
import { Wave } from './wave.tsx'
import { docName, legWords, resultWords, wentWell, words } from './words.ts'

/** How a call ended; its row comes a moment after its last event. */
function endWords(s: CallState): string {
  const c = s.call.value!
  const ended = s.events.value.find(e => e.type === 'call.ended')
  return resultWords(c.result || ended?.reason || '', ended?.text || c.reason)
}

function Head({ s }: { s: CallState }) {
  const c = s.call.value!
  const over = s.over.value
  const seconds = s.length.value
  const ended = s.events.value.find(e => e.type === 'call.ended')
  const result = c.result || ended?.reason || ''
  const doc = c.script || ([...s.documents.value.keys()][0] ?? c.documents?.[0]?.name ?? '')
  return (
    <header class="call-head">
      <a class="button quiet" href="/" aria-label="back to the calls"><Icon name="back" /></a>
      <h1>{c.from || 'unknown'} → {c.to || c.extension || '?'}</h1>
      <span class="facts">
        {over ? <span>{length(ended?.seconds ?? seconds)}</span> : <span class="mono"><span class="dot" /> {elapsed(seconds)}</span>}
        {doc && <span title={doc}>{docName(doc)}</span>}
        {over && <span class={wentWell(result) ? '' : 'bad'}>{endWords(s)}</span>}
        {c.codec && <span>{c.codec}</span>}
        <time class="soft" dateTime={c.started}>{new Date(c.started).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}</time>
      </span>
      <span class="grow" />
      {!over && <LiveActions s={s} />}
      <span class="row actions">
        {over && <Paper s={s} />}
        <Button icon="share" title="copy the address of this page" onClick={() => {
          const link = location.origin + '/calls/' + s.id
          const done = navigator.clipboard?.writeText(link)
          if (done) done.then(() => toast('The address of this call is copied.'), () => toast(link))
          else toast(link)
        }}>Share</Button>
        <LinkButton href={api.file(s.id, 'export.pcap')} download title="packets, for Wireshark">pcap</LinkButton>
        <LinkButton href={api.file(s.id, 'export.json')} download title="the event log">json</LinkButton>
        <LinkButton href={api.file(s.id, 'export.mmd')} download title="the ladder as a Mermaid diagram">mermaid</LinkButton>
        <LinkButton href={api.file(s.id, 'export.zip')} download title="everything" icon="download">zip</LinkButton>
      </span>
    </header>
  )
}

/** What can be done to a call that is up. */
function LiveActions({ s }: { s: CallState }) {
  const [keys, setKeys] = useState(false)
  const press = (k: string) => { api.keys(s.id, k).catch(complain) }
  return (
    <span class="row actions">
      <span class="pop">
        <Button icon="keys" aria-expanded={keys} title="press a key as if the caller did" onClick={() => setKeys(!keys)}>Press a key</Button>
        {keys && (
          <span class="pad-pop card" role="group" aria-label="keys of the caller">
            {['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'].map(k => <Button key={k} onClick={() => press(k)}>{k}</Button>)}
          </span>
        )}
      </span>
      <Button kind="danger" icon="hangup" onClick={() => { api.hangup(s.id).catch(complain) }}>Hang up</Button>
    </span>
  )
}

/** The same script and keys on the paper call, in virtual time. */
function Paper({ s }: { s: CallState }) {
  const [open, setOpen] = useState(false)
  const [result, setResult] = useState<RunResult | null>(null)
  const [busy, setBusy] = useState(false)
  const sc = useComputed(() => scenario(s.events.value))
  const source = [...s.documents.value.values()][0]
  if (!source) return null
  const run = async () => {
    setOpen(true)
    setBusy(true)
    try {
      setResult(await api.run({ text: source.text, caller: sc.value.lines }))
    } catch (err) {
      setOpen(false)
      complain(err)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <Button icon="paper" title="the same script with the same keys, in virtual time" busy={busy} onClick={run}>Run on paper</Button>
      <Dialog title="The same call on paper" open={open} onClose={() => setOpen(false)} wide>
        <p class="soft">The caller, as on this call:</p>
        <pre>{sc.value.lines || 'listens'}</pre>
        {sc.value.blanked > 0 && <p class="hint">{sc.value.blanked} keys were not written down, because the call is sensitive; they are not pressed.</p>}
        {busy && <Loading what="Running" />}
        {result && !busy && (
          <>
            {(result.problems ?? []).filter(p => p.severity !== 'note').map((p, i) => <p key={i} class={p.severity === 'error' ? 'bad' : ''}>{p.line}:{p.col} {p.code} {p.message}</p>)}
            <pre class="transcript">{result.transcript}</pre>
            <p class="soft">{length(result.seconds)} of call in {Math.max(1, Math.round(result.took_ms))} ms.</p>
          </>
        )}
      </Dialog>
    </>
  )
}

/** The cause of a fault, at the top, with its place and cure. */
function Fault({ s }: { s: CallState }) {
  const e = s.fault.value
  if (!e) return null
  const w = words(e)
  return (
    <div class={w.tone === 'warn' ? 'trouble only-warning' : 'trouble'} role="alert">
      <Icon name="warn" />
      <div>
        <b>{w.text}</b>{' '}
        {e.line ? <button type="button" class="place mono" onClick={() => { s.goTo(e) }}>{docName(e.doc ?? '')} line {e.line}, column {e.col}</button> : null}
        {w.hint && <div>{w.hint}</div>}
        {e.body && !w.text.includes(e.body.trim()) && <pre class="excerpt">{e.body.slice(0, 400)}</pre>}
      </div>
    </div>
  )
}

/** Who was in the call, and who rang for it. */
function Legs({ legs }: { legs: Leg[] }) {
  return (
    <section class="recordings" aria-label="Telephones and lines">
      <h2 class="group">Telephones and lines</h2>
      {legs.map(g => (
        <div key={g.id} class="row">
          <b>{g.number || 'anonymous'}</b>
          <span class="soft">{[g.party, g.line && `by line ${g.line}`, g.name].filter(Boolean).join(', ')}</span>
          <span class={g.answered || g.state === 'AnsweredElsewhere' ? '' : 'bad'}>{legWords(g)}</span>
        </div>
      ))}
    </section>
  )
}

const panes = [['source', 'Script'], ['happened', 'What happened'], ['exchanges', 'SIP and HTTP']] as const

export function CallPage({ id }: { id: string }) {
  const s = useMemo(() => new CallState(id), [id])
  useEffect(() => s.start(), [s])
  const spoken = useRef('') // the mouse moves what is seen, not what is said
  const c = s.call.value
  useEffect(() => { if (c) document.title = `${c.from || '?'} → ${c.to || '?'} · ozswitch` }, [c])

  const stepBy = (by: number) => {
    const list = s.times.value.filter((_, i) => !words(s.events.value[i]!).minor)
    const here = s.here.value
    const next = by > 0 ? list.find(t => t > here + 1e-5) : [...list].reverse().find(t => t < here - 1e-5)
    if (next !== undefined) s.move(next)
  }
  useKeys([
    { keys: [' '], does: 'play or pause', run: () => s.togglePlay() },
    { keys: ['ArrowRight', 'j'], does: 'next event', run: () => stepBy(1) },
    { keys: ['ArrowLeft', 'k'], does: 'event before', run: () => stepBy(-1) },
    { keys: ['Home'], does: 'to the beginning', run: () => s.move(0) },
    { keys: ['End'], does: 'to the end; follow the call', run: () => s.move(null) },
    { keys: ['h'], does: 'hang up', run: () => { if (!s.over.peek()) api.hangup(s.id).catch(complain) } },
  ], [s])

  if (s.trouble.value && !c) {
    return <Empty title="This call cannot be shown"><p>{s.trouble.value}</p><p><a href="/">Back to the calls</a></p></Empty>
  }
  if (!c) return <Loading what="Reading the call" />
  const lit = s.lit.value
  const at = s.cursor.value === null ? '' : `at ${clock(s.here.value, 1)} seconds: `
  if (s.hover.value === null) spoken.current = s.over.value && s.cursor.value === null
    ? `the call is over: ${endWords(s)}`
    : lit ? `${at}line ${lit.line}, ${lit.name}${lit.text ? `: ${lit.text.slice(0, 80)}` : ''}` : s.over.value ? `${at}nothing runs` : 'the call is up'
  return (
    <div class="call">
      {!s.up.value && connected.value && <div class="offline" role="status">No word from the switch: reconnecting …</div>}
      <Head s={s} />
      <Fault s={s} />
      <p class="state" aria-live="polite" data-state={s.over.value ? 'over' : 'live'}>{spoken.current}</p>
      <Wave s={s} />
      <div class="pane-tabs" role="group" aria-label="Panes">
        {panes.map(([k, word]) => <button key={k} type="button" class="tab" aria-pressed={s.pane.value === k} onClick={() => { s.pane.value = k }}>{word}</button>)}
      </div>
      <div class={`panes show-${s.pane.value}`}>
        <SourcePane s={s} />
        <HappenedPane s={s} />
        <ExchangesPane s={s} />
      </div>
      {(c.legs ?? []).length > 1 && <Legs legs={c.legs!} />}
      {(c.recordings ?? []).length > 0 && (
        <section class="recordings" aria-label="Recordings">
          <h2 class="group">Recordings</h2>
          {c.recordings!.map(r => (
            <div key={r.file} class="recording row">
              <audio controls preload="none" src={r.url} />
              <a href={r.url} download>{docName(r.file)}</a>
              <span class="soft">{length(r.seconds)} {r.reason && `· ended by ${r.reason}`}</span>
            </div>
          ))}
        </section>
      )}
    </div>
  )
}
