<?php
// Answers text messages. The switch posts IncomingSMS to sms_url of the extension
// and runs the answer's commands, of those that need no call; SMSDeliveryReport
// tells later whether the answer has arrived.

$answers = [
    'HOURS' => 'We are here from Monday to Friday, 9 to 17 h.',
    'ADDRESS' => 'Miller & Sons, 12 High Street. Parking is behind the house.',
];
$help = 'Write HOURS or ADDRESS. To be called, write CALL.';
$desk = getenv('DESK') ?: '1002';

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

header('Content-Type: application/xml; charset=utf-8');
$self = xml("http://{$_SERVER['HTTP_HOST']}/");
switch ($_POST['NotificationName'] ?? '') {
    case 'IncomingSMS':
        $sender = $_POST['Sender'] ?? '';
        if (!preg_match('/^\+?\d{3,15}$/', $sender)) {
            break; // a name cannot be answered; services that write by name answer each other for ever
        }
        $word = strtoupper(strtok(trim($_POST['Message'] ?? ''), " \t\r\n.!?") ?: '');
        error_log("$sender wrote $word");
        $text = $answers[$word] ?? ($word === 'CALL' ? 'We are calling you.' : $help);
        echo "<Response>\n<SendSms Recipient=\"$sender\" DeliveryReportURL=\"$self\">", xml($text), "</SendSms>\n",
            $word === 'CALL' ? "<Call Url=\"$self\">$sender</Call>\n" : '', '</Response>';
        break;

    case 'SMSDeliveryReport':
        error_log("answer to {$_POST['Recipient']}: {$_POST['Status']} " . ($_POST['Error'] ?? ''));
        break;

    case 'CallConnected':
        echo '<Response><Speak>Hello, you asked us to call.</Speak><BlindTransfer>', xml($desk),
            '</BlindTransfer><Speak>Nobody is here now.</Speak><Hangup/></Response>';
        break;

    case 'IncomingCall': // somebody calls the number
        echo '<Response><Speak>Please send a text message to this number. ', xml($help), '</Speak><Hangup/></Response>';
        break;
}
