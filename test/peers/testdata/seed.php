<?php
// The seed's script; the query may add attributes to Record.
file_put_contents(getenv('REQUEST_LOG'), file_get_contents('php://input') . "\n", FILE_APPEND | LOCK_EX);
if (($_POST['NotificationName'] ?? '') !== 'IncomingCall') {
    exit;
}
$self = htmlspecialchars("http://{$_SERVER['HTTP_HOST']}/", ENT_XML1 | ENT_QUOTES);
$more = '';
foreach ($_GET as $name => $value) {
    $more .= " $name=\"$value\"";
}
echo <<<OZML
    <?xml version="1.0"?>
    <Response>
      <Speak>Your call will be recorded. You can stop recording by pressing 1. You have 1 minutes to talk.</Speak>
      <Record FinishedUrl="$self" FinishDigits="1" Format="wav"$more></Record>
      <Delay>60</Delay>
      <Hangup></Hangup>
    </Response>
    OZML;
