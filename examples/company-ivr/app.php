<?php
// A company's switchboard: opening hours, the sales desk, and a part for members
// who show who they are by a number and a PIN. What must be remembered between
// requests travels in the URL; the switch alone sees it.
//
// Say sensitive_input: true for the extension, and the switch logs no digits.

$desk = getenv('DESK') ?: '1002';
$members = [ // a database, in life; never the PIN itself
    '1001' => ['Anna & Sons', '$2y$10$4TKDjutVIsAIozp/hb86sOKltJs2yx.a5/2FhmF72o3YOmnqYQVpO', 12], // 4711
    '1002' => ['Bob', '$2y$10$p8f.iE1CgZ33X4pCBlVPgudiMA8XYSxJ8vzdsR.t7O78n5Ct9j/Bq', 0],          // 0815
];

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

// ask lets the caller enter so many digits, which come to this page as a step.
function ask(string $says, int $digits, array $step): string
{
    $url = xml("http://{$_SERVER['HTTP_HOST']}/?" . http_build_query($step));

    return "<UserInput Digits=\"$digits\" Timeout=\"6\" ForwardToUrl=\"$url\">"
        . '<InitialCommands><Speak>' . xml($says) . '</Speak></InitialCommands></UserInput>'
        . '<Speak>I did not hear anything. Goodbye.</Speak><Hangup/>';
}

// menu is what everybody hears first.
function menu(string $desk): string
{
    $url = xml("http://{$_SERVER['HTTP_HOST']}/?step=number");
    $desk = xml($desk);

    return <<<OZML
        <UserInput Timeout="4" Repeat="true">
          <InitialCommands>
            <Speak>Welcome to Miller and Sons. For our opening hours, press 1. For sales, press 2. If you are a member, press 3.</Speak>
          </InitialCommands>
          <Inputs>
            <Input Key="1"><Speak>We are here from Monday to Friday, from nine to five.</Speak></Input>
            <Input Key="2">
              <Speak>One moment.</Speak>
              <BlindTransfer RingTime="20">$desk</BlindTransfer>
              <Speak>All our people are on the telephone.</Speak>
            </Input>
            <Input Key="3">
              <UserInput Digits="4" Timeout="6" BackKey="*" ForwardToUrl="$url">
                <InitialCommands><Speak>Please enter your member number. To go back, press star.</Speak></InitialCommands>
              </UserInput>
            </Input>
          </Inputs>
        </UserInput>
        OZML;
}

header('Content-Type: application/xml; charset=utf-8');
$digits = (string) ($_POST['DtmfDigits'] ?? '');
$number = (string) ($_GET['number'] ?? '');
$tries = (int) ($_GET['tries'] ?? 1);
echo '<Response>';
switch (($_POST['NotificationName'] ?? '') . ' ' . ($_GET['step'] ?? '')) {
    case 'IncomingCall ':
        echo menu($desk);
        break;

    case 'DtmfEntered number': // whether there is such a member shows nobody before the PIN
        echo ask('Please enter your PIN.', 4, ['step' => 'pin', 'number' => $digits, 'tries' => 1]);
        break;

    case 'DtmfEntered pin':
        [$name, $hash, $points] = $members[$number] ?? ['', '', 0];
        if (password_verify($digits, $hash)) {
            error_log("member $number is in");
            echo '<Speak>' . xml("Welcome, $name. You have $points points.") . '</Speak>'
                . ask('To hear the offer of the week, press 1. To leave, press 2.', 1, ['step' => 'offer']);
        } elseif ($tries < 3) {
            echo ask('That is not right. Please enter your PIN again.', 4, ['step' => 'pin', 'number' => $number, 'tries' => $tries + 1]);
        } else {
            error_log("member $number: three wrong PINs");
            echo '<Speak>Goodbye.</Speak><Hangup/>';
        }
        break;

    case 'DtmfEntered offer':
        echo $digits === '1' ? '<Speak>This week, all chairs cost half.</Speak>' : '', '<Speak>Goodbye.</Speak><Hangup/>';
        break;
}
echo '</Response>';
