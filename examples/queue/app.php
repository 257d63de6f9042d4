<?php
// In front of a queue: says how things are, lets who does not want to wait leave a
// number, and takes back who has waited too long. The queue itself is an extension
// (type: queue), which knows the agents and the music.

$queue = getenv('QUEUE') ?: '9500';
$hours = explode('-', getenv('HOURS') ?: '0-24'); // when somebody is there

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

header('Content-Type: application/xml; charset=utf-8');
$self = xml("http://{$_SERVER['HTTP_HOST']}/");
$queue = xml($queue);
switch ($_POST['NotificationName'] ?? '') {
    case 'IncomingCall':
        if ((int) date('G') < $hours[0] || (int) date('G') >= $hours[1]) {
            echo "<Response><Speak>We are here from $hours[0] to $hours[1]. Goodbye.</Speak><Hangup/></Response>";
            break;
        }
        echo <<<OZML
            <Response>
              <UserInput Digits="1" Timeout="3">
                <InitialCommands>
                  <Speak>Welcome. The next free person is yours. If you would rather leave a message, press 1.</Speak>
                </InitialCommands>
                <Inputs>
                  <Input Key="1">
                    <Speak>Please speak after the tone, and press the hash key.</Speak>
                    <Beep/>
                    <Record FinishedUrl="$self" FinishDigits="#" Inactivity="6" Duration="120"/>
                    <Exit/>
                  </Input>
                </Inputs>
              </UserInput>
              <BlindTransfer>$queue</BlindTransfer>
              <Speak>Nobody can be reached now. Please call again later.</Speak>
              <Hangup/>
            </Response>
            OZML;
        break;

    case 'RecordCompleted':
        error_log("message of {$_POST['Duration']} s: {$_POST['RecordURL']}");
        break;
}
