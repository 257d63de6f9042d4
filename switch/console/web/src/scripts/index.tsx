// Scripts: the list at /scripts, the editor at /scripts/NAME. The editor itself
// (CodeMirror) is loaded by import() when it is opened, with cspNonce of
// ../ui/csp.ts, else its styles do not take effect.

/** Shows the list, or the script of that name. */
export function ScriptsPage({ name }: { name: string }) { return <p>Scripts {name}</p> }
