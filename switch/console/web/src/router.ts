// Where the user is: every screen has an address that can be pasted to others.
import { computed, signal } from '@preact/signals'

const here = () => location.pathname + location.search + location.hash

/** The address as it stands, path, query and fragment. */
export const address = signal(here())

/** The path alone. */
export const path = computed(() => address.value.replace(/[?#].*$/, ''))

/** The query alone. */
export const query = computed(() => new URLSearchParams(/\?([^#]*)/.exec(address.value)?.[1] ?? ''))

let leaving: (() => boolean) | null = null

/** Asks f before the page is left; f says whether that is all right. null ends it. */
export function beforeLeaving(f: (() => boolean) | null) { leaving = f }

/** Goes to an address of the console. */
export function go(to: string, replace = false) {
  if (to === address.value) return
  const other = to.replace(/[?#].*$/, '') !== path.value
  if (other && leaving && !leaving()) return
  if (other) leaving = null
  history[replace ? 'replaceState' : 'pushState'](null, '', to)
  address.value = here()
  if (other) window.scrollTo(0, 0)
}

/** Makes links inside the console go without loading it again. */
export function listen() {
  window.addEventListener('popstate', () => {
    const other = location.pathname !== path.value
    if (other && leaving && !leaving()) {
      history.pushState(null, '', address.value) // the browser has gone already
      return
    }
    if (other) leaving = null
    address.value = here()
  })
  document.addEventListener('click', ev => {
    if (ev.defaultPrevented || ev.button !== 0 || ev.metaKey || ev.ctrlKey || ev.shiftKey || ev.altKey) return
    const a = (ev.target as Element).closest?.('a')
    if (!a || a.target || a.hasAttribute('download') || a.origin !== location.origin) return
    if (/^\/(v1|api|recordings|metrics|healthz|readyz)\b/.test(a.pathname)) return
    ev.preventDefault()
    go(a.pathname + a.search + a.hash)
  })
}
