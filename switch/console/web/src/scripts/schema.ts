// The command table as the editor's completion and hover help need it.
import type { Command, CommandParam } from '../api/types.ts'

/** What lang-xml takes as an element; attributes by name. */
export interface Element {
  name: string
  top?: boolean
  children?: string[]
  attributes: { name: string; values?: string[]; completion: { info: string } }[]
  completion: { info: string; detail: string }
}

/** Gives one element for each command and each of its other names. */
export function elements(commands: readonly Command[]): Element[] {
  const list: Element[] = []
  const names = new Set(commands.map(c => c.name))
  for (const c of commands) {
    for (const name of [c.name, ...(c.aliases ?? [])]) {
      list.push({
        name,
        ...(c.children?.length ? { children: c.children } : {}),
        attributes: (c.params ?? []).map(p => ({
          name: p.name, ...(p.values?.length ? { values: p.values } : {}), completion: { info: paramWords(p) },
        })),
        completion: { info: c.summary, detail: name === c.name ? '' : `= ${c.name}` },
      })
    }
  }
  if (!names.has('Response')) {
    const root = commands.filter(c => !c.parents?.length || c.parents.includes('Response')).map(c => c.name)
    list.push({ name: 'Response', top: true, ...(root.length ? { children: root } : {}), attributes: [], completion: { info: 'the script: its commands run one after the other', detail: '' } })
  } else {
    const root = commands.find(c => c.name === 'Response')!
    for (const e of list) if (e.name === 'Response' || root.aliases?.includes(e.name)) e.top = true
  }
  return list
}

/** What a parameter takes: "number, at most 64; default 1; number of keys". */
export function paramWords(p: CommandParam): string {
  return [
    p.values?.length ? p.values.join(', ') : p.kind,
    p.required ? 'required' : p.default ? `default ${p.default}` : '',
    p.doc,
  ].filter(Boolean).join('; ')
}

/** Finds the command, and where attribute names one of its parameters, that too. Names are read without regard to case, as the switch does. */
export function explain(commands: readonly Command[], tag: string, attribute = ''): { command: Command; param?: CommandParam } | null {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  const command = commands.find(c => same(c.name, tag) || c.aliases?.some(a => same(a, tag)))
  if (!command) return null
  const param = attribute ? command.params?.find(p => same(p.name, attribute) || p.aliases?.some(a => same(a, attribute))) : undefined
  return attribute && !param ? null : { command, ...(param ? { param } : {}) }
}
