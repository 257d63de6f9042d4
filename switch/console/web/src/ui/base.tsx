// The few components that every page uses.
import { signal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'

interface ButtonProps extends Omit<JSX.HTMLAttributes<HTMLButtonElement>, 'icon'> {
  kind?: 'primary' | 'danger' | 'quiet'
  icon?: IconName
  disabled?: boolean
  type?: 'button' | 'submit'
  busy?: boolean
}

/** A button; `kind` primary is the one thing to do on a screen. */
export function Button({ kind, icon, busy, children, type = 'button', disabled, class: cls, ...rest }: ButtonProps) {
  return (
    <button type={type} class={`button ${kind ?? ''} ${cls ?? ''}`} disabled={disabled || busy} aria-busy={busy} {...rest}>
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  )
}

/** A link that looks like a button. */
export function LinkButton({ href, icon, children, download, title }: {
  href: string; icon?: IconName; children: ComponentChildren; download?: boolean; title?: string
}) {
  return (
    <a class="button" href={href} download={download} title={title}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </a>
  )
}

/** What a list says while it has nothing, with what to do about it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** A table whose columns have heads; rows are the caller's. */
export function Table({ label, head, children }: { label: string; head: ComponentChildren[]; children: ComponentChildren }) {
  return (
    <table class="table" aria-label={label}>
      <thead><tr>{head.map((h, i) => <th key={i} scope="col">{h}</th>)}</tr></thead>
      <tbody>{children}</tbody>
    </table>
  )
}

/** A box that says what is wrong and what to do; nothing when there is no text. */
export function Trouble({ text, children }: { text?: string; children?: ComponentChildren }) {
  if (!text) return null
  return <div class="trouble" role="alert"><Icon name="warn" /><div>{text}{children}</div></div>
}

/** What is on its way. */
export function Loading({ what }: { what: string }) {
  return <p class="loading" role="status">{what} …</p>
}

interface Toasted { id: number; text: string; bad: boolean }
const toasts = signal<Toasted[]>([])
let toastID = 0

/** Says something in passing. What is wrong stays until it is closed. */
export function toast(text: string, bad = false) {
  const id = ++toastID
  toasts.value = [...toasts.value.slice(-3), { id, text, bad }]
  if (!bad) setTimeout(() => closeToast(id), 5000)
}

/** Shows an error of any kind as a toast. */
export function complain(err: unknown) {
  toast(err instanceof Error ? err.message : String(err), true)
}

function closeToast(id: number) { toasts.value = toasts.value.filter(t => t.id !== id) }

export function Toasts() {
  return (
    <div class="toasts" aria-live="polite">
      {toasts.value.map(t => (
        <div key={t.id} class={t.bad ? 'toast bad' : 'toast'}>
          <span>{t.text}</span>
          <button type="button" class="bare" aria-label="close" onClick={() => closeToast(t.id)}><Icon name="close" size={14} /></button>
        </div>
      ))}
    </div>
  )
}

/** A modal dialog; Esc and a click outside close it. */
export function Dialog({ title, open, onClose, children, wide }: {
  title: string; open: boolean; onClose: () => void; children: ComponentChildren; wide?: boolean
}) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const d = ref.current!
    if (open && !d.open) d.showModal()
    if (!open && d.open) d.close()
  }, [open])
  return (
    <dialog ref={ref} class={wide ? 'dialog wide' : 'dialog'} aria-label={title} onClose={onClose}
      onClick={ev => { if (ev.target === ref.current) onClose() }}>
      {open && (
        <div class="dialog-in">
          <header>
            <h2>{title}</h2>
            <button type="button" class="bare" aria-label="close" onClick={onClose}><Icon name="close" /></button>
          </header>
          {children}
        </div>
      )}
    </dialog>
  )
}
