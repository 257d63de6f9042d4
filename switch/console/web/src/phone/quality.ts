// How good the sound is, from two looks at RTCPeerConnection.getStats().

/** What matters of one look. Counts are since the call began. */
export interface Look {
  at: number // ms
  received: number // packets
  lost: number // packets
  jitter: number // s
  roundTrip: number // s, 0 unknown
  codec: string
}

export interface Quality { word: '' | 'good' | 'some loss' | 'bad'; detail: string }

interface Stat {
  type: string; kind?: string; packetsReceived?: number; packetsLost?: number; jitter?: number; codecId?: string
  mimeType?: string; id?: string; nominated?: boolean; state?: string; currentRoundTripTime?: number; timestamp?: number
}

/** Reads a look from the records of getStats. */
export function look(stats: Iterable<Stat>, at: number): Look {
  const all = [...stats]
  const l: Look = { at, received: 0, lost: 0, jitter: 0, roundTrip: 0, codec: '' }
  const sound = all.find(s => s.type === 'inbound-rtp' && s.kind === 'audio')
  if (sound) {
    l.received = sound.packetsReceived ?? 0
    l.lost = Math.max(0, sound.packetsLost ?? 0) // duplicates make it negative
    l.jitter = sound.jitter ?? 0
    l.codec = all.find(s => s.id === sound.codecId)?.mimeType?.replace(/^audio\//i, '') ?? ''
  }
  l.roundTrip = all.find(s => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded')?.currentRoundTripTime ?? 0
  return l
}

/** Judges the time between two looks; silent: no sound is due, as on hold. */
export function judge(a: Look, b: Look, silent: boolean): Quality {
  const got = b.received - a.received
  const lost = Math.max(0, b.lost - a.lost)
  const ms = (s: number) => `${Math.round(s * 1000)} ms`
  const share = got + lost > 0 ? lost / (got + lost) : 0
  const detail = [
    `${b.lost} of ${b.received + b.lost} packets lost`,
    `${(share * 100).toFixed(1)} % just now`,
    `jitter ${ms(b.jitter)}`,
    b.roundTrip > 0 ? `round trip ${ms(b.roundTrip)}` : '',
    b.codec,
  ].filter(Boolean).join(', ')
  if (silent) return { word: '', detail }
  if (got === 0 && b.at - a.at >= 900) return { word: 'bad', detail: `no packets come; ${detail}` }
  if (share >= 0.05 || b.jitter >= 0.1) return { word: 'bad', detail }
  if (share >= 0.005 || b.jitter >= 0.04) return { word: 'some loss', detail }
  return { word: 'good', detail }
}

/** A level meter's position, 0 to 1, of samples from -1 to 1: 60 dB wide. */
export function level(samples: Float32Array): number {
  let sum = 0
  for (const v of samples) sum += v * v
  const rms = Math.sqrt(sum / Math.max(1, samples.length))
  if (rms <= 0.001) return 0
  return Math.min(1, (20 * Math.log10(rms) + 60) / 60)
}
