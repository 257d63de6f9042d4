# Start it by: python3 app.py     Its URL: http://127.0.0.1:8000/
import sys, urllib.parse, wsgiref.simple_server, xml.sax.saxutils

def app(request, start):
    size = int(request.get("CONTENT_LENGTH") or 0)
    form = dict(urllib.parse.parse_qsl(request["wsgi.input"].read(size).decode()))
    start("200 OK", [("Content-Type", "text/xml; charset=utf-8")])
    if form.get("NotificationName") != "IncomingCall":
        return []  # a report about the call: an empty answer lets the script go on
    name = xml.sax.saxutils.escape(form.get("CallerDisplayName") or form["CallerID"])
    return [f"""<Response>
  <Speak>Hello {name}. This is your own app, in Python. Press 1.</Speak>
  <UserInput Timeout="5">
    <Inputs><Input Key="1"><Speak>You pressed one.</Speak></Input></Inputs>
  </UserInput>
</Response>""".encode()]

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
wsgiref.simple_server.make_server("127.0.0.1", port, app).serve_forever()
