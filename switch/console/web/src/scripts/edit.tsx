// The page of one script: the editor, its problems, a run on paper.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, Problem } from '../api/client.ts'
import type { Diag, Script } from '../api/types.ts'
import { dial } from '../phone/parts.tsx'
import * as phone from '../phone/phone.ts'
import { busy } from '../phone/state.ts'
import { beforeLeaving, go } from '../router.ts'
import { session } from '../state/session.ts'
import { Button, complain, Dialog, Loading, toast, Trouble } from '../ui/base.tsx'
import { Icon } from '../ui/icon.tsx'
import type { Editor } from './editor.ts'
import { Delete } from './list.tsx'
import { RunPane } from './run.tsx'
import { unsaved } from './unsaved.ts'
import { countWords, diagWords } from './words.ts'

/** Shows the script of a name. */
export function EditPage({ name }: { name: string }) {
  const [script, setScript] = useState<Script | null>(null)
  const [trouble, setTrouble] = useState('')
  const [problems, setProblems] = useState<Diag[] | null>(null)
  const [conflict, setConflict] = useState(false)
  const [deleting, setDeleting] = useState(false)
  const [saving, setSaving] = useState(false)
  const [runs, setRuns] = useState(0) // grows with each press of Run
  const place = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor | null>(null)
  const saved = useRef('') // the text that the switch has
  const etag = useRef('')
  const admin = session.value?.admin ?? false

  useEffect(() => {
    let gone = false
    void (async () => {
      try {
        const [s, commands, code] = await Promise.all([api.script(name), api.commands().catch(() => []), import('./editor.ts')])
        if (gone) return
        setScript(s)
        saved.current = s.text
        etag.current = s.etag
        editor.current = code.open({
          parent: place.current!, label: `Script ${name}`, text: s.text, editable: s.editable && admin, commands,
          lint: async text => (await api.lint(text, name)).problems ?? [],
          problems: setProblems,
          changed: text => { unsaved.value = text !== saved.current },
        })
        editor.current.focus()
      } catch (e) {
        if (!gone) setTrouble((e as Error).message)
      }
    })()
    return () => {
      gone = true
      editor.current?.close()
      editor.current = null
      unsaved.value = false
    }
  }, [name])

  // What is not saved is not lost by accident.
  const dirty = unsaved.value
  useEffect(() => {
    if (!dirty) return
    beforeLeaving(() => window.confirm(`${name} has changes that are not saved. Leave without them?`))
    const ask = (e: BeforeUnloadEvent) => e.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => {
      beforeLeaving(null)
      window.removeEventListener('beforeunload', ask)
    }
  }, [dirty])

  async function save(over = false): Promise<boolean> {
    const e = editor.current
    if (!e || !script?.editable || !admin) return false
    setSaving(true)
    try {
      if (over) etag.current = (await api.script(name)).etag
      const text = e.text()
      const answer = await api.save(name, text, etag.current)
      etag.current = answer.etag
      saved.current = text
      unsaved.value = e.text() !== text
      setConflict(false)
      const n = (answer.problems ?? []).filter(p => p.severity === 'error').length
      toast(n > 0 ? `saved; ${n === 1 ? 'an error is' : `${n} errors are`} still in it` : 'saved')
      return true
    } catch (err) {
      if (err instanceof Problem && (err.status === 412 || err.status === 409)) setConflict(true)
      else complain(err)
      return false
    } finally {
      setSaving(false)
    }
  }

  async function loadTheirs() {
    try {
      const s = await api.script(name)
      saved.current = s.text
      etag.current = s.etag
      editor.current?.load(s.text)
      unsaved.value = false
      setConflict(false)
    } catch (e) {
      complain(e)
    }
  }

  const number = script?.numbers?.[0] ?? ''
  async function call() {
    if (unsaved.peek() && !await save()) return
    phone.typed.value = number
    dial(number)
  }

  async function runAt(n: string) {
    try {
      await api.setExtension(n, { type: 'script', file: name })
      setScript(await api.script(name))
      toast(`${n} runs ${name} from now on`)
    } catch (e) {
      complain(e)
    }
  }

  const saveRef = useRef(save)
  saveRef.current = save
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (!(e.ctrlKey || e.metaKey) || e.altKey || e.shiftKey) return
      if (e.key.toLowerCase() === 's') void saveRef.current()
      else if (e.key === 'Enter') setRuns(n => n + 1)
      else return
      e.preventDefault()
      e.stopPropagation()
    }
    document.addEventListener('keydown', onKey, true) // before the editor has it
    return () => document.removeEventListener('keydown', onKey, true)
  }, [])

  if (trouble) return <><h1>{name}</h1><Trouble text={trouble}><p><a href="/scripts">All scripts</a></p></Trouble></>
  const own = session.value?.script_number || session.value?.default_number || ''
  const idle = !busy(phone.state.value) && phone.state.value.line === 'ready'
  return (
    <div class="script-page">
      <div class="row page-head">
        <a href="/scripts" class="bare" aria-label="all scripts" title="All scripts"><Icon name="back" /></a>
        <h1>{name}</h1>
        <span class="grow soft">{script && (number ? `runs at ${script.numbers!.join(', ')}` : 'no number runs it')}
          <span role="status">{dirty ? ' · not saved' : ''}</span></span>
        {script?.editable && admin && <Button icon="save" busy={saving} disabled={!dirty} title="Ctrl-S or ⌘S" onClick={() => { void save() }}>Save</Button>}
        <Button icon="play" disabled={!script} title="Ctrl-Enter: run it on paper, without sound and in no time" onClick={() => setRuns(runs + 1)}>Run</Button>
        {number && <Button kind="primary" icon="phone" disabled={!idle} onClick={() => { void call() }}>{`Call ${number}`}</Button>}
        {script && !number && own && admin && <Button onClick={() => { void runAt(own) }}>{`Run it at ${own}`}</Button>}
        {script?.editable && admin && <Button kind="quiet" icon="trash" aria-label={`delete ${name}`} title="Delete" onClick={() => setDeleting(true)} />}
      </div>
      {script && !script.editable && <p class="hint">This script can only be read here.</p>}
      <div class="script-panes">
        <div class="script-editor card" ref={place}>{!script && <Loading what="Opening the script" />}</div>
        <div class="script-side">
          <section class="card" aria-label="Problems">
            <h2>Problems <span class="soft" role="status">{problems && countWords(problems)}</span></h2>
            <ul class="problems">
              {problems?.map((d, i) => (
                <li key={i} class={d.severity}>
                  <button type="button" class="link" onClick={() => editor.current?.show(d)}>{d.line}:{d.col}</button>
                  <span class="grow"><b class={d.severity === 'error' ? 'bad' : 'soft'}>{d.severity}</b> {diagWords(d)}</span>
                  {d.fix && script?.editable && admin && <Button aria-label={`fix ${d.code} in line ${d.line}`} onClick={() => editor.current?.fix(d)}>Fix</Button>}
                </li>
              ))}
            </ul>
          </section>
          <RunPane runs={runs} name={name} text={() => editor.current?.text() ?? ''} onLines={l => editor.current?.light(l)} onRun={() => setRuns(runs + 1)} />
        </div>
      </div>
      <Dialog title="Somebody else saved this script" open={conflict} onClose={() => setConflict(false)}>
        <p>{name} was changed since you opened it. Your text is still in the editor.</p>
        <div class="row">
          <Button onClick={() => { void loadTheirs() }}>Load theirs, lose mine</Button>
          <Button kind="danger" onClick={() => { void save(true) }}>Save mine over theirs</Button>
          <Button autofocus onClick={() => setConflict(false)}>Neither, yet</Button>
        </div>
      </Dialog>
      <Delete script={deleting && script ? script : null} onClose={() => setDeleting(false)} onDone={() => {
        unsaved.value = false
        beforeLeaving(null)
        go('/scripts')
      }} />
    </div>
  )
}
