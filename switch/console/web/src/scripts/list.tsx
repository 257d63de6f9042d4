import { useEffect, useState } from 'preact/hooks'
import { api } from '../api/client.ts'
import type { ScriptInfo } from '../api/types.ts'
import { go } from '../router.ts'
import { session } from '../state/session.ts'
import { Button, complain, Dialog, Empty, LinkButton, Loading, Table, toast, Trouble } from '../ui/base.tsx'
import { ago, fileName } from './words.ts'

const blank = `<Response>
  <Speak>Hello. This is a new script.</Speak>
  <Hangup/>
</Response>
`

/** The address of a script's page. */
export function addressOf(name: string): string { return `/scripts/${encodeURIComponent(name)}` }

/** The scripts there are, with the numbers that run them. */
export function ListPage() {
  const [list, setList] = useState<ScriptInfo[] | null>(null)
  const [trouble, setTrouble] = useState('')
  const [making, setMaking] = useState(false)
  const [leaving, setLeaving] = useState<ScriptInfo | null>(null)
  const admin = session.value?.admin ?? false

  const read = () => api.scripts().then(l => {
    setList(l)
    setTrouble('')
  }, (e: Error) => setTrouble(e.message))
  useEffect(() => { void read() }, [])

  return (
    <>
      <div class="row page-head">
        <h1 class="grow">Scripts</h1>
        <LinkButton href="/scripts?app" icon="globe">Use my own app</LinkButton>
        {admin && <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>New script</Button>}
      </div>
      <Trouble text={trouble} />
      {!list && !trouble && <Loading what="Reading the scripts" />}
      {list?.length === 0 && <Empty title="No scripts yet"><p>A script says what happens on a call, line by line.</p></Empty>}
      {list && list.length > 0 && (
        <div class="scripts-list">
          <Table label="Scripts" head={['Script', 'Runs at', 'Problems', 'Changed', <span class="visually-hidden">Actions</span>]}>
            {list.map(s => (
              <tr key={s.name}>
                <td>{s.source === 'url' ? <span>{s.url ?? s.name}</span> : <a href={addressOf(s.name)}>{s.name}</a>}
                  {s.source === 'builtin' && <span class="soft"> built in</span>}
                  {s.source === 'url' && <span class="soft"> a web app</span>}</td>
                <td>{s.numbers?.join(', ') || <span class="soft">no number</span>}</td>
                <td>{s.problems > 0 ? <span class="bad">⚠ {s.problems}</span> : s.source === 'url' ? <span class="soft">–</span> : <span class="good">none</span>}</td>
                <td class="soft">{s.modified ? <time dateTime={s.modified} title={s.modified}>{ago(s.modified, Date.now())}</time> : ''}</td>
                <td>{admin && s.editable && s.source === 'file' && (
                  <Button kind="quiet" icon="trash" aria-label={`delete ${s.name}`} title="Delete" onClick={() => setLeaving(s)} />
                )}</td>
              </tr>
            ))}
          </Table>
        </div>
      )}
      <NewScript open={making} names={list?.map(s => s.name) ?? []} onClose={() => setMaking(false)} />
      <Delete script={leaving} onClose={() => setLeaving(null)} onDone={() => { void read() }} />
    </>
  )
}

function NewScript({ open, names, onClose }: { open: boolean; names: string[]; onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const name = fileName(typed)
  const taken = names.includes(name)
  async function make(e: Event) {
    e.preventDefault()
    if (!name || taken) return
    try {
      await api.create(name, blank)
      onClose()
      setTyped('')
      go(addressOf(name))
    } catch (err) {
      complain(err)
    }
  }
  return (
    <Dialog title="New script" open={open} onClose={onClose}>
      <form class="stack" onSubmit={make}>
        <label>Name <input autofocus value={typed} onInput={e => setTyped(e.currentTarget.value)} placeholder="welcome" spellcheck={false} /></label>
        <p class="hint" role="status">{taken ? `${name} is there already` : name ? `It will be the file ${name}.` : 'Letters, digits, dots and dashes.'}</p>
        <div class="row"><Button kind="primary" type="submit" disabled={!name || taken}>Create</Button><Button onClick={onClose}>Cancel</Button></div>
      </form>
    </Dialog>
  )
}

/** Asks before a script is deleted; numbers that run it are named. */
export function Delete({ script, onClose, onDone }: { script: { name: string; numbers: string[] | null } | null; onClose: () => void; onDone: () => void }) {
  const numbers = script?.numbers ?? []
  return (
    <Dialog title={`Delete ${script?.name ?? ''}?`} open={script !== null} onClose={onClose}>
      <p>{numbers.length > 0
        ? `Calls to ${numbers.join(', ')} run this script; they will find none afterwards.`
        : 'No number runs this script.'} The file is gone afterwards.</p>
      <div class="row">
        <Button kind="danger" icon="trash" onClick={() => {
          api.remove(script!.name).then(() => {
            toast(`${script!.name} is deleted`)
            onDone()
          }, complain)
          onClose()
        }}>Delete</Button>
        <Button autofocus onClick={onClose}>Keep it</Button>
      </div>
    </Dialog>
  )
}
