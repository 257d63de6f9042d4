<?php
// Told of every change of every call (call_changed_url). When two people talk,
// both hear a sentence, and the one who was called is replaced by 1003. Each call
// is treated once: a transferred call is in a conversation again.

$treated = sys_get_temp_dir() . '/announced-' . preg_replace('/\W/', '', $_POST['CallID'] ?? '');

if (($_POST['NotificationName'] ?? '') !== 'CallChanged' || $_POST['CallState'] !== 'InCall' || file_exists($treated)) {
    exit; // no commands: nothing happens to the call
}
touch($treated);
header('Content-Type: application/xml; charset=utf-8');
?>
<Response>
  <Speak Party="all">You will be connected with our expert.</Speak>
  <BlindTransfer TransferorParty="callee" Target="1003"/>
</Response>
