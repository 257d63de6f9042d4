// Which keys of the keyboard the phone takes, and what they do then. Fields,
// dialogs and Enter on a button are kept out by ../ui/keys.tsx.
import type { Phase } from './state.ts'

export type Does = 'digit' | 'press' | 'erase' | 'call' | 'answer' | 'hangup'

export interface Taken { keys: string[]; does: string; run: Does }

export const pad = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#']

/** The keys that mean something now; phase '' without a call, number whether one is entered. */
export function taken(phase: Phase | '', number: boolean): Taken[] {
  const escape: Taken = { keys: ['Escape'], does: 'hang up', run: 'hangup' }
  switch (phase) {
    case '':
    case 'ended': {
      const dial: Taken[] = [{ keys: pad, does: 'enter a number to call', run: 'digit' }]
      if (number) dial.push({ keys: ['Enter'], does: 'call the number', run: 'call' }, { keys: ['Backspace'], does: 'take the last digit away', run: 'erase' })
      return dial
    }
    case 'incoming': return [{ keys: ['Enter'], does: 'answer the call', run: 'answer' }, { ...escape, does: 'decline the call' }]
    case 'talking': return [{ keys: pad, does: 'press the key in the call', run: 'press' }, escape]
    default: return [escape]
  }
}
