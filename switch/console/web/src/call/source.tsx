// The script that ran, its running line lit. Several documents are tabs; keys
// that were entered stand beside the line that took them.
import { useComputed, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { CallState } from './state.ts'
import { docName } from './words.ts'

/** Cuts a line into tags, strings and text for colouring. */
function coloured(line: string) {
  return line.split(/("[^"]*"|<\/?[\w:.-]+|\/?>|<!--.*?-->)/).map((p, i) => {
    const cls = p.startsWith('"') ? 'str' : p.startsWith('<!--') ? 'rem' : /^(<|\/?>)/.test(p) ? 'tag' : ''
    return cls ? <span key={i} class={cls}>{p}</span> : p
  })
}

export function SourcePane({ s }: { s: CallState }) {
  const chosen = useSignal('') // '' follows the running line
  const box = useRef<HTMLDivElement>(null)
  const lit = s.lit.value
  const fault = s.fault.value
  const doc = useComputed(() => {
    const names = [...s.documents.value.keys()]
    if (chosen.value && names.includes(chosen.value)) return chosen.value
    const want = s.lit.value?.doc ?? s.fault.value?.doc ?? ''
    return names.includes(want) ? want : names[0] ?? ''
  })
  const source = s.documents.value.get(doc.value)
  const line = lit && lit.doc === doc.value ? lit.line : 0
  const jump = s.jump.value

  // A jump from elsewhere opens its document; the running one is followed again.
  useEffect(() => { if (jump) chosen.value = jump.doc }, [jump])
  useEffect(() => { if (lit && lit.doc !== chosen.value) chosen.value = '' }, [lit?.doc])
  useEffect(() => {
    const n = jump && jump.doc === doc.value ? jump.line : line
    if (!n || !box.current) return
    const el = box.current.querySelector<HTMLElement>(`[data-line="${n}"]`)
    if (!el) return
    const top = el.offsetTop - box.current.offsetTop
    if (top < box.current.scrollTop || top > box.current.scrollTop + box.current.clientHeight - 40) box.current.scrollTop = top - box.current.clientHeight / 3
  }, [line, doc.value, jump])

  const keys = new Map<number, string>()
  const here = s.moment.value ?? Infinity
  s.events.value.forEach((e, i) => {
    if (e.type !== 'input' || e.doc !== doc.value || !e.line || s.times.value[i]! > here) return
    keys.set(e.line, e.key || e.text || '•'.repeat(e.count ?? 1))
  })
  const wrong = fault && fault.doc === doc.value ? fault.line : 0
  const ran = new Set(s.spans.value.filter(x => x.doc === doc.value && x.from <= here).map(x => x.line))

  return (
    <section class="pane source" aria-label="Script">
      <header class="pane-head">
        {s.documents.value.size === 0 && <h2>Script</h2>}
        {[...s.documents.value.keys()].map(n => (
          <button key={n} type="button" class="tab" title={n} aria-pressed={n === doc.value} onClick={() => { chosen.value = n }}>{docName(n)}</button>
        ))}
      </header>
      <div class="pane-body code" ref={box} tabIndex={0} aria-label={doc.value ? `source of ${doc.value}` : 'source'}>
        {!source && <p class="soft pad">{s.events.value.length > 0 ? 'No script ran on this call, or its source was not kept.' : 'No script yet.'}</p>}
        {source?.text.replace(/\n$/, '').split('\n').map((text, i) => {
          const n = i + 1
          const cls = ['line', n === line ? 'lit' : '', n === wrong ? 'wrong' : '', ran.has(n) ? 'ran' : '', jump?.line === n && jump.doc === doc.value ? 'jumped' : ''].filter(Boolean).join(' ')
          return (
            <div key={n} class={cls} data-line={n} aria-current={n === line ? 'step' : undefined}
              onClick={() => {
                const first = s.spans.value.find(x => x.doc === doc.value && x.line === n)
                if (first) s.move(first.from)
              }}>
              <span class="no">{n}</span>
              <span class="text">{coloured(text)}</span>
              {keys.has(n) && <span class="key-chip" title="entered by the caller">{keys.get(n)}</span>}
            </div>
          )
        })}
      </div>
    </section>
  )
}
