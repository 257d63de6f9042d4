// The numbers of this switch: where each telephone is, why one could not register,
// what answers at the others, and the lines to the outside.
import { useEffect, useState } from 'preact/hooks'
import { api } from '../api/client.ts'
import type { Extension, Line } from '../api/types.ts'
import { addressOf } from '../scripts/list.tsx'
import { Empty, Loading, Table, Trouble } from '../ui/base.tsx'

const often = 5000 // milliseconds between looks

function Telephone({ x }: { x: Extension }) {
  const there = x.registered ?? []
  return (
    <tr>
      <td><b>{x.number}</b> {x.name && <span class="soft">{x.name}</span>}</td>
      <td>
        {there.length === 0 && <span class="soft">not registered</span>}
        {there.map(r => (
          <div key={r.contact}><span class="good">{r.address}</span> <span class="soft">{r.transport}{r.user_agent && `, ${r.user_agent}`}</span></div>
        ))}
      </td>
      <td>{x.last_failure ? <span class={there.length ? 'soft' : 'bad'}>{x.last_failure}</span> : <span class="soft">none</span>}</td>
    </tr>
  )
}

function Other({ x }: { x: Extension }) {
  return (
    <tr>
      <td><b>{x.number}</b> {x.name && <span class="soft">{x.name}</span>}</td>
      <td>{x.type}</td>
      <td>{x.url ? x.url : x.file ? <a href={addressOf(x.file)}>{x.file}</a> : ''}</td>
    </tr>
  )
}

function OutsideLine({ l }: { l: Line }) {
  const state = l.register ? (l.registered ? 'registered' : 'not registered') : l.state
  return (
    <tr>
      <td><b>{l.name}</b> <span class="soft">{l.address}</span></td>
      <td class={l.last_error ? 'bad' : l.registered || l.state === 'up' ? 'good' : 'soft'}>{state}</td>
      <td>{l.calls}{l.max_calls ? ` of ${l.max_calls}` : ''}</td>
      <td>{l.last_error ? <span class="bad">{l.last_error}</span> : <span class="soft">none</span>}</td>
    </tr>
  )
}

export function NumbersPage() {
  const [list, setList] = useState<Extension[] | null>(null)
  const [lines, setLines] = useState<Line[]>([])
  const [trouble, setTrouble] = useState('')
  useEffect(() => {
    const read = () => Promise.all([api.extensions(), api.lines()]).then(([x, l]) => {
      setList(x ?? [])
      setLines(l ?? [])
      setTrouble('')
    }, (e: Error) => setTrouble(e.message))
    void read()
    const timer = setInterval(read, often)
    return () => clearInterval(timer)
  }, [])
  const phones = (list ?? []).filter(x => x.type === 'phone')
  const others = (list ?? []).filter(x => x.type !== 'phone')
  return (
    <>
      <div class="row page-head"><h1 class="grow">Numbers</h1></div>
      <Trouble text={trouble} />
      {!list && !trouble && <Loading what="Reading the numbers" />}
      {list?.length === 0 && (
        <Empty title="No numbers yet"><p>The configuration names them under <code>extensions:</code>.</p></Empty>
      )}
      {phones.length > 0 && (
        <Table label="Telephones" head={['Telephone', 'Is at', 'Last registration refused']}>{phones.map(x => <Telephone key={x.number} x={x} />)}</Table>
      )}
      {others.length > 0 && (
        <Table label="Other numbers" head={['Number', 'Kind', 'Runs']}>{others.map(x => <Other key={x.number} x={x} />)}</Table>
      )}
      {lines.length > 0 && (
        <Table label="Lines to the outside" head={['Line', 'State', 'Calls', 'Last error']}>{lines.map(l => <OutsideLine key={l.name} l={l} />)}</Table>
      )}
    </>
  )
}
