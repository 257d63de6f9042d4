// The phone as a pure machine: what JsSIP and the user do comes in as events,
// what the page says comes out. Nothing here touches the browser.

/** How the phone stands with the switch. */
export type Line = 'none' | 'connecting' | 'ready' | 'reconnecting' | 'refused'

/** Where a call is. `microphone`: the browser asks whether it may listen. */
export type Phase = 'microphone' | 'calling' | 'ringing' | 'incoming' | 'answering' | 'talking' | 'ended'

export interface Talk {
  incoming: boolean
  number: string
  name: string
  phase: Phase
  begun: number // ms since 1970, when it was answered; 0 before
  over: number // ms since 1970, when it ended; 0 before
  muted: boolean
  held: boolean // by us
  heldByThem: boolean
  listenOnly: string // why there is no microphone, "" when there is one
  mending: boolean // the sound is interrupted, its way is sought anew
  keys: string // that were pressed
  why: string // it ended, in words
}

export interface State {
  user: string
  line: Line
  why: string // the line is refused, in words
  talk: Talk | null
}

export type Happening =
  | { type: 'start'; user: string }
  | { type: 'connected' | 'registered' | 'stop' | 'muted' | 'unmuted' }
  | { type: 'disconnected' }
  | { type: 'refused'; why: string }
  | { type: 'call'; number: string }
  | { type: 'invited'; number: string; name: string }
  | { type: 'answer' }
  | { type: 'sent'; listenOnly: string }
  | { type: 'ringing' }
  | { type: 'accepted'; at: number }
  | { type: 'hold' | 'unhold'; ours: boolean }
  | { type: 'broken' | 'mended' }
  | { type: 'key'; key: string }
  | { type: 'over'; why: string; at: number }
  | { type: 'forget' }

export const initial: State = { user: '', line: 'none', why: '', talk: null }

function fresh(t: Partial<Talk>): Talk {
  return {
    incoming: false, number: '', name: '', phase: 'calling', begun: 0, over: 0, muted: false, held: false,
    heldByThem: false, listenOnly: '', mending: false, keys: '', why: '', ...t,
  }
}

/** Tells whether there is a call that has not ended. */
export function busy(s: State): boolean { return s.talk !== null && s.talk.phase !== 'ended' }

/** Gives the state after h; what cannot happen in s changes nothing. */
export function next(s: State, h: Happening): State {
  switch (h.type) {
    case 'start': return { ...initial, user: h.user, line: 'connecting' }
    case 'stop': return { ...s, line: 'none' }
    case 'connected': return s.line === 'ready' ? s : { ...s, line: s.line === 'reconnecting' ? 'reconnecting' : 'connecting' }
    case 'registered': return { ...s, line: 'ready', why: '' }
    case 'disconnected': return { ...s, line: s.line === 'connecting' ? 'connecting' : 'reconnecting' }
    case 'refused': return { ...s, line: 'refused', why: h.why }
    case 'call': return busy(s) ? s : { ...s, talk: fresh({ number: h.number, phase: 'microphone' }) }
    case 'invited': return busy(s) ? s : { ...s, talk: fresh({ incoming: true, number: h.number, name: h.name, phase: 'incoming' }) }
    case 'forget': return busy(s) ? s : { ...s, talk: null }
  }
  const t = s.talk
  if (!t || t.phase === 'ended') return s
  const change = (c: Partial<Talk>): State => ({ ...s, talk: { ...t, ...c } })
  switch (h.type) {
    case 'answer': return t.phase === 'incoming' ? change({ phase: 'answering' }) : s
    case 'sent': return change({ listenOnly: h.listenOnly, phase: t.phase === 'microphone' ? 'calling' : t.phase })
    case 'ringing': return t.phase === 'calling' ? change({ phase: 'ringing' }) : s
    case 'accepted': return t.phase === 'talking' ? s : change({ phase: 'talking', begun: h.at })
    case 'muted': return change({ muted: true })
    case 'unmuted': return change({ muted: false })
    case 'hold': return change(h.ours ? { held: true } : { heldByThem: true })
    case 'unhold': return change(h.ours ? { held: false } : { heldByThem: false })
    case 'broken': return change({ mending: true })
    case 'mended': return change({ mending: false })
    case 'key': return t.phase === 'talking' ? change({ keys: (t.keys + h.key).slice(-32) }) : s
    case 'over': return change({ phase: 'ended', why: h.why, over: h.at, mending: false })
  }
}

/** The line's state in words: "1001 ready". */
export function lineWords(s: State): string {
  switch (s.line) {
    case 'none': return 'no phone'
    case 'connecting': return `${s.user} connecting`
    case 'ready': return `${s.user} ready`
    case 'reconnecting': return `${s.user} reconnecting`
    case 'refused': return `${s.user} refused: ${s.why}`
  }
}

/** The call's state in words, as it is also read aloud; "" without a call. */
export function talkWords(s: State): string {
  const t = s.talk
  if (!t) return ''
  const who = t.name && t.name !== t.number ? `${t.name} (${t.number})` : t.number
  switch (t.phase) {
    case 'microphone': return 'waiting for the microphone'
    case 'calling': return `calling ${who}`
    case 'ringing': return `${who} is ringing`
    case 'incoming': return `${who} is calling you`
    case 'answering': return `answering ${who}`
    case 'ended': return `ended: ${t.why}`
    case 'talking':
      if (t.mending) return `connected with ${who}, the sound is interrupted`
      if (t.held) return `${who} is on hold`
      if (t.heldByThem) return `${who} has put you on hold`
      return `connected with ${who}${t.muted ? ', you are muted' : ''}`
  }
}

/** Seconds as a clock: 00:07, 1:02:03. */
export function clock(seconds: number): string {
  const n = Math.max(0, Math.floor(seconds))
  const two = (v: number) => String(v).padStart(2, '0')
  const tail = `${two(Math.floor(n / 60) % 60)}:${two(n % 60)}`
  return n < 3600 ? tail : `${Math.floor(n / 3600)}:${tail}`
}
