// The page's policy lets no <style> of a script take effect unless it carries
// this nonce; give it to libraries that make some (EditorView.cspNonce,
// WaveSurfer's cspNonce).
export const cspNonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? ''
