<?php // Start it by: php -S 127.0.0.1:8000     Its URL: http://127.0.0.1:8000/ivr.php
if (($_POST['NotificationName'] ?? '') !== 'IncomingCall') {
    exit; // a report about the call: an empty answer lets the script go on
}
$caller = ($_POST['CallerDisplayName'] ?? '') ?: $_POST['CallerID'];
header('Content-Type: text/xml; charset=utf-8');
$name = htmlspecialchars($caller, ENT_XML1 | ENT_QUOTES);
echo <<<OZML
    <Response>
      <Speak>Hello $name. This is your own app, in PHP. Press 1.</Speak>
      <UserInput Timeout="5">
        <Inputs><Input Key="1"><Speak>You pressed one.</Speak></Input></Inputs>
      </UserInput>
    </Response>
    OZML;
