// All that the page of one call shows, live or afterwards, and its one cursor.
import { batch, computed, effect, signal } from '@preact/signals'
import { api } from '../api/client.ts'
import { follow } from '../api/sse.ts'
import type { Call, Event, Peaks, Source } from '../api/types.ts'
import { at, indexAt, instant, origin, running, spans } from './axis.ts'
import { ladder } from './ladder.ts'
import { fault } from './words.ts'

/** The state of one call's page. start begins, the function it gives ends. */
export class CallState {
  readonly id: string
  readonly call = signal<Call | null>(null)
  readonly trouble = signal('')
  readonly events = signal<Event[]>([])
  readonly peaks = signal<Peaks | null>(null)
  readonly documents = signal<Map<string, Source>>(new Map())
  readonly up = signal(true) // events arrive, or are not needed
  readonly over = signal(false) // the call has ended

  /** Seconds on the axis that were asked for; null: the end of what there is. */
  readonly cursor = signal<number | null>(null)
  /** Seconds of what the mouse is over; it shows for the moment what the cursor would. */
  readonly hover = signal<number | null>(null)
  readonly moment = computed(() => this.hover.value ?? this.cursor.value)
  readonly playing = signal(false)
  readonly tick = signal(Date.now())

  readonly zero = computed(() => origin(this.events.value))
  readonly spans = computed(() => spans(this.events.value, this.zero.value))
  readonly times = computed(() => this.events.value.map(e => at(e, this.zero.value)))
  readonly ladder = computed(() => ladder(this.events.value, this.zero.value))
  readonly fault = computed(() => fault(this.events.value))

  /** Where the sound begins on the axis, in seconds. */
  readonly soundFrom = computed(() => {
    const p = this.peaks.value
    return p && this.zero.value ? Math.max(0, (instant(p.start) - this.zero.value) / 1000) : 0
  })

  /** How long the axis is. */
  readonly length = computed(() => {
    const last = this.times.value[this.times.value.length - 1] ?? 0
    const sound = this.soundFrom.value + (this.peaks.value?.seconds ?? 0)
    const now = this.over.value || !this.zero.value ? 0 : (this.tick.value - this.zero.value) / 1000
    return Math.max(1, last, sound, now)
  })

  /** Where the cursor stands. */
  readonly here = computed(() => Math.min(this.moment.value ?? this.length.value, this.length.value))

  /** What runs there. While the call is live and nobody looks back, whatever has not ended. */
  readonly lit = computed(() => {
    if (this.moment.value === null) return this.over.value ? null : running(this.spans.value, Infinity)
    return running(this.spans.value, this.moment.value)
  })

  /** Index of the event at the cursor, -1 before the first. */
  readonly current = computed(() => this.moment.value === null
    ? (this.over.value ? -1 : this.events.value.length - 1) : indexAt(this.times.value, this.here.value))

  /** Moves the sound as well; the waveform sets it. */
  seekSound: (seconds: number) => void = () => {}

  /** Plays or stops; the waveform sets it. */
  togglePlay: () => void = () => {}

  /** A place of a script that was asked for. */
  readonly jump = signal<{ doc: string; line: number } | null>(null)

  /** Shows the place of something in its script, in the tab that is seen on small screens. */
  goTo(x: { doc?: string; line?: number }) {
    if (!x.line) return
    this.jump.value = { doc: x.doc ?? '', line: x.line }
    this.pane.value = 'source'
  }

  /** Which pane a small screen shows. */
  readonly pane = signal<'source' | 'happened' | 'exchanges'>('happened')

  private readonly wanted = new Set<string>()
  private pending: Event[] = []
  private seen = 0
  private gone = false // the page was left

  constructor(id: string) { this.id = id }

  /** Moves the cursor; null follows the call again. */
  move(seconds: number | null) {
    this.cursor.value = seconds === null ? null : Math.max(0, Math.min(seconds, this.length.value))
    if (seconds !== null) this.seekSound(seconds - this.soundFrom.value)
  }

