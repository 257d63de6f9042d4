// The phone itself: JsSIP on one side, the machine of state.ts on the other. One
// for the page; it lives on while the user walks about in the console.
import { effect, signal } from '@preact/signals'
import type { UA } from 'jssip'
import { api } from '../api/client.ts'
import type { PhoneAccount } from '../api/types.ts'
import { liveCalls } from '../state/live.ts'
import { find } from './find.ts'
import { chooseSpeaker, hear, Meter, openVoice, ring, willAsk, type Voice } from './media.ts'
import { clean } from './number.ts'
import { judge, look, type Look, type Quality } from './quality.ts'
import { settings } from './settings.ts'
import { busy, initial, next, talkWords, type Happening, type State } from './state.ts'
import { endWords, refusedWords, type Ending } from './why.ts'

type RTCSession = ReturnType<UA['call']>

export const state = signal<State>(initial)
export const typed = signal('') // in the number field
export const asking = signal(false) // the browser shows its question for the microphone
export const quality = signal<Quality>({ word: '', detail: '' })
export const levels = { ours: signal(0), theirs: signal(0) }
export const callID = signal('') // of the call in /v1, once it is known
export const lastKey = signal({ key: '', n: 0 }) // that went out, n counts them

let ua: UA | undefined
let account: PhoneAccount | undefined
let session: RTCSession | undefined
let voice: Voice | undefined
let skipMicrophone = () => {}
let ended: (() => void)[] = [] // what to undo after the call

function happen(h: Happening) { state.value = next(state.value, h) }

