<?php
// Asks for a PIN, three times at most. UserInput posts the digits to
// ForwardToUrl as DtmfEntered and runs what this page answers. What the page
// must remember between requests travels in the URL, as it does on the web.
//
// Say sensitive_input: true for the extension, and the switch logs no digits.

$accounts = ['4711' => 'Anna & Sons', '0815' => 'Bob']; // a database, in life

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

// ask writes the question; its answer comes to this page with the number of tries.
function ask(string $says, int $tries): string
{
    $url = xml("http://{$_SERVER['HTTP_HOST']}/?tries=$tries&from=pin");
    $says = xml($says);

    return <<<OZML
        <Response>
          <UserInput Digits="4" Timeout="5" Repeat="true" ForwardToUrl="$url">
            <InitialCommands>
              <Speak>$says</Speak>
            </InitialCommands>
          </UserInput>
        </Response>
        OZML;
}

header('Content-Type: application/xml; charset=utf-8');
switch ($_POST['NotificationName'] ?? '') {
    case 'IncomingCall':
        echo ask('Please enter your four digit PIN.', 1);
        break;

    case 'DtmfEntered':
        $tries = (int) ($_GET['tries'] ?? 1);
        $name = $accounts[$_POST['DtmfDigits'] ?? ''] ?? null;
        if ($name !== null) {
            echo '<Response><Speak>Welcome, ' . xml($name) . '.</Speak><Hangup/></Response>';
        } elseif ($tries < 3) {
            echo ask('That is not right. Please try again.', $tries + 1);
        } else {
            echo '<Response><Speak>Goodbye.</Speak><Hangup/></Response>';
        }
        break;
}
