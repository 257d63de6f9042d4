<?php
// A monitoring centre: alarm systems call in and report (Contact ID), the office gets
// a mail, a mobile phone a text message, and the guard is called until he takes the
// alarm by a key. All of it is in a log.

$guard = getenv('GUARD') ?: '1002';
$mobile = getenv('MOBILE') ?: '+36201234567';
$office = getenv('OFFICE') ?: 'office@example.org';
$log = getenv('ALARM_LOG') ?: sys_get_temp_dir() . '/alarms.log';

// xml makes any text safe between tags and in attributes.
function xml(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

// digits keeps what Contact ID has: the query of a URL may hold anything.
function digits(string $name): string
{
    return preg_match('/^[0-9B-F]{1,4}$/', $_GET[$name] ?? '') ? $_GET[$name] : '';
}

header('Content-Type: application/xml; charset=utf-8');
$alarm = ['account' => digits('account'), 'event' => digits('event'), 'zone' => digits('zone')];
$words = "event {$alarm['event']} in zone {$alarm['zone']} of account {$alarm['account']}";
$self = xml("http://{$_SERVER['HTTP_HOST']}/");
$again = xml("http://{$_SERVER['HTTP_HOST']}/?" . http_build_query($alarm));
$note = function (string $what) use ($log, $words) {
    error_log("$words: $what");
    file_put_contents($log, date('c') . " $words: $what\n", FILE_APPEND | LOCK_EX);
};
switch ($_POST['NotificationName'] ?? '') {
    case 'IncomingCall': // $account and the like are the switch's: it fills them in
        [$guard, $mobile, $office] = [xml($guard), xml($mobile), xml($office)];
        echo <<<OZML
            <Response>
              <ReceiveAlarmNotification>
                <Received>
                  <Call Url="$self?account=\$account&amp;event=\$eventcode&amp;zone=\$zone" FinishedUrl="$self?account=\$account&amp;event=\$eventcode&amp;zone=\$zone">$guard</Call>
                  <SendSms Recipient="$mobile">\$eventname in zone \$zone of account \$account (\$eventqualifier)</SendSms>
                  <SendEmail Recipient="$office" Subject="\$eventname, account \$account">\$eventqualifier \$eventcode, partition \$partition, zone \$zone</SendEmail>
                </Received>
              </ReceiveAlarmNotification>
              <Speak>This number takes the reports of alarm systems only. Goodbye.</Speak>
            </Response>
            OZML;
        break;

    case 'CallConnected': // the guard has answered
        $text = xml("Alarm: $words. To take it, press 1.");
        echo <<<OZML
            <Response>
              <UserInput Digits="1" Timeout="5" Repeat="true" ForwardToUrl="$again">
                <InitialCommands><Speak>$text</Speak></InitialCommands>
              </UserInput>
            </Response>
            OZML;
        break;

    case 'DtmfEntered':
        if ($_POST['DtmfDigits'] !== '1') { // he is asked again
            echo '<Response/>';
            break;
        }
        $note('taken by the guard');
        echo '<Response><Speak>Thank you. The alarm is yours.</Speak><Hangup/></Response>';
        break;

    case 'CallCompleted': // he may have hung up, or may not have answered
        $note("call of the guard over, {$_POST['State']}");
        break;
}
