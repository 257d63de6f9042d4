import { useState } from 'preact/hooks'
import { api } from './api/client.ts'
import { session, sessionTrouble } from './state/session.ts'
import { Button, Trouble } from './ui/base.tsx'

/** Name and password. `ozswitch dev` prints a link that needs neither. */
export function Login() {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState('')

  async function submit(ev: Event) {
    ev.preventDefault()
    setBusy(true)
    setTrouble('')
    try {
      session.value = await api.signIn(name, password)
    } catch (err) {
      setTrouble((err as Error).message)
      setPassword('')
    } finally {
      setBusy(false)
    }
  }

  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <h1><span class="brand-mark" aria-hidden="true">∿</span> ozswitch</h1>
        <Trouble text={trouble || sessionTrouble.value} />
        <label>Name
          <input name="username" autocomplete="username" required autofocus value={name} onInput={e => setName(e.currentTarget.value)} />
        </label>
        <label>Password
          <input name="password" type="password" autocomplete="current-password" required value={password}
            onInput={e => setPassword(e.currentTarget.value)} />
        </label>
        <Button kind="primary" type="submit" busy={busy}>Sign in</Button>
        <p class="hint">Users are in the configuration, under <code>users</code>. While developing, the link that{' '}
          <code>ozswitch dev</code> prints signs you in by itself, once.</p>
      </form>
    </main>
  )
}
