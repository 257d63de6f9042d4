// What /v1 says, as switch/api writes it: snake_case, times RFC 3339, durations
// in seconds.

/** A Problem is an error of /v1 (RFC 9457). */
export interface ProblemBody { status: number; code?: string; title?: string; detail?: string }

/** The telephone of the signed-in user; null when the user has none. */
export interface PhoneAccount { uri: string; user: string; password: string; name: string; ws: string }

export interface Session {
  name: string; admin: boolean; api: boolean; version: string; dev: boolean; domain: string
  phone: PhoneAccount | null; script_number: string; default_number: string
}

export interface LiveCall {
  id: string; source: string; from: string; to: string; caller_dialed: string; callee_dialed: string
  started: string; ring_seconds: number; talk_seconds: number; state: string; events: string
  script?: string; doing?: string; recordings?: number
}

export interface Quality { codec?: string; sent: number; received: number; lost: number; jitter_ms: number; mos?: number }

export interface PastCall {
  id: string; type: string; direction: string; from: string; from_name?: string; source: string; dialed: string
  to: string; extension: string; state: string; result: string; reason: string; code: number; peer: string
  user_agent?: string; started: string; answered?: string; ended: string; quality: Quality
  ring_seconds: number; talk_seconds: number; events: string
  script?: string; problem?: string; recordings?: number | unknown[]
}

export interface CallList { live: LiveCall[]; past: PastCall[]; past_total: number; page: number; rows: number }

export interface CallRecording { file: string; url: string; format: string; seconds: number; size: number; reason: string }

/** One far end of a call: store.Leg. */
export interface Leg {
  id: string; party: string; extension?: string; line?: string; number: string; name?: string; state: string; reason: string
  code?: number; started: string; answered?: string; ended?: string; quality: Quality | null
}

export interface Call {
  id: string; live: boolean; from: string; to: string; extension: string; direction: string; state: string
  result: string; reason: string; started: string; answered?: string; ended?: string; peer: string
  user_agent: string; codec: string; quality: Quality | null; script?: string; documents: { name: string; url?: string }[] | null
  recordings: CallRecording[] | null; legs?: Leg[] | null; sound: boolean; sensitive: boolean
}

/** One thing that happened on a call: ozml/trace.Event. */
export interface Event {
  t: string; seq: number; call: string; type: string; id?: number
  doc?: string; line?: number; col?: number; name?: string
  text?: string; code?: string; hint?: string; reason?: string; key?: string; source?: string; seconds?: number
  from?: string; to?: string; direction?: string; leg?: string; extension?: string; via?: string
  method?: string; url?: string; status?: number; ms?: number; peer?: string; body?: string
  file?: string; size?: number
  sent?: number; received?: number; lost?: number; count?: number; jitter_ms?: number; succeeded?: boolean
}

export interface Source { name: string; text: string; type: string }

/** Lowest and highest sample of each of `width` slices, -1 to 1. */
export interface Peaks { start: string; seconds: number; out: number[]; in: number[] }

export interface Fix { text: string; line: number; col: number; end_line: number; end_col: number }
export interface Diag {
  line: number; col: number; end_line: number; end_col: number; code: string
  severity: 'error' | 'warning' | 'note'; message: string; hint: string; fix: Fix | null
}

export interface ScriptInfo {
  name: string; numbers: string[] | null; size: number; modified: string; problems: number; editable: boolean
  source: 'file' | 'builtin' | 'url'; url?: string
}
export interface Script { name: string; text: string; etag: string; numbers: string[] | null; editable: boolean }
export interface Saved { etag: string; problems: Diag[] | null }
export interface RunResult { transcript: string; events: Event[] | null; seconds: number; took_ms: number; problems: Diag[] | null }
export interface CommandParam { name: string; aliases?: string[] | null; kind: string; default: string; values: string[] | null; required: boolean; doc: string }
export interface Command {
  name: string; aliases: string[] | null; summary: string; doc: string; example: string
  params: CommandParam[] | null; children: string[] | null; parents: string[] | null
}
export interface Fetched {
  status: number; content_type: string; ms: number; body: string; problems: Diag[] | null; error?: string
}
export interface Registered { contact: string; address: string; transport: string; user_agent: string; expires: string }
export interface Extension {
  number: string; type: string; name: string; file?: string; url?: string
  registered: Registered[] | null; last_failure?: string
}
export interface Line {
  name: string; address: string; state: string; register: boolean; registered: boolean; expires: string | null
  last_error: string; calls: number; max_calls: number; caller_id: string
}
export interface Status {
  sentence: string; ok: boolean; version: string; up_seconds: number; calls: number; calls_peak: number
  calls_per_second: number; registrations: number; fetch_p95_ms: number; lag_p99_ms: number
  checks: { name: string; ok: boolean; detail: string }[] | null; disk_free_bytes: number
}
export interface Sample { language: string; file: string; run: string; text: string }
