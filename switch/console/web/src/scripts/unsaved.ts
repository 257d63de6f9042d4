// Whether the script editor holds changes that are not saved.
import { signal } from '@preact/signals'

export const unsaved = signal(false)
