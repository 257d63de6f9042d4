<?php
// In front of a queue: says when nobody is there, lets who waits leave a message
// instead, at any moment, and takes a message of who has waited too long. The queue
// is an extension (type: queue) that knows the agents and whose turn it is.

$queue = getenv('QUEUE') ?: '9500';
[$from, $to] = array_map('intval', explode('-', getenv('HOURS') ?: '0-24')); // when somebody is there

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

// message takes one, for whatever reason.
function message(string $self): string
{
    return '<Speak>Please leave a message after the tone, and press the hash key.</Speak><Beep/>'
        . '<Record FinishedUrl="' . xml($self) . '" FinishDigits="#" Inactivity="6" Duration="120"/>';
}

header('Content-Type: application/xml; charset=utf-8');
$self = "http://{$_SERVER['HTTP_HOST']}/";
switch ($_POST['NotificationName'] ?? '') {
    case 'IncomingCall':
        echo "<Response>\n";
        if (date('G') < $from || date('G') >= $to) {
            echo "<Speak>We are here from $from to $to o'clock.</Speak>\n";
        } else {
            // What stands after Enqueue is for who was not answered.
            echo "<Speak>Welcome. The next free person is yours. To leave a message instead, press 1.</Speak>\n",
                '<Enqueue Timeout="300" Announce="30" LeaveKey="1">', xml($queue), "</Enqueue>\n",
                "<If Var=\"queueresult\" NotEquals=\"left\"><Speak>I am sorry, nobody is free now.</Speak></If>\n";
        }
        echo message($self), "\n</Response>";
        break;

    case 'RecordCompleted':
        error_log("message of {$_POST['Duration']} s: {$_POST['RecordURL']}");
        break;
}
