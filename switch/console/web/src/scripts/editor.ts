// The editor: CodeMirror with the switch's own checker and command table. This
// file is a chunk of its own, loaded when a script is opened.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { xml } from '@codemirror/lang-xml'
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting, syntaxTree } from '@codemirror/language'
import { lintGutter, linter, lintKeymap, type Diagnostic } from '@codemirror/lint'
import { EditorState, RangeSetBuilder, StateEffect, StateField } from '@codemirror/state'
import { Decoration, drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, hoverTooltip, keymap, lineNumbers, type DecorationSet } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import type { Command, Diag } from '../api/types.ts'
import { cspNonce } from '../ui/csp.ts'
import { offset, span } from './positions.ts'
import { elements, explain, paramWords } from './schema.ts'
import { diagWords } from './words.ts'

export interface Options {
  parent: HTMLElement
  label: string
  text: string
  editable: boolean
  commands: Command[]
  /** Checks a text; its problems are marked. */
  lint: (text: string) => Promise<Diag[]>
  /** The problems of the text as it stands. */
  problems: (list: Diag[]) => void
  changed: (text: string) => void
}

export interface Editor {
  text: () => string
  /** Replaces all of the text, as when somebody else's is loaded. */
  load: (text: string) => void
  /** Lights the lines that ran; an edit puts them out. */
  light: (lines: readonly number[]) => void
  /** Puts the cursor on a problem. */
  show: (d: Diag) => void
  /** Carries out a problem's fix; it can be undone. */
  fix: (d: Diag) => void
  focus: () => void
  close: () => void
}

// Checked when nothing was typed for so long, in ms. With the way to the switch
// and back the mark is there within 100 ms after typing stops.
const pause = 60

const lightUp = StateEffect.define<readonly number[]>()
const litLine = Decoration.line({ class: 'cm-ran' })

const lit = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, tr) {
    if (tr.docChanged) set = Decoration.none
    for (const e of tr.effects) {
      if (!e.is(lightUp)) continue
      const b = new RangeSetBuilder<Decoration>()
      for (const n of [...e.value].sort((a, z) => a - z)) {
        if (n < 1 || n > tr.state.doc.lines) continue
        const from = tr.state.doc.line(n).from
        b.add(from, from, litLine)
      }
      set = b.finish()
    }
    return set
  },
  provide: f => EditorView.decorations.from(f),
})

const colours = HighlightStyle.define([
  { tag: [tags.tagName, tags.angleBracket], color: 'var(--accent)' },
  { tag: tags.attributeName, color: 'var(--in)' },
  { tag: tags.attributeValue, color: 'var(--good)' },
  { tag: [tags.comment, tags.processingInstruction, tags.documentMeta], color: 'var(--soft)', fontStyle: 'italic' },
  { tag: tags.invalid, color: 'var(--bad)' },
])

const looks = EditorView.theme({
  '&': { fontSize: '.95rem', backgroundColor: 'var(--card)', color: 'var(--text)', height: '100%' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--sunk)', color: 'var(--soft)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--accent-ground) 45%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-ground)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-ran': { backgroundColor: 'var(--lit)', boxShadow: 'inset 3px 0 0 var(--lit-edge)' },
  '.cm-tooltip': { backgroundColor: 'var(--card)', color: 'var(--text)', border: '1px solid var(--line)', borderRadius: '6px', boxShadow: 'var(--shadow)', maxWidth: 'min(32rem, 90vw)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-diagnostic': { padding: '.35rem .6rem' },
  '.cm-diagnosticAction': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)', borderRadius: '4px', padding: '.1rem .5rem' },
  '.cm-help': { padding: '.5rem .75rem', fontSize: '.88rem' },
  '.cm-help p': { margin: '.25rem 0' },
})

/** Opens an editor below o.parent. */
export function open(o: Options): Editor {
  let shown: Diag[] = []

  function fix(d: Diag) {
    if (!d.fix) return
    const f = d.fix
    const doc = view.state.doc
    view.dispatch({ changes: { from: offset(doc, f.line, f.col), to: offset(doc, f.end_line, f.end_col), insert: f.text }, userEvent: 'input.fix' })
  }

  async function check(v: EditorView): Promise<Diagnostic[]> {
    const doc = v.state.doc
    // `vet` leaves notes out as well.
    const list = (await o.lint(doc.toString())).filter(d => d.severity !== 'note')
    if (v.state.doc !== doc) return [] // typed on: the next check is on its way
    shown = list
    o.problems(list)
    return list.map(d => ({
      ...span(doc, d),
      severity: d.severity === 'error' ? 'error' as const : 'warning' as const,
      message: diagWords(d),
      actions: d.fix ? [{ name: 'Fix', apply: () => fix(d) }] : [],
    }))
  }

  const view = new EditorView({
    parent: o.parent,
    state: EditorState.create({
      doc: o.text,
      extensions: [
        EditorView.cspNonce.of(cspNonce),
        lineNumbers(), lintGutter(), highlightSpecialChars(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        autocompletion(), highlightActiveLine(), lit, looks, syntaxHighlighting(colours), EditorView.lineWrapping,
        xml({ elements: elements(o.commands) }),
        EditorState.readOnly.of(!o.editable),
        EditorView.contentAttributes.of({ 'aria-label': o.label, spellcheck: 'false' }),
        hoverTooltip((v, pos) => help(v, pos, o.commands)),
        linter(check, { delay: pause }),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
        EditorView.updateListener.of(u => { if (u.docChanged) o.changed(u.state.doc.toString()) }),
      ],
    }),
  })
  return {
    text: () => view.state.doc.toString(),
    load: text => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    light: lines => view.dispatch({ effects: lightUp.of(lines) }),
    show: d => {
      const at = span(view.state.doc, d)
      view.dispatch({ selection: { anchor: at.from, head: at.to }, scrollIntoView: true })
      view.focus()
    },
    fix: d => { if (shown.includes(d)) fix(d) }, // its place holds only in the text it was found in
    focus: () => view.focus(),
    close: () => view.destroy(),
  }
}

// help is what a tag or an attribute under the pointer means.
function help(view: EditorView, pos: number, commands: Command[]) {
  const node = syntaxTree(view.state).resolveInner(pos, 1)
  const text = (n: { from: number; to: number }) => view.state.sliceDoc(n.from, n.to)
  let found: ReturnType<typeof explain> = null
  if (node.name === 'TagName') found = explain(commands, text(node))
  if (node.name === 'AttributeName') {
    const tag = node.parent?.parent?.getChild('TagName')
    if (tag) found = explain(commands, text(tag), text(node))
  }
  if (!found) return null
  const { command, param } = found
  return {
    pos: node.from,
    end: node.to,
    above: true,
    create: () => {
      const dom = document.createElement('div')
      dom.className = 'cm-help'
      const add = (kind: string, words: string) => {
        const e = document.createElement(kind)
        e.textContent = words
        dom.append(e)
      }
      if (param) {
        add('b', `${command.name} ${param.name}`)
        add('p', paramWords(param))
      } else {
        add('b', `<${command.name}>`)
        add('p', command.summary)
        const params = command.params ?? []
        if (params.length > 0) add('p', `Attributes: ${params.map(p => p.name + (p.required ? ' (required)' : '')).join(', ')}`)
      }
      return { dom }
    },
  }
}
