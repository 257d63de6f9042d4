// What a key of the keyboard means to the phone.

export interface Pressed {
  key: string
  ctrlKey: boolean
  altKey: boolean
  metaKey: boolean
  repeat: boolean
}

export type Meaning = { do: 'key'; key: string } | { do: 'digit'; key: string } | { do: 'erase' | 'call' | 'answer' | 'hangup' }

export interface Where {
  typing: boolean // the focus is in a text field or a list of choices
  button: boolean // the focus is on something that Enter presses
  dialog: boolean // a dialog is open, Esc and Enter are its own
  phase: '' | 'microphone' | 'calling' | 'ringing' | 'incoming' | 'answering' | 'talking' | 'ended'
  number: boolean // a number has been entered
}

/** Says what e is to do; null leaves it to the browser. */
export function meaning(e: Pressed, w: Where): Meaning | null {
  if (w.typing || w.dialog || e.ctrlKey || e.altKey || e.metaKey) return null
  const idle = w.phase === '' || w.phase === 'ended'
  if (/^[0-9*#]$/.test(e.key)) {
    if (e.repeat) return null // a key that is held down is pressed once
    if (idle) return { do: 'digit', key: e.key }
    return w.phase === 'talking' ? { do: 'key', key: e.key } : null
  }
  if (e.repeat) return idle && e.key === 'Backspace' && w.number ? { do: 'erase' } : null
  switch (e.key) {
    case 'Escape': return idle ? null : { do: 'hangup' }
    case 'Backspace': return idle && w.number ? { do: 'erase' } : null
    case 'Enter':
      if (w.button) return null
      if (w.phase === 'incoming') return { do: 'answer' }
      return idle && w.number ? { do: 'call' } : null
  }
  return null
}
