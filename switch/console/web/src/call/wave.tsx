// Both directions of the sound, and under them the commands, on the call's axis.
import { useEffect, useRef, useState } from 'preact/hooks'
import WaveSurfer from 'wavesurfer.js'
import { api } from '../api/client.ts'
import { Button } from '../ui/base.tsx'
import { cspNonce } from '../ui/csp.ts'
import { clock, marks, type Span } from './axis.ts'
import type { CallState } from './state.ts'

const laneHeight = 56

/** Makes the waveform anew when the theme changes: it draws in fixed colours. */
function colours(el: Element) {
  const v = (name: string) => getComputedStyle(el).getPropertyValue(name).trim()
  return { splitChannels: [{ waveColor: v('--out'), progressColor: v('--out') }, { waveColor: v('--in'), progressColor: v('--in') }] }
}

const rates = [1, 1.5, 2, 0.5]

export function Wave({ s }: { s: CallState }) {
  const host = useRef<HTMLDivElement>(null)
  const track = useRef<HTMLDivElement>(null)
  const ws = useRef<WaveSurfer | null>(null)
  const [rate, setRate] = useState(1)
  const peaks = s.peaks.value
  const has = peaks !== null
  const over = s.over.value
  const L = s.length.value
  const pct = (t: number) => `${(100 * t / L).toFixed(4)}%`

  useEffect(() => {
    if (!has || !host.current) return
    const w = WaveSurfer.create({
      container: host.current, height: laneHeight, interact: false, cursorWidth: 0, hideScrollbar: true, normalize: false, barHeight: 1.6,
      cspNonce, peaks: [s.peaks.peek()!.out, s.peaks.peek()!.in], duration: s.peaks.peek()!.seconds,
      ...(s.over.peek() ? { url: api.file(s.id, 'sound.wav') } : {}), ...colours(host.current),
    })
    ws.current = w
    w.on('timeupdate', t => { if (s.playing.peek()) s.cursor.value = t + s.soundFrom.peek() })
    w.on('play', () => { s.playing.value = true })
    w.on('pause', () => { s.playing.value = false })
    w.on('finish', () => { s.playing.value = false })
    w.on('error', err => console.error('the sound cannot be played', err))
    s.seekSound = t => w.setTime(Math.max(0, Math.min(t, s.peaks.peek()?.seconds ?? 0)))
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const repaint = () => { if (host.current) w.setOptions(colours(host.current)) }
    dark.addEventListener('change', repaint)
    return () => {
      dark.removeEventListener('change', repaint)
      s.seekSound = () => {}
      s.playing.value = false
      w.destroy()
      ws.current = null
    }
  }, [has, over]) // afterwards there is sound to play, so it is made once more
  useEffect(() => {
    // Not setOptions: it takes new peaks and goes on drawing the old ones. What can
    // be played is whole, and was given when the player was made.
    if (ws.current && peaks && !s.over.peek()) ws.current.load('', [peaks.out, peaks.in], peaks.seconds).catch(() => { /* a newer one came */ })
  }, [peaks])

  s.togglePlay = () => {
    const w = ws.current
    if (!w || !s.over.value) return
    const p = s.peaks.peek()!
    if (!w.isPlaying() && (s.cursor.peek() === null || s.here.peek() >= s.soundFrom.peek() + p.seconds - 0.05)) s.move(s.soundFrom.peek())
    void w.playPause()
  }

  const point = (ev: PointerEvent) => {
    const box = track.current!.getBoundingClientRect()
    s.move(L * Math.min(1, Math.max(0, (ev.clientX - box.left) / box.width)))
  }
  const commands = s.spans.value.filter(x => x.kind === 'command' && (x.to ?? L) - x.from > 0.03)
  const depths = [...new Set(commands.map(x => x.depth))].sort((a, b) => a - b)
  const recordings = s.spans.value.filter(x => x.kind === 'recording')
  const bar = (x: Span, i: number) => (
    <button key={i} type="button" class={`bar ${x.kind} ${x === s.lit.value ? 'lit' : ''} ${x.failed ? 'failed' : ''}`} tabIndex={-1} {...s.pointed(x.from)}
      style={{ left: pct(x.from), width: pct(Math.max((x.to ?? L) - x.from, 0)) }}
      title={`${x.line}:${x.col} ${x.name} ${x.text}`} onClick={ev => { ev.stopPropagation(); s.move(x.from); s.goTo(x) }}>
      {x.kind === 'recording' ? '● recorded' : `${x.line}:${x.col} ${x.name}`}
    </button>
  )

  return (
    <section class="wave" aria-label="Sound and commands">
      <div class="wave-side" aria-hidden="true">
        <span class="lane-name out">what we say</span>
        <span class="lane-name in">the caller</span>
      </div>
      <div class="track" ref={track}
        onPointerDown={ev => { if (ev.button === 0 && !(ev.target as Element).closest('.bar')) { track.current!.setPointerCapture(ev.pointerId); point(ev) } }}
        onPointerMove={ev => { if (track.current!.hasPointerCapture(ev.pointerId)) point(ev) }}>
        <div class="lanes" role="slider" tabIndex={0} aria-label="moment of the call" aria-valuemin={0} aria-valuemax={Math.round(L * 100) / 100}
          aria-valuenow={Math.round(s.here.value * 100) / 100} aria-valuetext={`${clock(s.here.value)} of ${clock(L)} seconds`}>
          {has ? <div class="sound" ref={host} style={{ left: pct(s.soundFrom.value), width: pct(peaks!.seconds) }} />
            : <p class="soft pad">{over ? 'No sound was kept of this call.' : 'Waiting for sound.'}</p>}
        </div>
        {depths.map(d => <div key={d} class="strip">{commands.filter(x => x.depth === d).map(bar)}</div>)}
        {recordings.length > 0 && <div class="strip">{recordings.map(bar)}</div>}
        <div class="scale" aria-hidden="true">{marks(L, 8).map(t => <span key={t} style={{ left: pct(t) }}>{clock(t, t % 1 ? 1 : 0)}</span>)}</div>
        {s.events.value.map((e, i) => e.type === 'key' && <span key={e.seq} class="key-mark" style={{ left: `clamp(.6rem, ${pct(s.times.value[i]!)}, 100% - .6rem)` }} title={`key ${e.key ?? ''}`}>{e.key || '•'}</span>)}
        <div class="cursor" style={{ left: pct(s.here.value) }} />
      </div>
      <div class="wave-controls row">
        <Button icon={s.playing.value ? 'pause' : 'play'} disabled={!has || !over} aria-label={s.playing.value ? 'pause' : 'play'}
          title={over ? 'play (space)' : 'can be played when the call is over'} onClick={() => s.togglePlay()} />
        <span class="mono">{clock(s.here.value, 1)} / {clock(L, 1)}</span>
        <Button disabled={!has || !over} title="speed" onClick={() => {
          const next = rates[(rates.indexOf(rate) + 1) % rates.length]!
          ws.current?.setPlaybackRate(next)
          setRate(next)
        }}>×{rate}</Button>
        {s.cursor.value !== null && !over && <Button onClick={() => s.move(null)}>Back to now</Button>}
      </div>
    </section>
  )
}
