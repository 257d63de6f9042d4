// A run on paper: what the script does to a caller who presses keys, in no time.
import { useEffect, useState } from 'preact/hooks'
import { api } from '../api/client.ts'
import type { RunResult } from '../api/types.ts'
import { Button, Trouble } from '../ui/base.tsx'
import { diagWords, linesRun, runWords } from './words.ts'

/** Runs the text each time that `runs` grows. */
export function RunPane({ runs, name, text, onLines, onRun }: {
  runs: number; name: string; text: () => string; onLines: (lines: number[]) => void; onRun: () => void
}) {
  const [caller, setCaller] = useState('at 2s press 1')
  const [result, setResult] = useState<RunResult | null>(null)
  const [trouble, setTrouble] = useState('')
  const [busy, setBusy] = useState(false)

  useEffect(() => {
    if (runs === 0) return
    let old = false
    setBusy(true)
    // The text with the name: what is in the editor runs, saved or not.
    api.run({ text: text(), name, caller }).then(r => {
      if (old) return
      setResult(r)
      setTrouble('')
      onLines(linesRun(r.events ?? [], name))
    }, (e: Error) => { if (!old) setTrouble(e.message) }).finally(() => { if (!old) setBusy(false) })
    return () => { old = true }
  }, [runs])

  const lines = result ? linesRun(result.events ?? [], name).length : 0
  const errors = (result?.problems ?? []).filter(p => p.severity === 'error')
  return (
    <section class="card" aria-label="Run on paper">
      <h2>Run <span class="soft" role="status">{result && errors.length === 0 ? runWords(lines, result.seconds, result.took_ms) : ''}</span></h2>
      <form class="stack" onSubmit={e => {
        e.preventDefault()
        onRun()
      }}>
        <label>What the caller does
          <textarea rows={2} spellcheck={false} value={caller} onInput={e => setCaller(e.currentTarget.value)} />
        </label>
        <p class="hint">One thing a line: <code>at 2s press 1</code>, <code>at 3s say 2s</code>, <code>at 9s hangup</code>.</p>
        <div class="row"><Button icon="play" type="submit" busy={busy}>Run</Button></div>
      </form>
      <Trouble text={trouble} />
      {errors.length > 0 && <Trouble text={`It does not run: ${errors[0]!.line}:${errors[0]!.col} ${diagWords(errors[0]!)}`} />}
      {result && result.transcript && <pre class="run-transcript" tabIndex={0} aria-label="Transcript">{result.transcript}</pre>}
    </section>
  )
}
