<?php
// Takes a message and sends it as an e-mail with the recording attached. The mail
// is written in the answer to RecordCompleted: SendEmail needs no call, so it is
// sent when the caller has hung up, too.

$owner = getenv('OWNER') ?: 'ann@example.org';

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

header('Content-Type: application/xml; charset=utf-8');
switch ($_POST['NotificationName'] ?? '') {
    case 'IncomingCall':
        $self = xml("http://{$_SERVER['HTTP_HOST']}/?" . http_build_query(['name' => $_POST['CallerDisplayName'] ?? '']));
        echo <<<OZML
            <Response>
              <Speak>Nobody is here. Please leave a message after the tone, and press the hash key.</Speak>
              <Beep/>
              <Record FinishedUrl="$self" FinishDigits="#" Inactivity="8" Duration="180" Format="mp3"/>
            </Response>
            OZML;
        break;

    case 'RecordCompleted':
        $seconds = (int) round((float) ($_POST['Duration'] ?? 0));
        if (($_POST['Error'] ?? '') !== '' || $seconds < 1) {
            error_log('no message: ' . ($_POST['Error'] ?: 'too short'));
            break;
        }
        $from = preg_replace('/\s+/', ' ', trim(($_GET['name'] ?? '') . ' ' . ($_POST['CallerID'] ?? ''))); // a subject is one line
        [$to, $subject, $file] = array_map('xml', [$owner, "Message from $from", $_POST['RecordPath'] ?? '']);
        $text = xml("$from called and left a message of $seconds seconds.\n\nListen: " . ($_POST['RecordURL'] ?? ''));
        echo "<Response>\n<SendEmail Recipient=\"$to\" Subject=\"$subject\" Attachments=\"$file\">$text</SendEmail>\n"
            . "<Speak>Thank you. Your message is on its way. Goodbye.</Speak><Hangup/>\n</Response>";
        break;
}
