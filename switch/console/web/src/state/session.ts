// Who is signed in.
import { signal } from '@preact/signals'
import { api, Problem, whenSignedOut } from '../api/client.ts'
import type { Session } from '../api/types.ts'

/** undefined: not known yet; null: nobody. */
export const session = signal<Session | null | undefined>(undefined)

/** Why the session could not be read, '' when all is well. */
export const sessionTrouble = signal('')

export async function readSession(): Promise<void> {
  try {
    session.value = await api.session()
    sessionTrouble.value = ''
  } catch (err) {
    session.value = null
    sessionTrouble.value = err instanceof Problem && err.status !== 401 ? err.message : ''
  }
}

export async function signOut(): Promise<void> {
  try {
    await api.signOut()
  } finally {
    session.value = null
  }
}

whenSignedOut(() => { session.value = null })
