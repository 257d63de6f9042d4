<?php
// Who is rung when somebody calls 8000: three people, one after the other, each
// for a few seconds; then the answering machine. All other numbers are left to
// the dial plan. The switch asks here before it rings anybody
// (routing_url), and again after each who did not answer.

$people = ['1001', '1002', '1003'];
$seconds = 4;
$machine = '9100';

if (($_POST['NotificationName'] ?? '') !== 'RoutingInterception' || ($_POST['OriginalDialedNumber'] ?? '') !== '8000') {
    exit; // no Route: the dial plan decides
}
header('Content-Type: application/xml; charset=utf-8');
$next = $_POST['LastCallState'] === 'Calling' ? 0 : array_search($_POST['LastDialedNumber'], $people, true) + 1;
error_log("routing: {$_POST['LastCallState']} {$_POST['LastDialedNumber']} -> " . ($people[$next] ?? $machine));
if ($next < count($people)) {
    echo "<Response><Route Destination=\"{$people[$next]}\" RingTime=\"$seconds\"/></Response>";
} else {
    echo "<Response><Route Destination=\"$machine\"/></Response>";
}
