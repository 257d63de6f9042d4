// Sound in the browser: the microphone or silence in its place, meters, the
// loudspeaker, the ring.
import { level } from './quality.ts'
import { micWords } from './why.ts'

let context: AudioContext | undefined

// The one AudioContext. Once the page was clicked the browser lets it run.
function audio(): AudioContext {
  context ??= new AudioContext()
  if (context.state === 'suspended') void context.resume()
  return context
}

/** A Voice is what we send. listenOnly says why it is silence; "" else. */
export interface Voice { stream: MediaStream; listenOnly: string; close: () => void }

// A track that is never ended and always silent: packets flow, keys can be sent.
function silence(listenOnly: string): Voice {
  const to = audio().createMediaStreamDestination()
  const zero = audio().createConstantSource()
  zero.offset.value = 0
  zero.connect(to)
  zero.start()
  return {
    stream: to.stream,
    listenOnly,
    close: () => {
      zero.stop()
      stop(to.stream)
    },
  }
}

function stop(s: MediaStream) { for (const t of s.getTracks()) t.stop() }

/** Tells whether opening the microphone will ask the user. */
export async function willAsk(): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: 'microphone' as PermissionName })).state === 'prompt'
  } catch {
    return navigator.mediaDevices !== undefined // a browser that cannot say
  }
}

/**
 * Opens the microphone; without one, or when `skip` is fulfilled first, gives
 * silence, and never fails.
 */
export async function openVoice(device: string, skip: Promise<void>): Promise<Voice> {
  if (!navigator.mediaDevices?.getUserMedia) return silence(micWords('', window.isSecureContext))
  const open = (deviceId?: string) => navigator.mediaDevices.getUserMedia({ audio: deviceId ? { deviceId: { exact: deviceId } } : true })
  let skipped = false
  const asked = open(device).catch((e: Error) => {
    if (device && (e.name === 'OverconstrainedError' || e.name === 'NotFoundError')) return open() // it was unplugged
    throw e
  })
  asked.then(s => { if (skipped) stop(s) }, () => {})
  try {
    const stream = await Promise.race([asked, skip.then(() => {
      skipped = true
      throw Object.assign(new Error(), { name: 'Skipped' })
    })])
    return { stream, listenOnly: '', close: () => stop(stream) }
  } catch (e) {
    return silence(micWords((e as Error).name, window.isSecureContext))
  }
}

/** A Meter shows how loud a stream is at the moment. */
export class Meter {
  private readonly source: MediaStreamAudioSourceNode
  private readonly analyser: AnalyserNode
  private readonly wave: Float32Array<ArrayBuffer>

  constructor(stream: MediaStream) {
    this.source = audio().createMediaStreamSource(stream)
    this.analyser = audio().createAnalyser()
    this.analyser.fftSize = 1024
    this.wave = new Float32Array(this.analyser.fftSize)
    this.source.connect(this.analyser)
  }

  /** 0 silent to 1 full scale, on a scale of 60 dB. */
  level(): number {
    this.analyser.getFloatTimeDomainData(this.wave)
    return level(this.wave)
  }

  close() { this.source.disconnect() }
}

const speaker = typeof Audio === 'undefined' ? undefined : new Audio()

/** Lets a stream be heard; null ends it. */
export function hear(stream: MediaStream | null) {
  if (!speaker) return
  speaker.srcObject = stream
  if (stream) speaker.play().catch(() => { /* the next click plays it */ })
}

/** Tells whether the loudspeaker can be chosen in this browser. */
export const canChooseSpeaker = speaker !== undefined && 'setSinkId' in speaker

/** Chooses the loudspeaker, "" the usual one. */
export async function chooseSpeaker(device: string): Promise<void> {
  if (canChooseSpeaker) await speaker!.setSinkId(device)
}

export interface Device { id: string; label: string }

/** Lists the devices; before the microphone was allowed once they have no names. */
export async function devices(kind: 'audioinput' | 'audiooutput'): Promise<Device[]> {
  const all = await navigator.mediaDevices?.enumerateDevices() ?? []
  return all.filter(d => d.kind === kind && d.deviceId !== '' && d.deviceId !== 'default')
    .map((d, i) => ({ id: d.deviceId, label: d.label || `${kind === 'audioinput' ? 'microphone' : 'loudspeaker'} ${i + 1}` }))
}

/** Rings until the returned function is called; silent where the browser wants a click first. */
export function ring(): () => void {
  const gain = audio().createGain()
  gain.gain.value = 0
  gain.connect(audio().destination)
  const tones = [425, 480].map(hertz => {
    const o = audio().createOscillator()
    o.frequency.value = hertz
    o.connect(gain)
    o.start()
    return o
  })
  // One second of ringing, two of rest; each turn plans its own second.
  const turn = () => {
    const t = audio().currentTime
    gain.gain.setTargetAtTime(0.08, t, 0.02)
    gain.gain.setTargetAtTime(0, t + 1, 0.02)
  }
  turn()
  const timer = setInterval(turn, 3000)
  return () => {
    clearInterval(timer)
    for (const o of tones) o.stop()
    gain.disconnect()
  }
}
