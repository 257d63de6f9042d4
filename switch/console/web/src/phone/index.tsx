// The browser phone. The dock is on every page while somebody is signed in, and
// is never taken off it, so that a call goes on while the user walks about.
import { useEffect, useState } from 'preact/hooks'
import { api } from '../api/client.ts'
import type { PastCall } from '../api/types.ts'
import { go, path } from '../router.ts'
import { unsaved } from '../scripts/unsaved.ts'
import { callsChanged } from '../state/live.ts'
import { session } from '../state/session.ts'
import { complain, Empty } from '../ui/base.tsx'
import { Icon } from '../ui/icon.tsx'
import { useKeys } from '../ui/keys.tsx'
import { taken } from './keys.ts'
import { lastCalls } from './last.ts'
import { Options, OptionsDialog } from './options.tsx'
import { dial, Keypad, LineState, NumberField, TalkCard } from './parts.tsx'
import * as phone from './phone.ts'
import { choose, settings } from './settings.ts'
import { busy, clock, talkWords } from './state.ts'

// useThePhone registers it while its user is signed in, and takes its keys.
function useThePhone() {
  const account = session.value?.phone ?? null
  useEffect(() => {
    if (!account) return
    phone.typed.value ||= session.peek()?.script_number || session.peek()?.default_number || ''
    return phone.start(account)
  }, [account?.uri, account?.password])

  const phase = phone.state.value.talk?.phase ?? ''
  const number = phone.typed.value !== ''
  useKeys(account ? taken(phase, number).map(t => ({
    keys: t.keys,
    does: t.does,
    run: ev => {
      if (ev.repeat && t.run !== 'erase') return // a key that is held down is pressed once
      switch (t.run) {
        case 'digit': phone.typed.value += ev.key; break
        case 'erase': phone.typed.value = phone.typed.value.slice(0, -1); break
        case 'press': phone.press(ev.key); break
        case 'call': dial(); break
        case 'answer': phone.answer().catch(complain); break
        case 'hangup': phone.hangup(); break
      }
    },
  })) : [], [account !== null, phase, number])

  // The running line is to be seen while the voice is heard. A text that is not
  // saved, and the phone's own page, are not left for it: they show a link.
  const id = phone.callID.value
  useEffect(() => {
    const t = phone.state.peek().talk
    if (id && t && !t.incoming && !unsaved.peek() && path.peek() !== '/phone') go(`/calls/${encodeURIComponent(id)}`)
  }, [id])

  const up = busy(phone.state.value)
  useEffect(() => {
    if (!up) return
    const ask = (e: BeforeUnloadEvent) => e.preventDefault() // "a call is up"
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [up])
  return account
}

/** The small phone at the bottom right of every page. */
export function PhoneDock() {
  const account = useThePhone()
  const [keypad, setKeypad] = useState(false)
  const [options, setOptions] = useState(false)
  const ended = phone.state.value.talk?.phase === 'ended'
  useEffect(() => { if (ended) setKeypad(false) }, [ended]) // it lies over the page
  if (!account || path.value === '/phone') return null
  const talk = phone.state.value.talk
  const folded = settings.value.folded && !busy(phone.state.value)
  return (
    <aside class={`dock ${folded ? 'folded' : ''}`} aria-label="Phone">
      <header>
        <LineState />
        <span class="grow" />
        {!folded && <button type="button" class="bare" aria-label="keypad" aria-expanded={keypad} title="Keypad" onClick={() => setKeypad(!keypad)}><Icon name="keys" /></button>}
        {!folded && <button type="button" class="bare" aria-label="phone settings" title="Settings" onClick={() => setOptions(true)}><Icon name="gear" /></button>}
        <button type="button" class="bare" aria-label={folded ? 'open the phone' : 'fold the phone'} aria-expanded={!folded} title={folded ? 'Open' : 'Fold'}
          onClick={() => choose({ folded: !folded })}><Icon name={folded ? 'up' : 'down'} /></button>
      </header>
      <p class="visually-hidden" role="status">{talkWords(phone.state.value)}</p>
      {!folded && talk && <TalkCard keypad={keypad} />}
      {!folded && !busy(phone.state.value) && <NumberField />}
      {!folded && !busy(phone.state.value) && keypad && <Keypad />}
      <OptionsDialog open={options} onClose={() => setOptions(false)} />
    </aside>
  )
}

/** The phone as a page of its own, at /phone. */
export function PhonePage() {
  const account = session.value?.phone
  if (!account) {
    return (
      <Empty title="You have no phone yet">
        <p>Add <code>phone: "1001"</code> to your user in the configuration, with the number of an extension of type
          phone, and sign in again.</p>
      </Empty>
    )
  }
  const up = busy(phone.state.value)
  return (
    <div class="phone-page">
      <h1>Phone</h1>
      <section class="card phone-big" aria-label="Phone">
        <LineState />
        <p class="visually-hidden" role="status">{talkWords(phone.state.value)}</p>
        <TalkCard keypad={false} />
        {!up && <NumberField />}
        <Keypad />
      </section>
      <LastCalls user={account.user} />
      <section class="card" aria-label="Phone settings">
        <h2>Settings</h2>
        <Options />
      </section>
    </div>
  )
}

function LastCalls({ user }: { user: string }) {
  const [past, setPast] = useState<PastCall[] | null>(null)
  useEffect(() => {
    api.calls(new URLSearchParams({ rows: '50' })).then(l => setPast(l.past ?? []), () => setPast([]))
  }, [callsChanged.value])
  const list = lastCalls(past ?? [], user)
  return (
    <section class="card" aria-label="Last calls">
      <h2>Last calls</h2>
      {past && list.length === 0 && <p class="hint">None yet.</p>}
      <ul class="phone-last">
        {list.map(c => (
          <li key={c.id}>
            <span aria-label={c.incoming ? 'from' : 'to'} title={c.incoming ? 'they called' : 'you called'}>{c.incoming ? '←' : '→'}</span>
            <a class="grow" href={`/calls/${encodeURIComponent(c.id)}`}>{c.name && c.name !== c.number ? `${c.name} (${c.number})` : c.number}</a>
            <span class="soft">{c.answered ? clock(c.seconds) : 'not answered'} · {c.when}</span>
            <button type="button" class="bare" aria-label={`call ${c.number}`} title={`Call ${c.number}`} disabled={busy(phone.state.value)} onClick={() => dial(c.number)}><Icon name="phone" /></button>
          </li>
        ))}
      </ul>
    </section>
  )
}
