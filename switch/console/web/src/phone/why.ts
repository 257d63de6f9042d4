// Why a call or a registration ended, in words.

/** What JsSIP says when something has ended, as far as words need it. */
export interface Ending {
  cause: string // one of JsSIP's causes
  originator: 'local' | 'remote' | 'system'
  incoming: boolean
  status?: number // of the SIP response, when one came
  phrase?: string
  reason?: string // Reason header: SIP;cause=408;text="…"
  warning?: string // Warning header: 399 host "…"
}

const words: Record<string, string> = {
  'Busy': 'busy',
  'Rejected': 'refused',
  'Redirected': 'moved to another number',
  'Not Found': 'there is no such number',
  'Unavailable': 'cannot be reached now',
  'Address Incomplete': 'the number is not complete',
  'Incompatible SDP': 'no kind of sound that both sides know',
  'Missing SDP': 'the other side offered no sound',
  'Bad Media Description': 'the other side described its sound wrongly',
  'Authentication Error': 'the password is not right',
  'WebRTC Error': 'this browser could not open the sound',
  'User Denied Media Access': 'the microphone is not allowed',
  'No Answer': 'no answer',
  'Expires': 'no answer in time',
  'No ACK': 'the other side did not confirm the call',
  'Dialog Error': 'the other side no longer knew the call',
  'RTP Timeout': 'no sound came any more',
  'Connection Error': 'the connection to the switch was lost',
  'Request Timeout': 'the switch did not answer',
  'Internal Error': 'the phone made a mistake',
}

// quoted gives the text in quotes of a Reason or Warning header.
function quoted(header: string | undefined): string {
  return /"((?:[^"\\]|\\.)*)"/.exec(header ?? '')?.[1]?.replace(/\\(.)/g, '$1').trim() ?? ''
}

/** Says why a call ended: "busy", "no such number (404)", "they hung up". */
export function endWords(e: Ending): string {
  const more = quoted(e.reason) || quoted(e.warning)
  const add = (s: string) => more && !s.includes(more) ? `${s}: ${more}` : s
  if (e.cause === 'Terminated') return e.originator === 'local' ? 'you hung up' : add('the other side hung up')
  if (e.cause === 'Canceled') return e.originator === 'local' ? 'you gave up' : 'the caller gave up'
  if (e.cause === 'Rejected' && e.originator === 'local') return 'you declined'
  if (e.cause === 'Busy' && e.originator === 'local' && e.incoming) return 'you declined'
  const known = words[e.cause]
  const number = e.status && e.status >= 300 ? ` (${e.status}${known ? '' : ` ${e.phrase ?? ''}`.trimEnd()})` : ''
  return add((known ?? 'refused') + number)
}

/** Says why the switch did not register the phone. */
export function refusedWords(cause: string, status?: number, phrase?: string): string {
  if (status === 403 || status === 401 || status === 407) return 'the password is not right'
  if (status === 404) return 'the switch does not know this extension'
  if (status === 503) return 'the switch has no room now'
  const s = words[cause] ?? cause
  return status ? `${s === 'SIP Failure Code' ? 'the switch said' : s} ${status} ${phrase ?? ''}`.trim() : s
}

/** Says why there is no microphone, from the name of the browser's error. */
export function micWords(name: string, secure: boolean): string {
  if (!secure) return 'the browser gives the microphone only to pages over https'
  switch (name) {
    case 'NotAllowedError': return 'the microphone is not allowed'
    case 'NotFoundError': return 'there is no microphone'
    case 'OverconstrainedError': return 'the chosen microphone is not there'
    case 'NotReadableError': return 'another program has the microphone'
    case 'Skipped': return 'you chose to call without'
    default: return 'the microphone did not open'
  }
}
