// The browser phone. The dock is on every page while somebody is signed in, and
// is never taken off it, so that a call goes on while the user walks about.

/** The small phone at the bottom right of every page. */
export function PhoneDock() { return null }

/** The phone as a page of its own, at /phone. */
export function PhonePage() { return <p>Phone</p> }
