// The shell: rail on the left, page in the middle, phone at the bottom right.
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { api } from './api/client.ts'
import type { Status } from './api/types.ts'
import { CallPage } from './call/page.tsx'
import { CallsPage } from './calls/page.tsx'
import { Login } from './login.tsx'
import { NumbersPage } from './numbers/page.tsx'
import { PhoneDock, PhonePage } from './phone/index.tsx'
import { go, path } from './router.ts'
import { ScriptsPage } from './scripts/index.tsx'
import { connected, followCalls, liveCount } from './state/live.ts'
import { readSession, session, signOut } from './state/session.ts'
import { complain, Empty, Loading, Toasts } from './ui/base.tsx'
import { Icon, type IconName } from './ui/icon.tsx'
import { Keys, showKeys, useKeys } from './ui/keys.tsx'

const status = signal<Status | null>(null)

const places: { to: string; word: string; icon: IconName; key: string }[] = [
  { to: '/', word: 'Calls', icon: 'calls', key: 'c' },
  { to: '/scripts', word: 'Scripts', icon: 'scripts', key: 's' },
  { to: '/numbers', word: 'Numbers', icon: 'numbers', key: 'n' },
  { to: '/phone', word: 'Phone', icon: 'phone', key: 'p' },
]

function isHere(to: string): boolean {
  return to === '/' ? path.value === '/' || path.value.startsWith('/calls') : path.value.startsWith(to)
}

function Rail() {
  return (
    <nav class="rail" aria-label="Places">
      <a class="brand" href="/" aria-label="ozswitch, to the calls"><span aria-hidden="true">∿</span> <span class="brand-word">ozswitch</span></a>
      {places.map(p => (
        <a key={p.to} href={p.to} aria-current={isHere(p.to) ? 'page' : undefined}>
          <Icon name={p.icon} size={20} />
          <span>{p.word}</span>
          {p.to === '/' && liveCount.value > 0 && <span class="badge" title="calls that are up">{liveCount.value}</span>}
        </a>
      ))}
      <span class="grow" />
      <button type="button" class="rail-button keys-button" onClick={showKeys}><Icon name="keys" size={20} /><span>Keys</span></button>
      <button type="button" class="rail-button" onClick={() => signOut().catch(complain)} title={`signed in as ${session.value?.name ?? ''}`}>
        <Icon name="out" size={20} /><span>Sign out</span>
      </button>
    </nav>
  )
}

function page() {
  const p = path.value
  if (p === '/' || p === '/calls') return <CallsPage />
  const call = /^\/calls\/([^/]+)$/.exec(p)
  if (call) return <CallPage key={call[1]} id={decodeURIComponent(call[1]!)} />
  const script = /^\/scripts(?:\/(.+))?$/.exec(p)
  if (script) return <ScriptsPage name={decodeURIComponent(script[1] ?? '')} />
  if (p === '/numbers') return <NumbersPage />
  if (p === '/phone') return <PhonePage />
  return <Empty title="There is no such page"><p><a href="/">Back to the calls</a></p></Empty>
}

function Footer() {
  const s = status.value
  return (
    <footer class="foot">
      {s && <span class={s.ok ? 'good' : 'bad'}><Icon name={s.ok ? 'ok' : 'warn'} size={14} /> {s.sentence}</span>}
      <span>ozswitch {session.value?.version}</span>
    </footer>
  )
}

function Shell() {
  useEffect(() => {
    const stop = followCalls()
    const read = () => { api.status().then(s => { status.value = s }, () => { status.value = null }) }
    read()
    const timer = setInterval(read, 10_000)
    return () => {
      clearInterval(timer)
      stop()
    }
  }, [])
  useKeys(places.map(p => ({ keys: [p.key], does: `go to ${p.word}`, run: () => go(p.to) })), [])
  return (
    <div class="shell">
      <a class="skip" href="#main">Skip to the page</a>
      <Rail />
      {!connected.value && <div class="offline" role="status">No word from the switch: reconnecting …</div>}
      <main id="main" tabIndex={-1}>{page()}</main>
      <Footer />
      <PhoneDock />
      <Keys />
    </div>
  )
}

export function App() {
  useEffect(() => { void readSession() }, [])
  return (
    <>
      {session.value === undefined ? <Loading what="Looking who you are" /> : session.value ? <Shell /> : <Login />}
      <Toasts />
    </>
  )
}

