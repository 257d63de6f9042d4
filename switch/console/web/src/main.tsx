import { render } from 'preact'
import { App } from './app.tsx'
import { listen } from './router.ts'

listen()
render(<App />, document.getElementById('app')!)
