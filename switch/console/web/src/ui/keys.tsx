// Keys of the keyboard: pages say which they take, `?` shows them all.
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Dialog } from './base.tsx'

export interface Shortcut {
  keys: string[] // as KeyboardEvent.key says them
  does: string
  run: (ev: KeyboardEvent) => void
}

const taken = signal<Shortcut[][]>([])
const shown = signal(false)

/** Takes keys while the component is on the page. Fields keep theirs. */
export function useKeys(list: Shortcut[], deps: readonly unknown[]) {
  useEffect(() => {
    taken.value = [...taken.value, list]
    return () => { taken.value = taken.value.filter(l => l !== list) }
  }, deps)
}

function typing(t: EventTarget | null): boolean {
  return t instanceof HTMLElement && (t.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName) || t.shadowRoot !== null)
}

function onKey(ev: KeyboardEvent) {
  if (ev.defaultPrevented || ev.ctrlKey || ev.metaKey || ev.altKey || typing(ev.target)) return
  if (document.querySelector('dialog[open]')) return
  if (ev.key === '?') {
    shown.value = true
    return
  }
  // Enter and space belong to the thing that has the focus.
  if ((ev.key === 'Enter' || ev.key === ' ') && ev.target instanceof Element && ev.target.closest('button, a, summary')) return
  for (const list of [...taken.value].reverse()) {
    const s = list.find(s => s.keys.includes(ev.key))
    if (s) {
      ev.preventDefault()
      s.run(ev)
      return
    }
  }
}

const names: Record<string, string> = { ' ': 'space', ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' }

/** Listens, and shows the keys on `?`. One of it, in the shell. */
export function Keys() {
  useEffect(() => {
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  return (
    <Dialog title="Keys" open={shown.value} onClose={() => { shown.value = false }}>
      <dl class="keys">
        {[...taken.value].reverse().flat().map((s, i) => [
          <dt key={`k${i}`}>{s.keys.map(k => <kbd key={k}>{names[k] ?? k}</kbd>)}</dt>,
          <dd key={`d${i}`}>{s.does}</dd>,
        ])}
        <dt><kbd>?</kbd></dt><dd>show the keys</dd>
      </dl>
    </Dialog>
  )
}

export function showKeys() { shown.value = true }
