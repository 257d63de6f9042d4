// What the user chose for the phone; kept in this browser. No password is here.
import { signal } from '@preact/signals'

export interface Settings {
  microphone: string // device id, "" the usual one
  speaker: string
  keysBy: 'auto' | 'info' // auto: in the sound (RFC 4733), SIP INFO where that cannot be
  folded: boolean // the dock shows its head alone
}

const name = 'ozswitch.phone'

function read(): Settings {
  const s: Settings = { microphone: '', speaker: '', keysBy: 'auto', folded: false }
  try {
    const kept = JSON.parse(localStorage.getItem(name) ?? '{}') as Partial<Settings>
    if (typeof kept.microphone === 'string') s.microphone = kept.microphone
    if (typeof kept.speaker === 'string') s.speaker = kept.speaker
    if (kept.keysBy === 'info') s.keysBy = 'info'
    s.folded = kept.folded === true
  } catch { /* the browser keeps nothing, or something else is there */ }
  return s
}

export const settings = signal<Settings>(read())

/** Changes some settings and keeps them. */
export function choose(some: Partial<Settings>) {
  settings.value = { ...settings.value, ...some }
  try {
    localStorage.setItem(name, JSON.stringify(settings.value))
  } catch { /* then they last as long as the page */ }
}
