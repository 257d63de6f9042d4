// Devices, and how keys are sent.
import { useEffect, useState } from 'preact/hooks'
import { complain, Dialog } from '../ui/base.tsx'
import { canChooseSpeaker, chooseSpeaker, devices, type Device } from './media.ts'
import * as phone from './phone.ts'
import { choose, settings, type Settings } from './settings.ts'

function useDevices(kind: 'audioinput' | 'audiooutput'): Device[] {
  const [list, setList] = useState<Device[]>([])
  useEffect(() => {
    const read = () => { devices(kind).then(setList, () => setList([])) }
    read()
    navigator.mediaDevices?.addEventListener('devicechange', read)
    return () => navigator.mediaDevices?.removeEventListener('devicechange', read)
  }, [kind, phone.state.value.talk?.phase])
  return list
}

/** The choices themselves. */
export function Options() {
  const s = settings.value
  const microphones = useDevices('audioinput')
  const speakers = useDevices('audiooutput')
  return (
    <div class="phone-options">
      <label>Microphone
        <select value={s.microphone} onChange={e => {
          choose({ microphone: e.currentTarget.value })
          phone.changeMicrophone(e.currentTarget.value).catch(complain)
        }}>
          <option value="">the usual one</option>
          {microphones.map(d => <option key={d.id} value={d.id}>{d.label}</option>)}
        </select>
      </label>
      {canChooseSpeaker && (
        <label>Loudspeaker
          <select value={s.speaker} onChange={e => {
            choose({ speaker: e.currentTarget.value })
            chooseSpeaker(e.currentTarget.value).catch(complain)
          }}>
            <option value="">the usual one</option>
            {speakers.map(d => <option key={d.id} value={d.id}>{d.label}</option>)}
          </select>
        </label>
      )}
      <label>Keys in a call are sent
        <select value={s.keysBy} onChange={e => choose({ keysBy: e.currentTarget.value as Settings['keysBy'] })}>
          <option value="auto">in the sound (RFC 4733)</option>
          <option value="info">as messages (SIP INFO)</option>
        </select>
      </label>
      <p class="hint">Names of devices appear after the microphone was allowed once.</p>
    </div>
  )
}

/** The choices in a dialog. */
export function OptionsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return <Dialog title="Phone settings" open={open} onClose={onClose}><Options /></Dialog>
}
