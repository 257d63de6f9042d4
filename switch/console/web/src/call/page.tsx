export function CallPage({ id }: { id: string }) { return <h1>Call {id}</h1> }
