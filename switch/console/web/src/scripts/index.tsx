// Scripts: the list at /scripts, the editor at /scripts/NAME, and at
// /scripts?app how a web app of one's own takes the calls. The editor itself
// (CodeMirror) is loaded by import() when a script is opened.
import { query } from '../router.ts'
import { AppPage } from './app.tsx'
import { EditPage } from './edit.tsx'
import { ListPage } from './list.tsx'

/** Shows the list, or the script of that name. */
export function ScriptsPage({ name }: { name: string }) {
  if (name) return <EditPage key={name} name={name} />
  return query.value.has('app') ? <AppPage /> : <ListPage />
}
