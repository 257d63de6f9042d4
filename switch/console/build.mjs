// Builds the pages into assets/, which switch/console embeds: names carry a
// hash of the content, so that a browser may keep them for ever, and beside each
// is its .gz, made once here. index.html names the hashed files.
//
//	node build.mjs           for the program
//	node build.mjs --watch   while working on the pages, for `ozswitch dev --web
//	                         switch/console/assets`: plain, with source maps
import * as esbuild from 'esbuild'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'

const watch = process.argv.includes('--watch')
const out = 'assets'
const first = 120 // kB of gzip that the first load may take, without the editor

function emit(name, data) {
  writeFileSync(join(out, name), data)
  if (name !== 'index.html') writeFileSync(join(out, name + '.gz'), gzipSync(data, { level: 9 }))
}

// finish writes what esbuild made, and the page that names it.
function finish(result) {
  if (result.errors.length > 0) return
  mkdirSync(out, { recursive: true })
  for (const f of readdirSync(out)) if (f !== 'README.md') rmSync(join(out, f))
  const sizes = new Map()
  for (const f of result.outputFiles) {
    const name = basename(f.path)
    emit(name, f.contents)
    sizes.set(name, gzipSync(f.contents, { level: 9 }).length)
  }
  const icon = readFileSync('web/icon.svg')
  const names = { icon: `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg` }
  emit(names.icon, icon)
  const start = new Set()
  for (const [path, o] of Object.entries(result.metafile.outputs)) {
    if (!o.entryPoint || !['web/src/main.tsx', 'web/src/styles.css'].includes(o.entryPoint)) continue
    names[o.entryPoint === 'web/src/main.tsx' ? 'main' : 'styles'] = basename(path)
    const walk = p => {
      if (start.has(basename(p))) return
      start.add(basename(p))
      for (const i of result.metafile.outputs[p]?.imports ?? []) if (i.kind === 'import-statement') walk(i.path)
    }
    walk(path)
  }
  const page = readFileSync('web/index.html', 'utf8').replace(/\{\{(\w+)\}\}/g, (_, key) => {
    if (key === 'nonce') return _ // the server's, with each answer
    if (!names[key]) throw new Error(`index.html names {{${key}}}, which was not built`)
    return names[key]
  })
  emit('index.html', page)
  let total = 0
  for (const [name, size] of [...sizes].sort((a, b) => b[1] - a[1])) {
    if (name.endsWith('.map')) continue
    console.log(`${(size / 1000).toFixed(1).padStart(7)} kB gzip  ${start.has(name) ? 'first load' : 'when opened'}  ${name}`)
    if (start.has(name)) total += size
  }
  console.log(`${(total / 1000).toFixed(1).padStart(7)} kB gzip  the first load in all (at most ${first})`)
  if (total > first * 1000) {
    console.error('the first load is too large: load what is not needed at once with import()')
    if (!watch) process.exit(1)
  }
}

const options = {
  entryPoints: ['web/src/main.tsx', 'web/src/styles.css'],
  bundle: true,
  format: 'esm',
  splitting: true,
  minify: !watch,
  sourcemap: watch ? 'inline' : false,
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  outdir: out,
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"' },
}

if (watch) {
  const plugin = { name: 'finish', setup: b => b.onEnd(finish) }
  const ctx = await esbuild.context({ ...options, plugins: [plugin] })
  await ctx.watch()
} else {
  finish(await esbuild.build(options))
}
