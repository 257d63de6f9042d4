// Records a call. The switch posts a form for everything that happens on it:
// IncomingCall is answered with OzML, RecordCompleted says where the sound is.

const http = require('node:http');

const port = Number(process.argv[2] ?? 8000);

// xml makes any text safe between tags and in attributes.
const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
const xml = (text) => String(text).replace(/[&<>"']/g, (c) => escapes[c]);

function answer(form, self) {
  switch (form.get('NotificationName')) {
    case 'IncomingCall':
      return `<Response>
  <Speak>Your call will be recorded. You can stop recording by pressing 1. You have 1 minutes to talk.</Speak>
  <Record FinishedUrl="${xml(self)}" FinishDigits="1" Format="wav"></Record>
  <Delay>60</Delay>
  <Hangup></Hangup>
</Response>`;
    case 'RecordCompleted': // an empty answer: the script goes on
      console.log(`${form.get('Duration')} s of ${form.get('CallerID')}: ${form.get('RecordURL')}`);
  }
  return '';
}

http.createServer(async (request, response) => {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) body += piece;
  response.setHeader('Content-Type', 'application/xml; charset=utf-8');
  response.end(answer(new URLSearchParams(body), `http://${request.headers.host}/`));
}).listen(port, '127.0.0.1');
