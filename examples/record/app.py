"""Records a call. The switch posts a form for everything that happens on it:
IncomingCall is answered with OzML, RecordCompleted says where the sound is."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import quoteattr

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000


class App(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        answer = ""
        match form.get("NotificationName"):
            case "IncomingCall":
                answer = f"""<Response>
  <Speak>Your call will be recorded. You can stop recording by pressing 1. You have 1 minutes to talk.</Speak>
  <Record FinishedUrl={quoteattr(f"http://{self.headers['Host']}/")} FinishDigits="1" Format="wav"></Record>
  <Delay>60</Delay>
  <Hangup></Hangup>
</Response>"""
            case "RecordCompleted":  # an empty answer: the script goes on
                print(f"{form['Duration']} s of {form['CallerID']}: {form['RecordURL']}", flush=True)
        data = answer.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


ThreadingHTTPServer(("127.0.0.1", PORT), App).serve_forever()
