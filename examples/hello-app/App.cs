// Start it by: dotnet run App.cs     Its URL: http://127.0.0.1:8000/
using System.IO; using System.Net; using System.Security; using System.Text; using System.Web;

class App {
    static void Main() {
        var web = new HttpListener { Prefixes = { "http://127.0.0.1:8000/" } };
        for (web.Start(); ; ) {
            var asked = web.GetContext();
            var form = HttpUtility.ParseQueryString(new StreamReader(asked.Request.InputStream, Encoding.UTF8).ReadToEnd());
            var name = string.IsNullOrEmpty(form["CallerDisplayName"]) ? form["CallerID"] : form["CallerDisplayName"];
            var answer = form["NotificationName"] != "IncomingCall" ? "" : // a report: the script goes on
                $@"<Response>
  <Speak>Hello {SecurityElement.Escape(name)}. This is your own app, in C#. Press 1.</Speak>
  <UserInput Timeout=""5"">
    <Inputs><Input Key=""1""><Speak>You pressed one.</Speak></Input></Inputs>
  </UserInput>
</Response>";
            asked.Response.ContentType = "text/xml; charset=utf-8";
            asked.Response.Close(Encoding.UTF8.GetBytes(answer), true);
        }
    }
}
