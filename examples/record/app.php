<?php
// Records a call. The switch posts a form for everything that happens on it:
// IncomingCall is answered with OzML, RecordCompleted says where the sound is.

if ($log = getenv('REQUEST_LOG')) { // what the switch really sends, one request a line
    file_put_contents($log, file_get_contents('php://input') . "\n", FILE_APPEND | LOCK_EX);
}

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

switch ($_POST['NotificationName'] ?? '') {
    case 'IncomingCall':
        $self = xml("http://{$_SERVER['HTTP_HOST']}/");
        header('Content-Type: application/xml; charset=utf-8');
        echo <<<OZML
            <Response>
              <Speak>Your call will be recorded. You can stop recording by pressing 1. You have 1 minutes to talk.</Speak>
              <Record FinishedUrl="$self" FinishDigits="1" Format="wav"></Record>
              <Delay>60</Delay>
              <Hangup></Hangup>
            </Response>
            OZML;
        break;

    case 'RecordCompleted': // an empty answer: the script goes on
        error_log("{$_POST['Duration']} s of {$_POST['CallerID']}: {$_POST['RecordURL']}");
        break;
}
