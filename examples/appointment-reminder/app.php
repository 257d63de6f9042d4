<?php
// Calls people the day before and asks whether they come. Three ways lead here:
//
//   a browser     the list, with a button that calls
//   php app.php   the same from a shell or cron: php app.php 1 http://127.0.0.1:8000/
//   the switch    CallConnected when the callee answers, DtmfEntered with the key
//
// The switch signs what it sends when the extension has a secret: in its
// configuration. Give the same one here as OZSWITCH_SECRET, and nobody else can
// confirm an appointment.

$switch = getenv('OZSWITCH') ?: 'http://127.0.0.1:9509';          // its HTTP API
$login = getenv('OZSWITCH_LOGIN') ?: 'HTTP_User_1:change-me-1';   // user:password
$extension = getenv('EXTENSION') ?: '9000';                       // the api extension that leads here
$desk = getenv('DESK') ?: '1002';                                 // who takes questions
$file = getenv('APPOINTMENTS') ?: sys_get_temp_dir() . '/appointments.json';

// xml makes any text safe between tags and in attributes, of OzML and of HTML.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

// appointments reads the list, and writes it when one is changed.
function appointments(string $file, ?string $id = null, string $state = ''): array
{
    $f = fopen($file, 'c+');
    flock($f, LOCK_EX); // two calls may end at once
    $all = json_decode(stream_get_contents($f), true) ?? [
        '1' => ['who' => 'Ann', 'phone' => '1001', 'when' => 'tomorrow at ten', 'state' => 'not asked'],
        '2' => ['who' => 'Bob & Sons', 'phone' => '1003', 'when' => 'tomorrow at noon', 'state' => 'not asked'],
    ];
    if ($id !== null && isset($all[$id])) {
        $all[$id]['state'] = $state;
        ftruncate($f, 0);
        rewind($f);
        fwrite($f, json_encode($all, JSON_PRETTY_PRINT));
    }
    fclose($f);

    return $all;
}

// call lets the switch call somebody; the answer has a code, 200 when it rings.
function call(string $switch, string $login, string $extension, string $phone, string $url): string
{
    $answer = @file_get_contents("$switch/api", false, stream_context_create(['http' => [
        'method' => 'POST',
        'header' => ['Content-Type: application/x-www-form-urlencoded', 'Authorization: Basic ' . base64_encode($login)],
        'content' => http_build_query(['command' => 'Call', 'ApiExtension' => $extension, 'Dialed' => $phone, 'Url' => $url, 'FinishedUrl' => $url]),
        'timeout' => 15,
        'ignore_errors' => true,
    ]]));
    $has = fn (string $name) => preg_match("~<$name>([^<]*)</$name>~", (string) $answer, $m) ? $m[1] : '';

    return $has('Code') === '200' ? 'calling' : 'not called: ' . ($has('Message') ?: 'the switch does not answer');
}

// signed tells whether the switch sent this request.
function signed(): bool
{
    $secret = getenv('OZSWITCH_SECRET');
    if ($secret === false) {
        return true; // no secret is agreed upon
    }
    if (!preg_match('/^t=(\d+),v1=([0-9a-f]{64})$/', $_SERVER['HTTP_OZSWITCH_SIGNATURE'] ?? '', $m) || abs(time() - (int) $m[1]) > 300) {
        return false;
    }

    return hash_equals(hash_hmac('sha256', $m[1] . '.' . file_get_contents('php://input'), $secret), $m[2]);
}

// question asks whether somebody comes; the key comes back to this page.
function question(string $url, array $a, string $lead = ''): string
{
    $says = xml("$lead This is a reminder for {$a['who']}: you have an appointment {$a['when']}."
        . ' If you come, press 1. If you cannot come, press 2. To talk to us, press 3.');

    return "<UserInput Digits=\"1\" Timeout=\"5\" Repeat=\"true\" ForwardToUrl=\"" . xml($url) . "\">\n"
        . "<InitialCommands><Speak>$says</Speak></InitialCommands>\n</UserInput>";
}

if (PHP_SAPI === 'cli') {
    $id = $argv[1] ?? '';
    $a = appointments($file)[$id] ?? exit("php app.php NUMBER URL-OF-THIS-PAGE: there is no appointment '$id'\n");
    $state = call($switch, $login, $extension, $a['phone'], ($argv[2] ?? 'http://127.0.0.1:8000/') . "?id=$id");
    appointments($file, $id, $state);
    echo "$state\n";
    exit($state === 'calling' ? 0 : 1);
}

$id = (string) ($_GET['id'] ?? '');
$a = appointments($file)[$id] ?? null;
$self = "http://{$_SERVER['HTTP_HOST']}/?id=$id";
$what = $_POST['NotificationName'] ?? '';
if ($what !== '' && !signed()) {
    http_response_code(403);
    exit;
}
if ($what !== '' && $what !== 'IncomingCall' && $a === null) {
    exit; // of no appointment: no commands
}
if ($what !== '') {
    header('Content-Type: application/xml; charset=utf-8');
}
switch ($what) {
    case 'CallConnected':
        echo '<Response>' . question($self, $a, 'Hello.') . '</Response>';
        break;

    case 'DtmfEntered':
        [$state, $does] = match ($_POST['DtmfDigits'] ?? '') {
            '1' => ['comes', '<Speak>Thank you. We look forward to seeing you.</Speak><Hangup/>'],
            '2' => ['does not come', '<Speak>What a pity. We will call you for another day.</Speak><Hangup/>'],
            '3' => ['has a question', '<Speak>One moment.</Speak><BlindTransfer>' . xml($desk) . '</BlindTransfer>'
                . '<Speak>Nobody is here. Please call again.</Speak><Hangup/>'],
            default => ['calling', ''], // the menu repeats
        };
        appointments($file, $id, $state);
        echo "<Response>$does</Response>";
        break;

    case 'CallCompleted': // however it ended
        if ($a['state'] === 'calling') {
            appointments($file, $id, 'not reached: ' . ($_POST['State'] ?? ''));
        }
        break;

    case 'IncomingCall': // who calls back
        foreach (appointments($file) as $other => $a) {
            if ($a['phone'] === ($_POST['CallerID'] ?? '')) {
                exit('<Response>' . question("http://{$_SERVER['HTTP_HOST']}/?id=$other", $a) . '</Response>');
            }
        }
        echo '<Response><Speak>You have no appointment with us. Goodbye.</Speak><Hangup/></Response>';
        break;

    default: // a browser
        if ($a !== null && ($_SERVER['REQUEST_METHOD'] ?? '') === 'POST') {
            if (($_SERVER['HTTP_SEC_FETCH_SITE'] ?? 'none') === 'cross-site') {
                http_response_code(403); // a page of others makes nobody call
                exit;
            }
            appointments($file, $id, call($switch, $login, $extension, $a['phone'], $self));
        }
        header('Content-Type: text/html; charset=utf-8');
        echo "<!doctype html><title>Appointments</title><h1>Appointments</h1><table>\n";
        foreach (appointments($file) as $id => $a) {
            echo '<tr><td>', implode('<td>', array_map('xml', $a)),
                "<td><form method=\"post\" action=\"?id=$id\"><button>Call</button></form>\n";
        }
        echo '</table>';
}
