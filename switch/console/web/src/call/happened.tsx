// What happened, in words, each with its time; a click moves the cursor there.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Icon } from '../ui/icon.tsx'
import { clock } from './axis.ts'
import type { CallState } from './state.ts'
import { repeats, words } from './words.ts'

/** How long the command took that an event began, '' while that is not known. */
function took(s: CallState, i: number): string {
  const e = s.events.value[i]!
  if (e.type !== 'command.started') return ''
  const t = s.times.value[i]!
  const span = s.spans.value.find(x => x.kind === 'command' && x.from === t && x.line === e.line && x.col === e.col && x.name === e.name)
  return span?.to != null && span.to - span.from >= 0.05 ? `${(span.to - span.from).toFixed(1)} s` : ''
}

export function HappenedPane({ s }: { s: CallState }) {
  const [all, setAll] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const events = s.events.value
  const current = s.current.value
  const live = !s.over.value && s.cursor.value === null

  // The line that is lit is the last one shown at or before the cursor.
  const shown: number[] = []
  events.forEach((e, i) => { if (all || !words(e).minor && !repeats(e, events[i - 1])) shown.push(i) })
  let mark = -1
  for (const i of shown) if (i <= current) mark = i

  useEffect(() => {
    const b = box.current
    const el = b?.querySelector<HTMLElement>('.happened.now')
    if (!b || !el || s.hover.peek() !== null) return // nothing moves under the mouse
    if (live) b.scrollTop = b.scrollHeight
    else {
      const top = el.offsetTop - b.offsetTop
      if (top < b.scrollTop || top > b.scrollTop + b.clientHeight - 48) b.scrollTop = top - b.clientHeight / 2
    }
  }, [mark, live, events.length])

  return (
    <section class="pane what-happened" aria-label="What happened">
      <header class="pane-head">
        <h2>What happened</h2>
        <span class="grow" />
        <label class="check"><input type="checkbox" checked={all} onChange={e => setAll(e.currentTarget.checked)} /> everything</label>
      </header>
      <div class="pane-body" ref={box}>
        {events.length === 0 && <p class="soft pad">Nothing yet.</p>}
        {shown.map(i => {
          const e = events[i]!
          const w = words(e)
          return (
            <div key={e.seq} {...s.pointed(s.times.value[i]!)} class={`happened tone-${w.tone} ${i === mark ? 'now' : ''}`}>
              <button type="button" class="stamp mono" title="move the cursor here" aria-current={i === mark ? 'true' : undefined}
                onClick={() => s.move(s.times.value[i]!)}>{clock(s.times.value[i]!)}</button>
              <div class="said">
                {(w.tone === 'bad' || w.tone === 'warn') && <Icon name="warn" size={14} />}
                {e.line ? (
                  <button type="button" class="place mono" title={`${e.doc ?? ''} line ${e.line}, column ${e.col}`}
                    onClick={() => { s.goTo(e) }}>{e.line}:{e.col}</button>
                ) : null}
                <span>{w.text}</span> <span class="soft">{took(s, i)}</span>
                {w.hint && <div class="hint">{w.hint}</div>}
              </div>
            </div>
          )
        })}
      </div>
    </section>
  )
}