/** Registers the user's phone; returns what ends it. */
export function start(a: PhoneAccount): () => void {
  account = a
  let over = false
  happen({ type: 'start', user: a.user })
  void import('jssip').then(lib => {
    if (over) return
    const JsSIP = lib.default
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${a.ws}`
    ua = new JsSIP.UA({
      sockets: new JsSIP.WebSocketInterface(url), uri: a.uri, password: a.password, display_name: a.name,
      register: true, session_timers: true, connection_recovery_min_interval: 1, connection_recovery_max_interval: 4,
    })
    listen(ua)
    ua.start()
  }, () => happen({ type: 'refused', why: 'the phone could not be loaded; load the page again' }))
  const restarted = () => restartICE()
  const leave = () => ua?.stop() // takes the registration back
  window.addEventListener('online', restarted)
  const back = (e: PageTransitionEvent) => { if (e.persisted) ua?.start() }
  window.addEventListener('pagehide', leave)
  window.addEventListener('pageshow', back)
  return () => {
    over = true
    window.removeEventListener('online', restarted)
    window.removeEventListener('pagehide', leave)
    window.removeEventListener('pageshow', back)
    hangup()
    ua?.stop()
    ua = undefined
    happen({ type: 'stop' })
  }
}

function listen(u: UA) {
  u.on('connected', () => happen({ type: 'connected' }))
  u.on('disconnected', () => happen({ type: 'disconnected' }))
  u.on('registered', () => {
    happen({ type: 'registered' })
    if (state.value.talk?.mending) restartICE()
  })
  u.on('registrationFailed', e => {
    if (!u.isConnected()) return // `disconnected` has said it
    const status = e.response?.status_code
    happen({ type: 'refused', why: refusedWords(String(e.cause), status, e.response?.reason_phrase) })
    // A wrong password does not get better; everything else may.
    if (![401, 403, 404, 407].includes(status ?? 0)) setTimeout(() => { if (ua === u && u.isConnected()) u.register() }, 10_000)
  })
  u.on('newRTCSession', (e: { originator: unknown; session: RTCSession }) => {
    if (String(e.originator) !== 'remote') return
    if (busy(state.value)) {
      e.session.terminate({ status_code: 486 })
      return
    }
    const who = e.session.remote_identity
    clear()
    happen({ type: 'invited', number: who.uri.user, name: who.display_name })
    followCall(e.session)
    ended.push(ring())
  })
}

/** Calls what was typed; says why not when that cannot be. */
export async function call(what: string): Promise<void> {
  if (!ua || !account || busy(state.value)) return
  const host = account.uri.replace(/^.*@/, '')
  const to = clean(what, host)
  if (!to) throw new Error(`"${what.trim()}" cannot be called; enter a number, a name or an address`)
  clear()
  happen({ type: 'call', number: to })
  if (!await openMicrophone('microphone')) return
  if (!ua?.isConnected()) {
    finish('the switch cannot be reached')
    return
  }
  happen({ type: 'sent', listenOnly: voice!.listenOnly })
  followID(account.user, to)
  const user = (s: string) => s.replace(/[^\w.+*!~'()-]/g, c => encodeURIComponent(c))
  const target = to.startsWith('sip:') ? to : `sip:${user(to)}@${host}`
  try {
    followCall(ua.call(target, { mediaStream: voice!.stream, pcConfig: { iceServers: [] } }))
  } catch (e) {
    finish((e as Error).message)
  }
}

/** Answers the call that rings. */
export async function answer(): Promise<void> {
  const s = session
  if (!s || state.value.talk?.phase !== 'incoming') return
  happen({ type: 'answer' })
  for (const undo of ended.splice(0)) undo() // the ring
  const number = state.value.talk.number
  if (!await openMicrophone('answering') || s !== session) return
  happen({ type: 'sent', listenOnly: voice!.listenOnly })
  followID(number, account?.user ?? '')
  s.answer({ mediaStream: voice!.stream, pcConfig: { iceServers: [] } })
}

/** Calls without the microphone that the browser is asking for. */
export function withoutMicrophone() { skipMicrophone() }

// openMicrophone gives false when the call was given up meanwhile.
async function openMicrophone(phase: 'microphone' | 'answering'): Promise<boolean> {
  // Told beside the opening, not before it: a call is to be fast.
  let open = true
  void willAsk().then(yes => { if (open) asking.value = yes })
  const got = await openVoice(settings.value.microphone, new Promise(done => { skipMicrophone = done }))
  open = false
  asking.value = false
  if (state.value.talk?.phase !== phase) {
    got.close()
    return false
  }
  voice = got
  return true
}

/** Ends the call in whatever state it is. */
export function hangup() {
  if (!busy(state.value)) return
  if (!session) finish('you gave up')
  else session.terminate(state.value.talk?.phase === 'incoming' ? { status_code: 486 } : {})
}

/** Presses a key in the call. */
export function press(key: string) {
  if (!session || state.value.talk?.phase !== 'talking') return
  const dtmf = session.connection.getSenders().find(s => s.dtmf)?.dtmf
  const inSound = settings.value.keysBy === 'auto' && dtmf?.canInsertDTMF === true
  session.sendDTMF(key, { duration: 100, interToneGap: 70, transportType: (inSound ? 'RFC2833' : 'INFO') as never })
  happen({ type: 'key', key })
  lastKey.value = { key, n: lastKey.value.n + 1 }
}

/** Mutes or unmutes the microphone. */
export function toggleMute() {
  if (state.value.talk?.muted) session?.unmute({ audio: true })
  else session?.mute({ audio: true })
}

/** Holds or takes back the call. */
export function toggleHold() {
  const ok = state.value.talk?.held ? session?.unhold() : session?.hold()
  if (ok === false) throw new Error('not now: the last change is still under way')
}

/** Takes another microphone, in the middle of a call too. */
export async function changeMicrophone(device: string): Promise<void> {
  if (!session || !voice) return
  const got = await openVoice(device, new Promise(() => {}))
  const sender = session.connection.getSenders().find(s => s.track?.kind === 'audio')
  const track = got.stream.getAudioTracks()[0]
  if (!sender || !track) return
  track.enabled = sender.track?.enabled ?? true
  await sender.replaceTrack(track)
  voice.close()
  voice = got
  meter(got.stream, levels.ours)
  happen({ type: 'sent', listenOnly: got.listenOnly })
}

function followCall(s: RTCSession) {
  session = s
  const mine = (f: () => void) => () => { if (session === s) f() }
  if (s.connection) followMedia(s.connection)
  s.on('peerconnection', e => followMedia(e.peerconnection))
  // Host candidates are all there are: the first one that packets can use will do.
  s.on('icecandidate', e => { if (/ udp .* typ host/i.test(e.candidate.candidate)) e.ready() })
  s.on('progress', mine(() => happen({ type: 'ringing' })))
  s.on('accepted', mine(() => {
    happen({ type: 'accepted', at: Date.now() })
    if (voice) meter(voice.stream, levels.ours)
    if (!callID.value) void lookForID()
  }))
  s.on('muted', mine(() => happen({ type: 'muted' })))
  s.on('unmuted', mine(() => happen({ type: 'unmuted' })))
  s.on('hold', e => happen({ type: 'hold', ours: String(e.originator) === 'local' }))
  s.on('unhold', e => happen({ type: 'unhold', ours: String(e.originator) === 'local' }))
  // Why the browser did not take or make a description.
  let fault = ''
  const because = (e: unknown) => { fault = e instanceof Error ? e.message : String(e) }
  s.on('peerconnection:createofferfailed', because)
  s.on('peerconnection:createanswerfailed', because)
  s.on('peerconnection:setlocaldescriptionfailed', because)
  s.on('peerconnection:setremotedescriptionfailed', because)
  const over = (e: { cause: string; originator: unknown; message: unknown }) => {
    // What JsSIP hands over is a response, a request (BYE) or nothing.
    const m = e.message as { status_code?: number; reason_phrase?: string; getHeader?: (n: string) => string | undefined } | null
    const why = endWords({
      cause: e.cause, originator: String(e.originator) as Ending['originator'], incoming: String(s.direction) === 'incoming',
      status: m?.status_code, phrase: m?.reason_phrase, reason: m?.getHeader?.('Reason'), warning: m?.getHeader?.('Warning'),
    })
    queueMicrotask(() => { if (session === s) finish(why + (fault && `: ${fault}`)) }) // the fault is told after `failed`
  }
  s.on('ended', over)
  s.on('failed', over)
}

function followMedia(pc: RTCPeerConnection) {
  pc.addEventListener('track', e => {
    const stream = e.streams[0] ?? new MediaStream([e.track])
    hear(stream)
    chooseSpeaker(settings.value.speaker).catch(() => { /* it was unplugged: the usual one */ })
    meter(stream, levels.theirs)
  })
  let patience: ReturnType<typeof setTimeout> | undefined
  pc.addEventListener('iceconnectionstatechange', () => {
    clearTimeout(patience)
    switch (pc.iceConnectionState) {
      case 'connected':
      case 'completed':
        happen({ type: 'mended' })
        break
      case 'disconnected': // often heals by itself
        happen({ type: 'broken' })
        patience = setTimeout(restartICE, 3000)
        break
      case 'failed':
        happen({ type: 'broken' })
        restartICE()
    }
  })
  let before: Look | undefined
  const timer = setInterval(() => {
    void pc.getStats().then(stats => {
      const list: Parameters<typeof look>[0] = [...(stats as unknown as Map<string, never>).values()]
      const l = look(list, performance.now())
      const t = state.value.talk
      if (before && t?.phase === 'talking') quality.value = judge(before, l, t.held || t.heldByThem)
      before = l
    }, () => { /* closed meanwhile */ })
  }, 1000)
  ended.push(() => {
    clearInterval(timer)
    clearTimeout(patience)
  })
}

let lastRestart = 0

// restartICE looks for a new way of the sound, when the network has changed.
function restartICE() {
  const now = performance.now()
  if (!session?.isEstablished() || !ua?.isConnected() || now - lastRestart < 2000) return
  lastRestart = now
  session.renegotiate({ rtcOfferConstraints: { iceRestart: true } })
}

const meters = new Map<unknown, () => void>()

function meter(stream: MediaStream, to: { value: number }) {
  meters.get(to)?.()
  const m = new Meter(stream)
  const timer = setInterval(() => { to.value = m.level() }, 60)
  const stop = () => {
    clearInterval(timer)
    m.close()
    to.value = 0
    meters.delete(to)
  }
  meters.set(to, stop)
}

// followID waits until the switch shows the call that is about to begin.
function followID(from: string, to: string) {
  const known = new Set(liveCalls.value.map(c => c.id))
  if (to === account?.user) known.clear() // a call that rings here is there already
  lookForID = async () => {
    const list = await api.calls(new URLSearchParams({ rows: '1' })).catch(() => null)
    if (list && !callID.value && busy(state.value)) callID.value = find(list.live, from, to, known)
  }
  ended.push(effect(() => {
    const id = find(liveCalls.value, from, to, known)
    if (id && !callID.peek()) callID.value = id
  }))
}
let lookForID = async () => {}

function finish(why: string) {
  happen({ type: 'over', why, at: Date.now() })
  session = undefined
  for (const undo of ended.splice(0)) undo()
  for (const stop of [...meters.values()]) stop()
  hear(null)
  voice?.close()
  voice = undefined
  asking.value = false
  quality.value = { word: '', detail: '' }
}

// clear takes the last call away, before the next.
function clear() {
  happen({ type: 'forget' })
  callID.value = ''
}

// The window's title tells of a call that rings, also in another tab.
let titleBefore = ''
effect(() => {
  if (typeof document === 'undefined') return
  if (state.value.talk?.phase === 'incoming') {
    titleBefore ||= document.title
    document.title = `☎ ${talkWords(state.value)}`
  } else if (titleBefore) {
    if (document.title.startsWith('☎')) document.title = titleBefore
    titleBefore = ''
  }
})
