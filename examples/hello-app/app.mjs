// Start it by: node app.mjs     Its URL: http://127.0.0.1:8000/
import { createServer } from 'node:http';

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
createServer(async (request, response) => {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) body += piece;
  const form = new URLSearchParams(body);
  response.setHeader('Content-Type', 'text/xml; charset=utf-8');
  if (form.get('NotificationName') !== 'IncomingCall') return response.end(); // a report: the script goes on
  const name = (form.get('CallerDisplayName') || form.get('CallerID')).replace(/[&<>]/g, (c) => escapes[c]);
  response.end(`<Response>
  <Speak>Hello ${name}. This is your own app, in Node. Press 1.</Speak>
  <UserInput Timeout="5">
    <Inputs><Input Key="1"><Speak>You pressed one.</Speak></Input></Inputs>
  </UserInput>
</Response>`);
}).listen(Number(process.argv[2] ?? 8000), '127.0.0.1');
