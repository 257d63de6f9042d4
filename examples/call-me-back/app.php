<?php
// Nobody need wait in a queue: who presses 1 is called back once he has hung up.
// OnHangup says what the switch does when the call is over; Call needs no call.

$desk = getenv('DESK') ?: '1002'; // who talks to the people who are called back

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

header('Content-Type: application/xml; charset=utf-8');
$self = xml("http://{$_SERVER['HTTP_HOST']}/");
$caller = $_POST['CallerID'] ?? '';
$desk = xml($desk);
switch ($_POST['NotificationName'] ?? '') {
    case 'IncomingCall':
        echo <<<OZML
            <Response>
              <UserInput Digits="1" Timeout="5" ForwardToUrl="$self">
                <InitialCommands>
                  <Speak>All our people are on the telephone. If we shall call you back, press 1.</Speak>
                </InitialCommands>
              </UserInput>
              <Speak>Then please try again later. Goodbye.</Speak>
              <Hangup/>
            </Response>
            OZML;
        break;

    case 'DtmfEntered':
        if ($_POST['DtmfDigits'] !== '1' || !preg_match('/^\+?\d{2,15}$/', $caller)) { // anonymous, or no number
            echo '<Response/>';
            break;
        }
        $digits = xml(implode(' ', str_split($caller)));
        $number = xml($caller);
        echo <<<OZML
            <Response>
              <OnHangup><Call Url="$self" FinishedUrl="$self" RingTime="30">$number</Call></OnHangup>
              <Speak>We will call you back at $digits. Please hang up now.</Speak>
              <Hangup/>
            </Response>
            OZML;
        break;

    case 'CallConnected': // the caller of before has answered
        echo <<<OZML
            <Response>
              <Speak>Hello, you wanted to talk to us. One moment.</Speak>
              <BlindTransfer RingTime="30">$desk</BlindTransfer>
              <Speak>I am sorry, there is still nobody here. Goodbye.</Speak>
              <Hangup/>
            </Response>
            OZML;
        break;

    case 'CallCompleted':
        error_log("called back: {$_POST['State']}, {$_POST['Duration']} s");
        break;
}
