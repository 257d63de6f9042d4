// The parts that the dock and the phone's page are made of.
import { useComputed } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { path } from '../router.ts'
import { now } from '../state/live.ts'
import { Button, complain } from '../ui/base.tsx'
import { pad } from './keys.ts'
import * as phone from './phone.ts'
import { clean } from './number.ts'
import { clock, lineWords, talkWords, type Line } from './state.ts'

const letters: Record<string, string> = { 2: 'ABC', 3: 'DEF', 4: 'GHI', 5: 'JKL', 6: 'MNO', 7: 'PQRS', 8: 'TUV', 9: 'WXYZ' }
const names: Record<string, string> = { '*': 'star', '#': 'hash' }
const dots: Record<Line, string> = { none: '', connecting: 'waiting', ready: 'ready', reconnecting: 'waiting', refused: 'refused' }

/** Calls what stands in the number field, or what is given. */
export function dial(number = phone.typed.value) { phone.call(number).catch(complain) }

// A double click on Call must not hang up what stands in its place.
function hangUp(e: MouseEvent) { if (e.detail < 2) phone.hangup() }

/** A dot and words: how the phone stands with the switch. */
export function LineState() {
  return (
    <span class="phone-line">
      <span class={`phone-dot ${dots[phone.state.value.line]}`} aria-hidden="true" />
      <span role="status">{lineWords(phone.state.value)}</span>
    </span>
  )
}

/** The number field with its Call button. */
export function NumberField() {
  const number = phone.typed.value.trim()
  const shown = clean(number) || number
  const ready = phone.state.value.line === 'ready'
  return (
    <form class="phone-number" onSubmit={e => {
      e.preventDefault()
      dial()
    }}>
      <input type="text" inputMode="tel" autocomplete="off" spellcheck={false} aria-label="Number or name to call" placeholder="number or name"
        value={phone.typed.value} onInput={e => { phone.typed.value = e.currentTarget.value }} />
      <Button kind="primary" type="submit" icon="phone" class="phone-call" disabled={!number || !ready}
        title={ready ? undefined : lineWords(phone.state.value)}>
        {shown && shown.length <= 12 ? `Call ${shown}` : 'Call'}
      </Button>
    </form>
  )
}

/** Twelve keys: in a call they are pressed, else they enter the number. */
export function Keypad() {
  const inCall = phone.state.value.talk?.phase === 'talking'
  const ref = useRef<HTMLDivElement>(null)
  const { key, n } = phone.lastKey.value
  const before = useRef(n)
  useEffect(() => { // a key that went out is seen, wherever it was pressed
    if (n === before.current) return
    const b = ref.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)
    b?.classList.add('pressed')
    const timer = setTimeout(() => b?.classList.remove('pressed'), 180)
    return () => {
      clearTimeout(timer)
      b?.classList.remove('pressed')
    }
  }, [n])
  return (
    <div class="phone-pad" role="group" aria-label={inCall ? 'Keys of the call' : 'Keys'} ref={ref}>
      {pad.map(k => (
        <button type="button" key={k} data-key={k} aria-label={names[k]}
          onClick={() => {
            if (inCall) phone.press(k)
            else phone.typed.value += k
          }}>
          <b>{k}</b>{' '}<small>{letters[k] ?? ''}</small>
        </button>
      ))}
    </div>
  )
}

function Level({ label, of }: { label: string; of: { value: number } }) {
  const value = useComputed(() => of.value)
  return <label class="phone-level"><span>{label}</span><meter min={0} max={1} value={value} /></label>
}

/** How loud both sides are, and how good the sound is. */
export function Sound() {
  const t = phone.state.value.talk!
  const q = phone.quality.value
  return (
    <div class="phone-sound">
      <Level label={t.listenOnly ? 'no microphone' : t.muted ? 'you (muted)' : 'you'} of={phone.levels.ours} />
      <Level label="other side" of={phone.levels.theirs} />
      <span class={`phone-quality ${q.word === 'bad' ? 'bad' : q.word === 'good' ? 'good' : ''}`} title={q.detail} tabIndex={q.word ? 0 : -1}
        aria-label={q.word ? `Sound: ${q.word}. ${q.detail}` : undefined}>{q.word ? `Sound: ${q.word}` : ''}</span>
    </div>
  )
}

/** How long the call has lasted; not read aloud. */
function Timer() {
  const t = phone.state.value.talk!
  if (!t.begun) return null
  return <span class="phone-timer" role="timer" aria-live="off">{clock(((t.over || now.value) - t.begun) / 1000)}</span>
}

/** The call that is up or has just ended, with what can be done to it. */
export function TalkCard({ keypad }: { keypad: boolean }) {
  const t = phone.state.value.talk
  if (!t) return null
  const id = phone.callID.value
  const call = `/calls/${encodeURIComponent(id)}`
  const doing = (f: () => void) => () => {
    try {
      f()
    } catch (e) {
      complain(e)
    }
  }
  return (
    <div class={`phone-talk ${t.phase}`}>
      <div class="row">
        <span class="grow phone-words">{talkWords(phone.state.value)}</span>
        <Timer />
      </div>
      {t.phase === 'microphone' && phone.asking.value && (
        <p class="hint">The browser asks for your microphone, so that the other side can hear you. If you refuse, you can still
          listen and press keys. <button type="button" class="link" onClick={phone.withoutMicrophone}>Call without it</button></p>
      )}
      {t.listenOnly && t.phase !== 'ended' && <p class="hint">You only listen: {t.listenOnly}. Keys work.</p>}
      {t.keys && <p class="phone-keys" aria-label={`keys pressed: ${[...t.keys].join(' ')}`}>{t.keys}</p>}
      {t.phase === 'talking' && <Sound />}
      {t.phase === 'talking' && keypad && <Keypad />}
      <div class="row phone-actions">
        {t.phase === 'incoming' && <Button kind="primary" icon="phone" onClick={() => { phone.answer().catch(complain) }}>Answer</Button>}
        {t.phase === 'incoming' && <Button kind="danger" icon="hangup" onClick={phone.hangup}>Decline</Button>}
        {t.phase === 'talking' && (
          <>
            <Button icon={t.muted ? 'mute' : 'mic'} aria-pressed={t.muted} disabled={t.listenOnly !== ''} onClick={phone.toggleMute}>Mute</Button>
            <Button icon="hold" aria-pressed={t.held} onClick={doing(phone.toggleHold)}>Hold</Button>
          </>
        )}
        {t.phase !== 'ended' && t.phase !== 'incoming' && <Button kind="danger" icon="hangup" onClick={hangUp}>Hang up</Button>}
        {id && path.value !== call && <a href={call}>{t.phase === 'ended' ? 'See the call' : 'Watch the call'}</a>}
      </div>
    </div>
  )
}