  /** What makes an element show its moment while the mouse is over it. */
  pointed(seconds: number) {
    return {
      // A page that opens or moves under a mouse at rest is not pointed at.
      onPointerMove: (ev: PointerEvent) => { if (ev.pointerType === 'mouse' && (ev.movementX || ev.movementY)) this.hover.value = seconds },
      onPointerLeave: () => { this.hover.value = null },
    }
  }

  /** Reads what the call is; afterwards its whole log, live its stream. */
  start(): () => void {
    const stops: (() => void)[] = []
    const read = async () => {
      try {
        const c = await api.call(this.id)
        if (this.gone) return
        this.call.value = c
        this.over.value = !c.live
        if (c.live) {
          stops.push(this.listen())
          const clock = setInterval(() => { this.tick.value = Date.now() }, 250)
          const sound = setInterval(() => { if (!this.over.value) void this.readPeaks() }, 1000)
          stops.push(() => clearInterval(clock), () => clearInterval(sound))
        } else {
          this.take(await api.log(this.id))
        }
        void this.readPeaks()
      } catch (err) {
        if (!this.gone) this.trouble.value = (err as Error).message
      }
    }
    stops.push(effect(() => this.wantDocuments()))
    void read()
    return () => {
      this.gone = true
      for (const s of stops) s()
    }
  }

  private listen(): () => void {
    return follow(`/v1/calls/${encodeURIComponent(this.id)}/events`, {
      event: e => {
        // All events of one piece of the stream are shown at once.
        if (this.pending.push(e) === 1) queueMicrotask(() => this.take(this.pending.splice(0)))
      },
      connected: up => { this.up.value = up || this.over.value },
      returned: () => void this.readAgain(),
      ended: why => {
        if (why) this.trouble.value = why.message
        void this.finish()
      },
    })
  }

  private take(list: Event[]) {
    const fresh = list.filter(e => e.seq > this.seen || e.seq === 0)
    if (fresh.length === 0) return
    this.seen = fresh.reduce((n, e) => Math.max(n, e.seq), this.seen)
    batch(() => {
      this.events.value = [...this.events.value, ...fresh]
      if (fresh.some(e => e.type === 'call.ended')) this.over.value = true
    })
  }

  private async readAgain() {
    this.call.value = await api.call(this.id).catch(() => this.call.value)
  }

  /** What is known only after the end: recordings, the whole sound, the result. */
  private async finish() {
    this.over.value = true
    this.up.value = true
    // The stream ends with the call; what comes after it, such as the answer to
    // the BYE and the saved recording, is in the log a moment later.
    for (const wait of [0, 1000]) {
      await new Promise(done => setTimeout(done, wait))
      if (this.gone) return
      await this.readAgain()
      this.take(await api.log(this.id).catch(() => []))
      await this.readPeaks()
    }
  }

  async readPeaks() {
    if (document.hidden && !this.over.value) return
    if (!this.over.value && !this.events.value.some(e => e.type === 'media.started')) return // no sound yet
    if (this.over.value && !this.call.value?.sound) return
    const p = await api.peaks(this.id, 1200).catch(() => null) // 404: the call has no sound
    if (p && p.seconds > 0) this.peaks.value = p
  }

  // Sources come with script.parsed; those of older logs are asked for.
  private wantDocuments() {
    const have = new Map(this.documents.peek())
    const before = have.size
    for (const e of this.events.value) {
      if (e.type === 'script.parsed' && e.doc && e.body && !have.has(e.doc)) have.set(e.doc, { name: e.doc, text: e.body, type: 'xml' })
      // What was refused was never read; its text is the answer it came with.
      if (e.type === 'script.refused' && e.doc && !have.has(e.doc)) {
        const answer = this.events.value.findLast(f => f.type === 'script.fetch' && f.url === e.doc && f.body)
        if (answer) have.set(e.doc, { name: e.doc, text: answer.body!, type: 'text' })
      }
      const name = e.doc
      if (!name || have.has(name) || this.wanted.has(name) || !/^(script|command)\./.test(e.type)) continue
      this.wanted.add(name)
      api.document(this.id, name).then(d => {
        this.documents.value = new Map(this.documents.value).set(name, { ...d, name })
      }, () => { /* the pane says that there is none */ })
    }
    if (have.size > before) this.documents.value = have
  }
}
