// Runs the tests of the pages' pure parts, web/src/**/*.test.ts, with node's own
// runner. `go test ./switch/console` calls it.
import * as esbuild from 'esbuild'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const found = readdirSync('web/src', { recursive: true }).filter(f => f.endsWith('.test.ts')).map(f => join('web/src', f))
if (found.length === 0) throw new Error('there is no test below web/src')
const out = mkdtempSync(join(tmpdir(), 'ozswitch-pages-'))
try {
  await esbuild.build({
    entryPoints: found, outdir: out, outExtension: { '.js': '.mjs' }, bundle: true, format: 'esm', platform: 'node',
    target: 'node20', jsx: 'automatic', jsxImportSource: 'preact', sourcemap: 'inline', logLevel: 'warning',
  })
  const files = readdirSync(out, { recursive: true }).filter(f => f.endsWith('.mjs')).map(f => join(out, f))
  const r = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=spec', ...files], { stdio: 'inherit' })
  process.exitCode = r.status ?? 1
} finally {
  rmSync(out, { recursive: true })
}
