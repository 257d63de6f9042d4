// "Use my own app": a small web app in five languages, a try of its URL, and a
// number that asks it from then on.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api } from '../api/client.ts'
import type { Extension, Fetched, Sample } from '../api/types.ts'
import { dial } from '../phone/parts.tsx'
import * as phone from '../phone/phone.ts'
import { busy } from '../phone/state.ts'
import { session } from '../state/session.ts'
import { Button, complain, Loading, toast, Trouble } from '../ui/base.tsx'
import { Icon } from '../ui/icon.tsx'
import { fetchedWords, sampleURL } from './fetched.ts'

/** Shows how a web app takes the calls. */
export function AppPage() {
  const [samples, setSamples] = useState<Sample[] | null>(null)
  const [trouble, setTrouble] = useState('')
  const [chosen, setChosen] = useState(0)
  const [url, setURL] = useState('')
  const touched = useRef(false) // the user is at the URL, or wrote his own: nobody writes into it
  const [extensions, setExtensions] = useState<Extension[]>([])
  const [number, setNumber] = useState(session.value?.script_number || '')
  const [asked, setAsked] = useState<{ url: string; answer: Fetched } | null>(null)
  const [asking, setAsking] = useState(false)
  const [used, setUsed] = useState('') // the number that asks this app now
  const admin = session.value?.admin ?? false

  useEffect(() => {
    api.samples('http://127.0.0.1:8000').then(s => {
      setSamples(s)
      if (!touched.current) setURL(sampleURL(s[0]?.text ?? ''))
    }, (e: Error) => setTrouble(e.message))
    api.extensions().then(l => {
      const runs = (l ?? []).filter(x => x.type === 'script' || x.type === 'api')
      setExtensions(runs)
      setNumber(n => n || runs[0]?.number || '')
    }, () => { /* the number can be typed */ })
  }, [])

  function choose(i: number) {
    setChosen(i)
    const its = sampleURL(samples?.[i]?.text ?? '')
    if (!touched.current && its) setURL(its)
  }

  async function fetchNow(e: Event) {
    e.preventDefault()
    setAsking(true)
    setUsed('')
    try {
      setAsked({ url, answer: await api.fetchNow(url, number || undefined) })
    } catch (err) {
      setAsked(null)
      complain(err)
    } finally {
      setAsking(false)
    }
  }

  async function use() {
    try {
      await api.setExtension(number, { type: 'api', url })
      setUsed(number)
      phone.typed.value = number
      toast(`calls to ${number} ask ${url} from now on`)
    } catch (err) {
      complain(err)
    }
  }

  const sample = samples?.[chosen]
  return (
    <div class="app-page">
      <div class="row page-head">
        <a href="/scripts" class="bare" aria-label="all scripts" title="All scripts"><Icon name="back" /></a>
        <h1>Use my own app</h1>
      </div>
      <p>When a call comes, the switch posts a form to your web app and runs the script that it answers. Here is the whole of
        such an app; it needs nothing but the language itself.</p>
      <Trouble text={trouble} />
      {!samples && !trouble && <Loading what="Reading the samples" />}
      {samples && sample && (
        <section class="card" aria-label="Sample app">
          <div role="tablist" aria-label="Language" class="tabs" onKeyDown={e => {
            const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0
            if (!step) return
            e.preventDefault()
            const i = (chosen + step + samples.length) % samples.length
            choose(i)
            e.currentTarget.querySelectorAll<HTMLElement>('[role=tab]')[i]?.focus()
          }}>
            {samples.map((s, i) => (
              <button type="button" role="tab" key={s.language} id={`tab-${i}`} aria-selected={i === chosen} aria-controls="sample"
                tabIndex={i === chosen ? 0 : -1} onClick={() => choose(i)}>{s.language}</button>
            ))}
          </div>
          <div id="sample" role="tabpanel" aria-labelledby={`tab-${chosen}`}>
            <p class="row"><span class="grow">Save it as <code>{sample.file}</code>, then: <code>{sample.run}</code></span>
              <Button onClick={() => {
                navigator.clipboard?.writeText(sample.text).then(() => toast('copied'), complain)
              }}>Copy</Button></p>
            <pre class="sample" tabIndex={0} aria-label={sample.file}>{sample.text}</pre>
          </div>
        </section>
      )}
      <section class="card" aria-label="Try it">
        <h2>Try it</h2>
        <form class="row app-try" onSubmit={fetchNow}>
          <label class="grow">URL of your app
            <input type="url" required value={url} spellcheck={false} placeholder="http://127.0.0.1:8000/" onFocus={() => { touched.current = true }} onInput={e => {
              setURL(e.currentTarget.value)
            }} />
          </label>
          <Button kind="primary" type="submit" busy={asking} disabled={!admin || !url} title={admin ? undefined : 'this needs a user with admin: true'}>Fetch it now</Button>
        </form>
        {asked && <Answer of={asked.answer} />}
        <div class="row app-use">
          <label>Number
            {extensions.length > 0
              ? <select value={number} onChange={e => setNumber(e.currentTarget.value)}>
                  {extensions.map(x => <option key={x.number} value={x.number}>{x.number}{x.name ? ` ${x.name}` : ''}</option>)}
                </select>
              : <input value={number} inputMode="tel" onInput={e => setNumber(e.currentTarget.value)} />}
          </label>
          <Button disabled={!admin || !number || !url} onClick={() => { void use() }}>{`Use it for ${number || '…'}`}</Button>
          {used && used === number && <Button kind="primary" icon="phone" disabled={busy(phone.state.value)} onClick={() => dial(used)}>{`Call ${used}`}</Button>}
        </div>
      </section>
    </div>
  )
}

function Answer({ of }: { of: Fetched }) {
  const w = fetchedWords(of)
  return (
    <div class="answer" role="status">
      {of.status > 0 && <p><b>{of.status}</b> · {of.content_type || 'no content type'} · {Math.round(of.ms)} ms</p>}
      <ul>{w.say.map((s, i) => <li key={i} class={w.good ? 'good' : 'bad'}>{s}</li>)}</ul>
      {of.body && <pre class="sample" tabIndex={0} aria-label="The answer"><ol>{of.body.replace(/\n$/, '').split('\n').map((l, i) => <li key={i}>{l || ' '}</li>)}</ol></pre>}
    </div>
  )
}
