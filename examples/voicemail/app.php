<?php
// Takes a message. Record returns at once and the end of a script waits for it;
// the answer to RecordCompleted takes the call over, which is how the caller
// comes to hear a thank-you.

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

header('Content-Type: application/xml; charset=utf-8');
switch ($_POST['NotificationName'] ?? '') {
    case 'IncomingCall':
        $self = xml("http://{$_SERVER['HTTP_HOST']}/");
        echo <<<OZML
            <Response>
              <Speak>Hello, nobody can answer now. Please leave a message after the tone, then press the hash key.</Speak>
              <Beep/>
              <Record FinishedUrl="$self" FinishDigits="#" Inactivity="5" Duration="120" Format="mp3"/>
            </Response>
            OZML;
        break;

    case 'RecordCompleted': // Reason: digit, inactivity, duration, hangup ...
        error_log("message of {$_POST['Duration']} s from {$_POST['CallerID']}: {$_POST['RecordURL']}");
        if ($_POST['Reason'] !== 'hangup') {
            $seconds = xml((string) round((float) $_POST['Duration']));
            echo "<Response><Speak>Thank you for your message of $seconds seconds. Goodbye.</Speak><Hangup/></Response>";
        }
        break;
}
