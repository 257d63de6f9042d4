// SIP and HTTP as a ladder: telephones left, the switch in the middle, apps right.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Button, Dialog } from '../ui/base.tsx'
import { clock } from './axis.ts'
import { pretty, sipParts, type Ladder, type Row } from './ladder.ts'
import type { CallState } from './state.ts'

const step = 30 // px between rows
const edge = 84 // px before the first column: times, and half a name
const margin = 44 // px after the last

/** What stands on an arrow, as long as it may be at so many px. */
function label(r: Row, px: number): string {
  const most = Math.max(8, Math.floor((px - 14) / 7.3)) // letters are 7.3 px wide
  const text = r.part === 'message' ? r.label + (r.note ? ` (${r.note})` : '') : r.part === 'response' && r.note ? `${r.label} · ${r.note}` : r.label
  return text.length > most ? text.slice(0, most - 1) + '…' : text
}

function Arrow({ r, y, lane, now, onOpen, ...rest }: {
  r: Row; y: number; lane: number; now: boolean; onOpen: () => void
  onPointerMove: (ev: PointerEvent) => void; onPointerLeave: () => void
}) {
  const x1 = edge + r.from * lane
  const x2 = edge + r.to * lane
  const dir = x2 > x1 ? 1 : -1
  return (
    <g class={`arrow ${r.tone} ${now ? 'now' : ''}`} tabIndex={0} role="button" {...rest}
      onClick={onOpen} onKeyDown={e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); onOpen() } }}>
      <rect x="0" y={y - step + 9} width="100%" height={step} class="hit"><title>{`${clock(r.t)}  ${r.label} ${r.note}`}</title></rect>
      <text x="4" y={y} class="t">{clock(r.t)}</text>
      <line x1={x1} y1={y} x2={x2 - dir * 6} y2={y} />
      <path d={`M${x2} ${y}l${-dir * 8} -4v8z`} />
      <text x={(x1 + x2) / 2} y={y - 5} text-anchor="middle">{label(r, Math.abs(x2 - x1))}</text>
    </g>
  )
}

export function ExchangesPane({ s }: { s: CallState }) {
  const [open, setOpen] = useState<Row | null>(null)
  const [room, setRoom] = useState(360)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const o = new ResizeObserver(() => setRoom(box.current!.clientWidth))
    o.observe(box.current!)
    return () => o.disconnect()
  }, [])
  const l: Ladder = s.ladder.value
  const here = s.moment.value
  let now = -1
  if (here !== null) l.rows.forEach((r, i) => { if (r.t <= here + 1e-6) now = i })
  const lane = Math.max(112, Math.min(220, (room - edge - margin) / Math.max(1, l.columns.length - 1)))
  const width = edge + (l.columns.length - 1) * lane + margin
  const height = 34 + l.rows.length * step + 16
  return (
    <section class="pane exchanges" aria-label="SIP and HTTP">
      <header class="pane-head"><h2>SIP and HTTP</h2></header>
      <div class="pane-body" ref={box}>
        {l.rows.length === 0 ? <p class="soft pad">No message yet, or the log keeps none (log.calls: brief).</p> : (
          <svg class="ladder" width={width} height={height} role="group" aria-label="messages in order">
            {l.columns.map((c, i) => (
              <g key={c.id}>
                <title>{c.title}</title>
                <text x={edge + i * lane} y="16" text-anchor="middle" class="column">{c.label}</text>
                <line x1={edge + i * lane} y1="24" x2={edge + i * lane} y2={height} class="life" />
              </g>
            ))}
            {l.rows.map((r, i) => (
              <Arrow key={r.key} r={r} lane={lane} y={34 + (i + 1) * step - 10} now={i === now} {...s.pointed(r.t)}
                onOpen={() => { s.move(r.t); setOpen(r) }} />
            ))}
          </svg>
        )}
      </div>
      <Dialog title={open ? `${open.label} ${open.note}` : ''} open={open !== null} onClose={() => setOpen(null)} wide>
        {open && <Message r={open} />}
      </Dialog>
    </section>
  )
}

/** One message opened: its headers as a table and its body, pretty or raw. */
function Message({ r }: { r: Row }) {
  const [raw, setRaw] = useState(false)
  const e = r.event
  const sip = /^sip\./.test(e.type)
  const text = sip ? e.text ?? '' : ''
  const parts = sip ? sipParts(text) : null
  const body = parts ? parts.body : r.part === 'response' ? e.body ?? '' : ''
  return (
    <div class="message">
      <div class="row">
        <span class="soft">{clock(r.t)} s · {sip ? `${e.source ?? ''} ${e.peer ?? ''}` : e.url}{!sip && e.ms ? ` · ${e.ms.toFixed(1)} ms` : ''}</span>
        <span class="grow" />
        <Button aria-pressed={raw} onClick={() => setRaw(!raw)}>{raw ? 'Pretty' : 'Raw'}</Button>
        <Button onClick={() => void navigator.clipboard?.writeText(sip ? text : body)}>Copy</Button>
      </div>
      {sip && raw && <pre>{text || 'The log did not keep this message.'}</pre>}
      {parts && !raw && (
        <>
          <p class="mono"><b>{parts.first}</b></p>
          <table class="headers"><tbody>{parts.headers.map(([k, v], i) => <tr key={i}><th scope="row">{k}</th><td class="mono">{v}</td></tr>)}</tbody></table>
        </>
      )}
      {!sip && (
        <table class="headers"><tbody>
          {([['what', e.name], ['method', e.method ?? 'POST'], ['URL', e.url], ['status', e.status ? String(e.status) : 'no answer'],
            ['size', e.size ? `${e.size} bytes` : ''], ['tries', e.count ? String(e.count) : ''], ['trouble', [e.code, e.text].filter(Boolean).join(' ')], ['cure', e.hint]] as const)
            .filter(([, v]) => v).map(([k, v]) => <tr key={k}><th scope="row">{k}</th><td class="mono">{v}</td></tr>)}
        </tbody></table>
      )}
      {!raw && body && <pre>{pretty(body)}</pre>}
      {!sip && raw && <pre>{body}</pre>}
      {!sip && !body && r.part === 'response' && <p class="soft">The answer had no body.</p>}
    </div>
  )
}
